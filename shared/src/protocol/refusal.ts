/** HTTP status of each refusal; the body says the code and nothing else. */
export const WIRE_STATUS = {
  WIRE_HEADERS: 400,
  WIRE_VERSION: 400,
  WIRE_RECEIVER: 421,
  WIRE_NETUID: 421,
  WIRE_CHAIN: 421,
  WIRE_AUDIENCE: 421,
  WIRE_SESSION: 401,
  WIRE_SESSION_OLD: 401,
  WIRE_SESSION_EXPIRED: 401,
  WIRE_CERTIFICATE: 401,
  WIRE_REGISTRATION: 401,
  WIRE_KEYS: 409,
  WIRE_PROOF: 401,
  WIRE_EXPIRED: 401,
  WIRE_TARGET: 400,
  WIRE_REPLAY: 409,
  WIRE_COUNTER: 409,
  WIRE_SESSIONS_FULL: 429,
  WIRE_LENGTH: 411,
  WIRE_TOO_LARGE: 413,
  WIRE_BODY_HASH: 400,
  WIRE_SEAL: 400,
  WIRE_SEAL_REQUIRED: 426,
} as const

/** Why a request is refused. */
export type WireCode = keyof typeof WIRE_STATUS

/** A refused request. */
export interface Refusal<Code extends string = WireCode> {
  readonly ok: false
  readonly code: Code
}

/** Names a refusal. */
export const refuse = <Code extends string>(code: Code): Refusal<Code> => ({ ok: false, code })

/** What a judge says when nothing is wrong. */
export const OK = { ok: true } as const

/** Bytes of every refusal's body: room for the longest code; equal sizes tell a sender nothing and amplify nothing. */
export const REFUSAL_BYTES = 64

/** Writes the body of a refusal: the code as JSON, padded with spaces to REFUSAL_BYTES. */
export const refusalBody = (code: string): Buffer => Buffer.from(JSON.stringify({ code }).padEnd(REFUSAL_BYTES, ' '))

/** Reads the code in a refusal's body; null when it is none. */
export const readRefusal = (body: Uint8Array): string | null =>
  body.length === REFUSAL_BYTES
    ? (/^\{"code":"([A-Z][A-Z0-9_]{2,50})"\} *$/.exec(Buffer.from(body).toString('latin1'))?.[1] ?? null)
    : null
