import type { LocalTerms } from '@arbor/shared/training'
import type { Hex } from '@arbor/shared/units'
import { unseenWindows } from '@arbor/subnet-spec/finetune/windows'
import type { Batch } from './engine.ts'

/** Batches of held-out text on which every checkpoint is measured: some 4 000 tokens of the built-in subnets. */
const HELD_OUT_BATCHES = 16
const FIXED_SEED: Hex = `0x${'00'.repeat(32)}`

/** Chooses the held-out windows that all measure a model on, whoever they are. @param of.tokens of the held-out stream */
export const heldOutBatches = (of: {
  readonly tokens: number
  readonly local: Pick<LocalTerms, 'batch' | 'length'>
}): readonly Batch[] =>
  unseenWindows({ seed: FIXED_SEED, batches: HELD_OUT_BATCHES, ...of }).map((starts) => ({ stream: 'heldOut', starts }))
