import { trainLocally, zeroMoments } from '../../engine/src/train/local.ts'
import type { Trainer } from '../../engine/src/train/types.ts'
import { encodeSs58 } from '../../shared/src/ss58.ts'
import type { LocalTerms, Moments } from '../../shared/src/training.ts'
import type { Hex, NetUid } from '../../shared/src/units.ts'
import { optimiserOf } from '../../subnet-spec/finetune/optimisers/optimiser-of.ts'
import type { Outer } from '../../subnet-spec/finetune/optimisers/outer.ts'
import type { Optimiser, OptimiserTerms } from '../../subnet-spec/finetune/types.ts'
import { encodeUpdate, readUpdate, updateBytesMost } from '../../subnet-spec/finetune/update.ts'
import type { WindowsAt } from './data.ts'
import type { OnStep } from './ddp.ts'
import type { Arm, Setting } from './types.ts'

const ZERO: Hex = `0x${'00'.repeat(32)}`

interface Worker {
  readonly moments: Moments
  readonly carried: Float32Array
}

/** Trains as the subnet does: local steps, an update's file a round, the merge of all of them. */
export const trainSubnet = async (of: {
  readonly trainer: Trainer
  readonly arm: Arm
  readonly optimiser: OptimiserTerms
  readonly setting: Setting
  readonly windowsAt: WindowsAt
  readonly onStep: OnStep
}): Promise<{ readonly params: Float32Array; readonly bytes: number; readonly rounds: number }> => {
  const { trainer, arm, setting, windowsAt, onStep } = of
  const { size } = trainer.layout
  const optimiser = optimiserOf({ terms: of.optimiser, layout: trainer.layout })
  const workers: Worker[] = Array.from({ length: setting.workers }, () => ({
    moments: zeroMoments(size),
    carried: new Float32Array(size),
  }))
  let model: Outer = { params: trainer.initial(), outer: new Float32Array(size) }
  let bytes = 0
  const rounds = Math.floor(setting.steps / arm.steps)
  for (let round = 0; round < rounds; round += 1) {
    const updates: Float32Array[] = []
    for (const [index, worker] of workers.entries()) {
      const windowsOf = (pass: number) => windowsAt(index, round * arm.steps + pass)
      const { progress, moments } = await workLocally({ ...of, optimiser, params: model.params, worker, windowsOf })
      const { payload, carried } = optimiser.encode({ progress, carried: worker.carried })
      const sent = send({ optimiser, payload, round, worker: index, size })
      updates.push(sent.vector)
      if (index === 0) bytes += sent.bytes
      workers[index] = { moments, carried }
    }
    model = optimiser.merge({ ...model, updates })
    await onStep({ step: (round + 1) * arm.steps, params: model.params })
  }
  return { params: model.params, bytes, rounds }
}

const workLocally = async (of: {
  readonly trainer: Trainer
  readonly arm: Arm
  readonly setting: Setting
  readonly optimiser: Optimiser
  readonly params: Float32Array
  readonly worker: Worker
  readonly windowsOf: (pass: number) => ReturnType<WindowsAt>
}): Promise<{ readonly progress: Float32Array; readonly moments: Moments }> => {
  const { trainer, arm, setting, optimiser, params, worker, windowsOf } = of
  if (optimiser.local === 'gradient') {
    const progress = new Float32Array(params.length)
    const gradient = new Float32Array(params.length)
    for (let pass = 0; pass < arm.steps; pass += 1) {
      await trainer.gradient({ params, windows: windowsOf(pass), into: gradient })
      for (let i = 0; i < params.length; i += 1)
        progress[i] = (progress[i] as number) + (gradient[i] as number) / arm.steps
    }
    return { progress, moments: worker.moments }
  }
  const { batch, length } = setting
  const terms: LocalTerms = { steps: arm.steps, batch, length, accumulate: 1, adamw: arm.adamw }
  const start = { step: 0, params, moments: worker.moments }
  const { signal } = new AbortController()
  const end = await trainLocally({ trainer, terms, start, to: arm.steps, windowsOf, signal })
  return { progress: params.map((value, i) => value - (end.params[i] as number)), moments: end.moments }
}

/** Writes the file that a miner serves, and reads it as everybody else does. */
const send = (of: {
  readonly optimiser: Optimiser
  readonly payload: Uint8Array
  readonly round: number
  readonly worker: number
  readonly size: number
}): { readonly bytes: number; readonly vector: Float32Array } => {
  const { optimiser, payload, round, worker, size } = of
  const hotkey = encodeSs58(new Uint8Array(32).fill(worker))
  const expected = { netuid: 1 as NetUid, round, hotkey, base: ZERO, optimiser: optimiser.kind, size }
  const file = encodeUpdate({ head: { version: 1, ...expected, states: ZERO }, payload })
  const { vector } = readUpdate({ file, maxBytes: updateBytesMost(optimiser), expected, optimiser })
  return { bytes: file.length, vector }
}
