import type { Hex } from '@arbor/shared/units'
import type { Alone } from './alone.ts'
import type { TrainingView } from './state.ts'

/** What the report of a training subnet has besides; docs/report.md. */
export interface TrainingReport {
  /** Held-out loss of each checkpoint, in nats a token. */
  readonly loss: readonly (number | null)[]
  readonly checkpoints: readonly {
    /** The round that starts from it. */
    readonly round: number
    /** Its name, by the hotkey of the validator that has it. */
    readonly by: Readonly<Record<string, Hex>>
    readonly merged: number
  }[]
  readonly alone: Alone | null
}

/** Reports every checkpoint that was seen. */
export const trainingReport = ({ checkpoints }: TrainingView, alone: Alone | null): TrainingReport => ({
  loss: checkpoints.map(({ loss }) => loss),
  checkpoints: checkpoints.map(({ round, by, merged }) => ({ round, by, merged })),
  alone,
})
