import type { Address } from '@arbor/chain/address'
import type { Clock } from '@arbor/shared/clock'
import type { SignPurpose } from '@arbor/shared/signer'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'
import type { TaskDefinition } from '@arbor/subnet-spec/define'
import type { Answer } from './answer.ts'
import type { Send } from './http.ts'

/** One question to one miner, on the way out. */
export interface Question {
  readonly task: string
  /** The miner. */
  readonly hotkey: Ss58
  /** Block of the miner's registration. */
  readonly registeredAt: Block
  readonly address: Address
  /** The address is of our own listener, where the miner holds a connection. */
  readonly isOwn: boolean
  /** The version that the miner announced. */
  readonly version: number
  /** JSON of the request. */
  readonly body: Uint8Array
  /** Time that the miner has, over all attempts. */
  readonly deadlineMs: number
  readonly maxResponseBytes: number
  readonly definition: TaskDefinition
  /** Takes pieces of a streamed answer as they come; absent: the answer is wanted whole. */
  readonly onChunk?: (chunk: Uint8Array) => void
}

/** What a speaker has beside its question. */
export interface SpeakerContext {
  readonly send: Send
  /** Has our hotkey sign, which another thread or process holds. */
  readonly sign: (message: Uint8Array, purpose: SignPurpose) => Promise<Uint8Array>
  readonly hotkey: { readonly address: Ss58; readonly publicKey: Uint8Array }
  readonly netuid: NetUid
  readonly genesisHash: Hex
  readonly clock: Clock
  readonly randomBytes: (length: number) => Uint8Array
  readonly log: SpeakerLog
}

/** Receives what is worth telling: one event a call. */
export interface SpeakerLog {
  debug(fields: object, text: string): void
  warn(fields: object, text: string): void
}

/**
 * Asks in a protocol: writes the question, has it sent, verifies and opens the answer. Bounds, breaker and address policy are
 * around it. Rejects only with the signal's reason.
 */
export type Speaker = (question: Question, context: SpeakerContext, signal: AbortSignal) => Promise<Answer>
