import { createHash } from 'node:crypto'
import type { Dataset, Trainer, Windows } from '../../engine/src/train/types.ts'
import type { Hex, NetUid, Uid } from '../../shared/src/units.ts'
import { assignedWindows } from '../../subnet-spec/finetune/windows.ts'
import type { Setting } from './types.ts'

/** Steps whose windows follow from one block: the order of the data does not depend on the arm, so that all arms see the same tokens. */
const STEPS_A_BLOCK = 10
const NETUID = 1 as NetUid

/** Gives the windows of a worker's step. */
export type WindowsAt = (worker: number, step: number) => Windows

/** Draws windows as the subnet does, from a block's hash and the worker's uid. */
export const windowsFor = (of: {
  readonly dataset: Dataset
  readonly setting: Setting
  readonly seed: number
}): WindowsAt => {
  const { dataset, setting, seed } = of
  const local = { steps: STEPS_A_BLOCK, accumulate: 1, batch: setting.batch, length: setting.length }
  const known = new Map<string, (pass: number) => readonly number[]>()
  return (worker, step) => {
    const round = Math.floor(step / STEPS_A_BLOCK)
    const key = `${worker}/${round}`
    const startsOf =
      known.get(key) ??
      assignedWindows({
        blockHash: hashOf(`${seed}/${round}`),
        netuid: NETUID,
        round,
        uid: worker as Uid,
        tokens: dataset.train.length,
        local,
      })
    known.set(key, startsOf)
    return { tokens: dataset.train, starts: startsOf(step % STEPS_A_BLOCK) }
  }
}

const hashOf = (text: string): Hex => `0x${createHash('sha256').update(`bench/finetune/${text}`).digest('hex')}`

/** Measures the loss on windows of the held-out text without gaps, or on every `nth` pass of them. */
export const measureHeldOut = (of: {
  readonly dataset: Dataset
  readonly setting: Setting
  readonly trainer: Trainer
}): ((params: Float32Array, nth?: number) => Promise<number>) => {
  const { dataset, setting, trainer } = of
  const { batch, length } = setting
  const passes = Math.floor((dataset.heldOut.length - 1) / (batch * length))
  const windows = Array.from({ length: passes }, (_, pass) => ({
    tokens: dataset.heldOut,
    starts: Array.from({ length: batch }, (_, index) => (pass * batch + index) * length),
  }))
  return (params, nth = 1) => trainer.loss({ params, windows: windows.filter((_, pass) => pass % nth === 0) })
}
