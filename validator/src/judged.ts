import type { Check } from '@arbor/shared/inference'
import type { Verdict } from '@arbor/subnet-spec/define'

/** A verdict with what it rests on, as far as a spec asks an engine. */
export interface Judged extends Verdict {
  /** The engine's last check; null or absent when the spec asked for none. */
  readonly check?: Check | null
  /** Milliseconds that the judging took in its thread. */
  readonly checkMs?: number
}
