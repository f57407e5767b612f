import { WIRE_STATUS, type WireCode } from '@arbor/shared/wire/refusal'

/** HTTP status of each refusal that is the miner's own. */
const MINER_STATUS = {
  MINER_NO_TASK: 404,
  MINER_UNKNOWN_CALLER: 403,
  MINER_NO_PERMIT: 403,
  MINER_LOW_STAKE: 403,
  MINER_RATE: 429,
  MINER_BUSY: 503,
  MINER_BAD_REQUEST: 422,
  MINER_LATE: 504,
  MINER_FAILED: 500,
  MINER_BAD_HTTP: 400,
} as const

/** Why a request gets no answer. */
export type RefusalCode = WireCode | keyof typeof MINER_STATUS

/** Finds the HTTP status of a refusal. */
export const statusOf = (code: RefusalCode): number => ({ ...WIRE_STATUS, ...MINER_STATUS })[code]

/** Refusals after which the same caller may try again soon, with a new signature. */
export const isRetryable = (code: RefusalCode): boolean =>
  code === 'MINER_BUSY' || code === 'MINER_RATE' || code === 'WIRE_REPLAY_FULL'
