/** HTTP status of each refusal of a relay to those who ask, and to those who dial. */
const ASKER_STATUS = {
  RELAY_BAD_HTTP: 400,
  RELAY_ENVELOPE: 400,
  RELAY_NO_PATH: 404,
  RELAY_UNKNOWN_MINER: 404,
  RELAY_LENGTH: 411,
  RELAY_TOO_LARGE: 413,
  RELAY_UNSEALED: 426,
  RELAY_RATE: 429,
  RELAY_MINER_GONE: 502,
  RELAY_BAD_ANSWER: 502,
  RELAY_NO_MINER: 503,
  RELAY_MINER_BUSY: 503,
  RELAY_FULL: 503,
  RELAY_LATE: 504,
  RELAY_PROBE: 400,
  RELAY_PROBE_PROXIED: 400,
} as const

/** Why someone who asks gets no answer from a miner. */
export type AskerRefusal = keyof typeof ASKER_STATUS

/** Why a miner that dials, or has dialled, is sent away. */
export type DialRefusal =
  | 'RELAY_HELLO'
  | 'RELAY_HOST'
  | 'RELAY_CERTIFICATE'
  | 'RELAY_UNREGISTERED'
  | 'RELAY_PROOF'
  | 'RELAY_EXPIRED'
  | 'RELAY_REPLACED'
  | 'RELAY_PROTOCOL'
  | 'RELAY_CLOSING'
  | 'RELAY_RATE'
  | 'RELAY_FULL'
  | 'RELAY_LATE'

export const statusOf = (code: AskerRefusal): number => ASKER_STATUS[code]

/** Refusals after which the same asker may try again soon. */
const RETRYABLE: ReadonlySet<AskerRefusal> = new Set(['RELAY_RATE', 'RELAY_NO_MINER', 'RELAY_MINER_BUSY', 'RELAY_FULL'])

export const isRetryable = (code: AskerRefusal): boolean => RETRYABLE.has(code)

const BODY_BYTES = 64

/** Body of every refusal: `{"code":"…"}` and spaces, 64 bytes whatever the code. */
export const refusalBody = (code: AskerRefusal): string => `{"code":"${code}"}`.padEnd(BODY_BYTES)
