import { SubnetError } from '@arbor/shared/errors'
import { median } from '@arbor/shared/math'
import type { Ss58 } from '@arbor/shared/units'
import { cosine, normOf } from '@arbor/subnet-spec/finetune/optimisers/vectors'
import type { AssignedLoss, BatchLoss, Measured, Optimiser } from '@arbor/subnet-spec/finetune/types'
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

export interface MeasureDeps {
  readonly engine: TrainingEngine
  readonly optimiser: Optimiser
}

/**
 * Measures what an update does to the loss, brought down to the common norm where it is longer; and what others do to the loss on its data.
 * @param of.norm 0 where no update of the round has one: such an update changes nothing
 * @param of.controls other updates of the round that its own data are measured with
 * @returns null where the model is no longer one with it: its loss is no number
 */
export async function measureUpdate(
  deps: MeasureDeps,
  of: {
    readonly params: Float32Array
    readonly vector: Float32Array
    readonly norm: number
    readonly controls: readonly Float32Array[]
    readonly assigned: readonly Batch[]
    readonly unseen: readonly Batch[]
    readonly unseenBefore: UnseenBefore
  },
  signal: AbortSignal,
): Promise<Pick<Measured, 'assigned' | 'unseen'> | null> {
  const { params, norm, assigned, unseen } = of
  const lossesWith = (update: Float32Array, batches: readonly Batch[]): Promise<readonly number[] | null> =>
    finiteLosses(deps, { params: deps.optimiser.apply({ params, update, norm }), batches }, signal)
  const after = await lossesWith(of.vector, [...assigned, ...unseen])
  if (after === null) return null
  const before = await deps.engine.losses({ params, batches: assigned }, signal)
  const others: (readonly number[])[] = []
  for (const control of of.controls) {
    const losses = await lossesWith(control, assigned)
    if (losses !== null) others.push(losses)
  }
  return {
    assigned: pairs(before, after.slice(0, assigned.length)).map((pair, index): AssignedLoss => {
      const controls = others.flatMap((losses) => losses[index] ?? [])
      return { ...pair, others: controls.length === 0 ? null : median(controls) }
    }),
    unseen: pairs(of.unseenBefore, after.slice(assigned.length)),
  }
}

/** Measures losses; null where one of them is no number. */
async function finiteLosses(
  { engine }: MeasureDeps,
  of: Parameters<TrainingEngine['losses']>[0],
  signal: AbortSignal,
): Promise<readonly number[] | null> {
  try {
    const losses = await engine.losses(of, signal)
    return losses.every(Number.isFinite) ? losses : null
  } catch (error) {
    if (error instanceof SubnetError && error.code === 'TRAIN_NOT_FINITE') return null
    throw error
  }
}

const pairs = (before: readonly number[], after: readonly number[]): readonly BatchLoss[] =>
  before.map((loss, index) => ({ before: loss, after: after[index] ?? loss }))

/** Says how long an update is beside the others; 0 where none of them has a length. */
export const relativeNorm = (vector: Float32Array, common: number): number =>
  common === 0 ? 0 : normOf(vector) / common

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
