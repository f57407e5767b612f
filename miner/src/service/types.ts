import type { PairKeys } from '@arbor/shared/protocol/keys'
import type { ReadRequest } from '@arbor/shared/protocol/request'
import type { Session } from '@arbor/shared/protocol/session'
import type { Ss58 } from '@arbor/shared/units'
import type { TaskDefinition } from '@arbor/subnet-spec/define'
import type { Seat } from '../admission/admission.ts'

/** What a transport knows of a request before its body. */
export interface RequestHead {
  readonly method: string
  /** Request target as sent, with its query. */
  readonly path: string
  /** Names and values in turn, as they came: the envelope, the certificate and the length are read from them. */
  readonly rawHeaders: readonly string[]
  /** Socket address that the bytes came from, or the name of a relay: costly checks are counted by it. */
  readonly remote: string
  /** Whether the way here shows bodies to somebody else, so that only sealed questions are answered. */
  readonly sealedOnly: boolean
}

/** What goes before an answer's bytes. */
export interface AnswerHead {
  readonly status: number
  readonly contentType: string
  /** Value of `arbor-envelope`; null in refusals of unproven callers and in heads of streams. */
  readonly envelope: string | null
  /** Value of `arbor-certificate`: the miner's, when the request carried one. */
  readonly certificate: string | null
  /** Seconds after which the same caller may try again. */
  readonly retryAfterS: number | null
}

/** An answer whose bytes are all there; refusals are such. */
export interface WholeAnswer {
  readonly kind: 'whole'
  readonly head: AnswerHead
  readonly body: Uint8Array
  /** Bytes a second that it is written at; absent for as fast as it is read. */
  readonly bytesPerSecond?: number
}

/** An answer that is still being made. */
export interface StreamedAnswer {
  readonly kind: 'stream'
  readonly head: AnswerHead
  /** Whole frames. Whoever stops pulling them stops the work; throws when the caller is gone. */
  readonly frames: AsyncIterable<Uint8Array>
}

/** A request whose body may be read. It waits for a thread when the body is there. */
export interface Admitted {
  /** Bytes that the body has, sealed or not. */
  readonly bodyLength: number
  /** Aborts when the request's time is over, its caller gone, or the room of its body taken by more stake. */
  readonly signal: AbortSignal
  /** Ends the request: its seat, its place at work and its time. Called by the transport when all is sent, or will not be. */
  readonly release: () => void
}

/** What the service keeps of an admitted request. */
export interface AdmittedRequest extends Admitted {
  readonly request: ReadRequest
  readonly caller: Ss58
  readonly task: TaskDefinition
  readonly taskName: string
  readonly serve: Session
  /** What the two sessions share; null for a request that is signed and not sealed. */
  readonly keys: PairKeys | null
  readonly seat: Seat
  /** On the monotonic clock. */
  readonly startedAt: number
}

export type Opened =
  | { readonly kind: 'admitted'; readonly admitted: Admitted }
  | { readonly kind: 'refused'; readonly answer: WholeAnswer }

/** Answers requests, whatever brings them. */
export interface Service {
  /**
   * Judges a head before a byte of the body is asked for.
   * @param gone aborts when the caller has left: it stops the waiting, the work and the stream
   */
  open(head: RequestHead, gone: AbortSignal): Promise<Opened>
  /** Judges the body, waits for a thread by stake, and answers; an admission is answered once. */
  answer(admitted: Admitted, body: Uint8Array): Promise<WholeAnswer | StreamedAnswer>
  /** The miner's certificate for a hotkey; null for any other than its own. */
  certificateOf(hotkey: string): string | null
}
