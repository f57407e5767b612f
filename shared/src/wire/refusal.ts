/** HTTP status of each refusal; the body says the code and nothing else. */
export const WIRE_STATUS = {
  WIRE_HEADERS: 400,
  WIRE_VERSION: 400,
  WIRE_EXPIRED: 401,
  WIRE_RECEIVER: 421,
  WIRE_NETUID: 421,
  WIRE_SIGNATURE: 401,
  WIRE_REPLAY: 409,
  WIRE_REPLAY_FULL: 429,
  WIRE_LENGTH: 411,
  WIRE_TOO_LARGE: 413,
  WIRE_BODY_HASH: 400,
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

/** Bytes of every refusal's body: room for the longest code; equal sizes tell a sender nothing and amplify nothing. */
export const REFUSAL_BYTES = 64

/** Writes the body of a refusal: the code as JSON, padded with spaces to REFUSAL_BYTES. */
export const refusalBody = (code: string): string => JSON.stringify({ code }).padEnd(REFUSAL_BYTES, ' ')
