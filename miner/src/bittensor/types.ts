import type { Nonces } from '@arbor/shared/bittensor/nonces'
import type { Synapse } from '@arbor/shared/bittensor/synapse'
import type { Clock } from '@arbor/shared/clock'
import type { Logger } from '@arbor/shared/log'
import type { Alpha, Ss58 } from '@arbor/shared/units'
import type { z } from 'zod'

/** What a handler makes of a question. */
export interface SynapseResult {
  /** Fits the synapse's response fields. */
  readonly response: object
  /** In place of 200; the whole synapse is answered all the same. */
  readonly statusCode?: number
  readonly statusMessage?: string
}

/** One synapse that an axon serves. */
export interface ServedSynapse {
  readonly synapse: Synapse
  /** Judges the request's fields beyond their types. */
  readonly request: z.ZodType
  readonly maxRequestBytes: number
  readonly maxResponseBytes: number
  /** Time that an answer may take at most, whatever the caller's timeout is. */
  readonly deadlineMs: number
  /** Why a caller is not served; null when it is. Asked once its signature held. */
  readonly blacklist?: (caller: Ss58) => string | null
  /** Resolves when it is the caller's turn; an error of code MINER_LATE when that took too long. */
  readonly turn?: (caller: Ss58, signal: AbortSignal) => Promise<void>
  answer(of: {
    /** What the schema makes of the request's fields. */
    readonly request: unknown
    /** The text that the caller signed. */
    readonly signedText: string
    /** Who signed the request. */
    readonly caller: Ss58
    /** Aborts when the time is over or the caller gone. */
    readonly signal: AbortSignal
    /** Sends a piece of a streamed synapse's text. */
    readonly emit?: (text: string) => void
  }): Promise<SynapseResult>
}

/** Why a hotkey is not let in. */
export interface DoorRefusal {
  readonly ok: false
  readonly kind: 'blacklisted' | 'rate' | 'busy'
  /** For people. */
  readonly reason: string
  readonly retryAfterS: number | null
}

/** A verified caller whose body may come; it holds no thread yet. */
export interface Seat {
  readonly ok: true
  /** Aborts when another caller takes the room of this body; absent where nobody can. */
  readonly evicted?: AbortSignal
  /** Waits for a place at work once the body is there. Rejects with the signal's reason. */
  work(signal: AbortSignal): Promise<{ readonly ok: true } | DoorRefusal>
  /** Gives up the seat, and the place at work. Calls after the first do nothing. */
  leave(): void
}

/** Who may come in, and when. */
export interface Door {
  /** Judges a hotkey by what the chain says, before its signature is verified. */
  claimed(hotkey: Ss58): { readonly ok: true; readonly stake: Alpha } | DoorRefusal
  /** Admits a verified caller before its body, which has so many bytes at most. */
  seat(of: { readonly caller: Ss58; readonly stake: Alpha; readonly bytes: number }): Seat | DoorRefusal
}

export interface AxonDeps {
  /** The hotkey that requests must be signed for. */
  readonly receiver: Ss58
  readonly served: readonly ServedSynapse[]
  readonly nonces: Nonces
  readonly door: Door
  readonly clock: Clock
  readonly log: Logger
  /** Makes a random UUID, by which an error is found in the log. */
  readonly randomUuid: () => string
}
