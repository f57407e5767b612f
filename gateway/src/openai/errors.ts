/** A refusal in OpenAI's format, with its HTTP status. */
export interface ApiError {
  readonly status: number
  readonly type: 'invalid_request_error' | 'requests' | 'tokens' | 'server_error'
  readonly code: string | null
  /** Name of the parameter at fault, as the caller wrote it. */
  readonly param: string | null
  readonly message: string
  /** When the same request may succeed, in seconds; absent where it never will, or at once. */
  readonly retryAfterS?: number
}

/** The body that carries a refusal. */
export const errorBody = ({ message, type, param, code }: ApiError): { readonly error: object } => ({
  error: { message, type, param, code },
})

/** Refuses a request for what it says; nothing was asked of a miner. */
export const invalidRequest = (of: {
  readonly message: string
  readonly param?: string
  readonly code?: string
  readonly status?: number
}): ApiError => ({
  status: of.status ?? 400,
  type: 'invalid_request_error',
  code: of.code ?? null,
  param: of.param ?? null,
  message: of.message,
})

/** Refuses who shows no key, or a wrong one. */
export const unauthorized = (code: 'missing_api_key' | 'invalid_api_key'): ApiError => ({
  status: 401,
  type: 'invalid_request_error',
  code,
  param: null,
  message:
    code === 'missing_api_key'
      ? 'You did not provide an API key. Send it in the header "Authorization: Bearer KEY".'
      : 'Incorrect API key provided. Ask whoever runs this gateway for one.',
})

/** Refuses who asked more than its key allows. */
export const limited = (of: {
  readonly of: 'requests' | 'tokens'
  readonly message: string
  readonly retryAfterS?: number
}): ApiError => ({
  status: 429,
  type: of.of,
  code: 'rate_limit_exceeded',
  param: null,
  message: of.message,
  ...(of.retryAfterS === undefined ? {} : { retryAfterS: of.retryAfterS }),
})

/** Says that the gateway or the subnet cannot do it now. */
export const unavailable = (code: string, message: string, retryAfterS?: number): ApiError => ({
  status: 503,
  type: 'server_error',
  code,
  param: null,
  message,
  ...(retryAfterS === undefined ? {} : { retryAfterS }),
})

/** Says that the gateway stops; whoever balances load asks another one. */
export const shuttingDown: ApiError = unavailable('shutting_down', 'The gateway is shutting down.', 1)

/** Says that miners failed: nobody's request is at fault. */
export const badGateway = (message: string): ApiError => ({
  status: 502,
  type: 'server_error',
  code: 'miners_failed',
  param: null,
  message,
})

/** Says that the gateway itself failed; its log knows more. */
export const internal: ApiError = {
  status: 500,
  type: 'server_error',
  code: 'internal_error',
  param: null,
  message: 'The gateway failed to answer this request. The reason stands in its log.',
}

/** Refuses a model that the subnet does not serve. */
export const unknownModel = (id: string): ApiError =>
  invalidRequest({
    status: 404,
    message: `The model '${id.slice(0, 128)}' does not exist here. GET /v1/models lists what does.`,
    param: 'model',
    code: 'model_not_found',
  })
