import type { PoolRefusal } from '../pool/types.ts'
import { validityText } from '../pool/validity.ts'

/** A refusal in JSON-RPC's own form; numbers and texts are Substrate's, since clients match on them. */
export class RpcError extends Error {
  readonly rpcCode: number
  readonly data: unknown

  constructor({
    code,
    message,
    data,
    cause,
  }: {
    readonly code: number
    readonly message: string
    readonly data?: unknown
    readonly cause?: unknown
  }) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'RpcError'
    this.rpcCode = code
    this.data = data
  }
}

/** @source JSON-RPC 2.0 §5.1; those above -32100 are jsonrpsee's (jsonrpsee-types error.rs) */
export const RPC = {
  parse: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internal: -32_603,
  tooManySubscriptions: -32_006,
  tooBig: -32_007,
  answerTooBig: -32_008,
  busy: -32_009,
  batchTooBig: -32_010,
  batchAnswerTooBig: -32_011,
  /** @source sc-rpc-api author/error.rs */
  badFormat: 1001,
  /** @source sc-rpc-api state/error.rs */
  invalidRange: 4001,
  countTooLarge: 4002,
  client: 4003,
} as const

export const invalidParams = (why: string): RpcError =>
  new RpcError({ code: RPC.invalidParams, message: 'Invalid params', data: why })

/** Takes a refusal as it is; anything else is a fault of ours, whose reason is not for the caller. */
export const asRpcError = (error: unknown): RpcError =>
  error instanceof RpcError ? error : new RpcError({ code: RPC.internal, message: 'Internal error', cause: error })

/** Writes a refusal of the pool. @source sc-rpc-api author/error.rs */
export const poolError = (refusal: PoolRefusal): RpcError => {
  switch (refusal.reason) {
    case 'invalid':
      return new RpcError({ code: 1010, message: 'Invalid Transaction', data: validityText(refusal.validity) })
    case 'unknown':
      return new RpcError({ code: 1011, message: 'Unknown Transaction Validity', data: validityText(refusal.validity) })
    case 'malformed': {
      const why = `Execution failed: Execution aborted due to panic: ${refusal.why}`
      const data = `RuntimeApi(${JSON.stringify(why)})`
      return new RpcError({ code: 1002, message: `Verification Error: Runtime error: ${why}`, data })
    }
    case 'banned':
      return new RpcError({ code: 1012, message: 'Transaction is temporarily banned' })
    case 'imported':
      return new RpcError({ code: 1013, message: 'Transaction Already Imported', data: refusal.hash })
    case 'priority':
      return new RpcError({
        code: 1014,
        message: `Priority is too low: (${refusal.held} vs ${refusal.offered})`,
        data: 'The transaction has too low priority to replace another transaction already in the pool.',
      })
    case 'full':
      return new RpcError({
        code: 1016,
        message: 'Immediately Dropped',
        data: "The transaction couldn't enter the pool because of the limit",
      })
    case 'no-tags':
      return new RpcError({
        code: 1019,
        message: 'No tags provided',
        data: "Transaction does not provide any tags, so the pool can't identify it",
      })
  }
}
