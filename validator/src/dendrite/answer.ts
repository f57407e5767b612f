import type { Hex } from '@arbor/shared/units'
import type { MeasuredTiming } from '@arbor/subnet-spec/timing'
import type { Evidence } from '../evidence.ts'

/** The miner cannot have had the question. */
export const UNREACHED = [
  'address',
  'unreachable',
  'connect-refused',
  'connect-timeout',
  'certificate-missing',
  'certificate-malformed',
  'certificate-wrong',
  'certificate-stolen',
  'certificate-expired',
] as const

/** Why an answer is no answer, one word for each way in which a miner can fail; each counts against it. docs/dendrite.md */
export const FAULTS = [
  // before a request is out
  ...UNREACHED,
  // what came back, on the line
  'timeout',
  'trickle',
  'early-close',
  'no-http',
  'redirect',
  'compressed',
  'oversized',
  // what came back, as an answer
  'unsigned',
  'forged',
  'wrong-request',
  'unsealed',
  'content-type',
  'malformed',
  'schema',
  'stream-cut',
  'stream-trailing',
  // refusals
  'busy',
  'rate',
  'refused',
  'rejected',
  'clock',
] as const
export type Fault = (typeof FAULTS)[number]

/** What a relay says when it cannot pass a question on, in the words above. */
export const RELAYED: Readonly<Record<string, Fault>> = {
  RELAY_NO_MINER: 'unreachable',
  RELAY_UNKNOWN_MINER: 'unreachable',
  RELAY_MINER_GONE: 'unreachable',
  RELAY_LATE: 'timeout',
  RELAY_MINER_BUSY: 'busy',
}

/** Why a question was never put for a reason of ours; the miner gets no verdict. */
export const OURS = ['line-full', 'line-wait', 'lag', 'session', 'sockets', 'thread'] as const
export type Ours = (typeof OURS)[number]

/** When an answer came, measured at the socket in a thread that does nothing else. */
export interface SocketTiming {
  /** From connecting to connected; 0 on a connection that was kept open. */
  readonly connectMs: number
  /** From the request's last byte taken by the kernel to the answer's first byte read. */
  readonly firstByteMs: number
  /** From the request's last byte taken by the kernel to the answer's last byte read. */
  readonly totalMs: number
  /** How late the thread's own loop was at worst meanwhile; the timings are uncertain by as much. */
  readonly lagMs: number
}

export interface AnswerTiming extends MeasuredTiming, SocketTiming {
  /** True when the thread's own lag makes the timings worthless for a comparison. */
  readonly lagged: boolean
}

/** A thread that was this late has timed itself rather than the miner. */
export const LAGGED_MS = 20

/** What asking a miner came to. */
export type Answer =
  /** `body` is JSON that fits the task's response schema. */
  | {
      readonly kind: 'answered'
      readonly body: Uint8Array
      readonly timing: AnswerTiming
      /** False when its protocol has no signature of the miner: it proves nothing towards others. */
      readonly signed: boolean
      /** 32 bytes that the answer was made under; the miner computed the same. */
      readonly binding: Hex
      /** Names the answer by what its miner signed. */
      readonly answerHash: Hex
      /** What shows others who asked whom. */
      readonly evidence: Evidence
    }
  | FaultAnswer
  | { readonly kind: 'ours'; readonly reason: Ours; readonly why: string }

/** Counts the time of earlier attempts into an answer's: the miner may have had the question since the first. */
export const withTimeBefore = (answer: Answer, beforeMs: number): Answer => {
  if (answer.kind !== 'answered') return answer
  const { timing } = answer
  const { firstByteMs, totalMs } = timing
  return {
    ...answer,
    timing: { ...timing, firstByteMs: beforeMs + firstByteMs, totalMs: beforeMs + totalMs },
  }
}

export interface FaultAnswer {
  readonly kind: 'fault'
  readonly reason: Fault
  /** One line for the log; holds no text of the miner's. */
  readonly why: string
  /** As far as the exchange came. */
  readonly timing: SocketTiming | null
  /** The connection was stale, so the question may be put once more. */
  readonly stale?: boolean
}
