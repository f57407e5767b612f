import { SubnetError } from '@arbor/shared/errors'
import type { Ss58 } from '@arbor/shared/units'
import { cosine, normOf } from '@arbor/subnet-spec/finetune/optimisers/vectors'
import type { BatchLoss, Measured, Optimiser } from '@arbor/subnet-spec/finetune/types'
import type { Batch, TrainingEngine } from './engine.ts'

/** An update that was fetched and read. */
export interface ReadUpdate {
  readonly hotkey: Ss58
  /** Place of its commitment on the chain: the lower one was there first. */
  readonly order: number
  readonly vector: Float32Array
}

/** Losses on a round's unseen data before any update: measured once for all of them. */
export type UnseenBefore = readonly number[]

/**
 * Measures what an update does to the loss, with its norm brought to that of all others.
 * @param of.norm 0 where no update of the round has one: such an update changes nothing
 * @returns null where the model is no longer one with it: its loss is no number
 */
export async function measureUpdate(
  deps: { readonly engine: TrainingEngine; readonly optimiser: Optimiser },
  of: {
    readonly params: Float32Array
    readonly vector: Float32Array
    readonly norm: number
    readonly assigned: readonly Batch[]
    readonly unseen: readonly Batch[]
    readonly unseenBefore: UnseenBefore
  },
  signal: AbortSignal,
): Promise<Pick<Measured, 'norm' | 'assigned' | 'unseen'> | null> {
  const { params, assigned, unseen } = of
  const after = deps.optimiser.apply({ params, update: of.vector, norm: of.norm })
  const before = await deps.engine.losses({ params, batches: assigned }, signal)
  let losses: readonly number[]
  try {
    losses = await deps.engine.losses({ params: after, batches: [...assigned, ...unseen] }, signal)
  } catch (error) {
    if (error instanceof SubnetError && error.code === 'TRAIN_NOT_FINITE') return null
    throw error
  }
  const length = normOf(of.vector)
  return {
    norm: of.norm === 0 ? 0 : length / of.norm,
    assigned: pairs(before, losses.slice(0, assigned.length)),
    unseen: pairs(of.unseenBefore, losses.slice(assigned.length)),
  }
}

const pairs = (before: readonly number[], after: readonly number[]): readonly BatchLoss[] =>
  before.map((loss, index) => ({ before: finite(loss), after: finite(after[index]) }))

/** JSON knows no NaN: a loss that is no number is larger than any that is one. */
const finite = (loss: number | undefined): number => (Number.isFinite(loss) ? (loss ?? 0) : Number.MAX_VALUE)

/**
 * Finds the earlier update that one is most like.
 * @param of.all of the round; what was committed before counts
 * @param of.previous that the last round merged: their miners' own may not come again either
 */
export const likenessOf = (
  update: ReadUpdate,
  of: { readonly all: readonly ReadUpdate[]; readonly previous: readonly Pick<ReadUpdate, 'hotkey' | 'vector'>[] },
): Measured['likeness'] => {
  let most: Measured['likeness'] = null
  const earlier = of.all.filter((other) => other.hotkey !== update.hotkey && other.order < update.order)
  for (const other of [...earlier, ...of.previous]) {
    const found = cosine(update.vector, other.vector)
    if (Number.isFinite(found) && (most === null || found > most.cosine)) most = { cosine: found, hotkey: other.hotkey }
  }
  return most
}
