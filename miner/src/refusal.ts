import { WIRE_STATUS, type WireCode } from '@arbor/shared/protocol/refusal'

/** HTTP status of each refusal that is the miner's own. */
const MINER_STATUS = {
  MINER_NO_TASK: 404,
  MINER_NO_PIECE: 404,
  MINER_UNKNOWN_CALLER: 403,
  MINER_NO_PERMIT: 403,
  MINER_LOW_STAKE: 403,
  MINER_DENIED: 403,
  MINER_RATE: 429,
  MINER_BUSY: 503,
  MINER_BAD_REQUEST: 422,
  MINER_LATE: 504,
  MINER_FAILED: 500,
  MINER_BAD_HTTP: 400,
  MINER_NOT_READY: 503,
} as const

/** Why a request gets no answer. */
export type RefusalCode = WireCode | keyof typeof MINER_STATUS

/** Finds the HTTP status of a refusal. */
export const statusOf = (code: RefusalCode): number => ({ ...WIRE_STATUS, ...MINER_STATUS })[code]

/** Finds what to tell a caller about an error. */
export const codeOf = (error: unknown): RefusalCode => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'MINER_LATE' || code === 'MINER_CALLER_GONE' || code === 'ENGINE_ABORTED') return 'MINER_LATE'
  if (code === 'MINER_NO_PIECE') return code
  if (code === 'ENGINE_BUSY' || code === 'ENGINE_CRASHED' || code === 'ENGINE_CLOSED') return 'MINER_BUSY'
  if (code === 'ENGINE_PROMPT_TOO_LONG' || code === 'ENGINE_REQUEST_INVALID') return 'MINER_BAD_REQUEST'
  return 'MINER_FAILED'
}
