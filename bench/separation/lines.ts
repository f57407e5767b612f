import type { Measured, ReplayOutcome } from '../../subnet-spec/finetune/types.ts'

/** What came of one miner's round: all that verdicts follow from, with every round replayed. */
export interface Line {
  readonly round: number
  /** `honest`, `fresh` (an honest one that forgets its moments each round), or an attack's name. */
  readonly who: string
  readonly uid: number
  readonly bytes: number
  /** Why nothing was measured; null where it was. */
  readonly refused: 'missing' | 'unavailable' | 'malformed' | 'stale' | 'not-finite' | null
  readonly measured: Omit<Measured, 'replay'> | null
  /** Cosines to the others' updates of this round, and to its own of the last one. */
  readonly cosines: { readonly others: readonly number[]; readonly own: number | null }
  /** One replayed segment, drawn; whether the terms would have it replayed is decided later. */
  readonly replay: { readonly segment: number; readonly outcome: ReplayOutcome } | null
}
