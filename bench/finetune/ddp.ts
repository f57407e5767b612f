import { stepAdamW } from '../../engine/src/train/adamw.ts'
import { zeroMoments } from '../../engine/src/train/local.ts'
import type { Trainer } from '../../engine/src/train/types.ts'
import type { Moments } from '../../shared/src/training.ts'
import type { WindowsAt } from './data.ts'
import type { Arm, Setting } from './types.ts'

/** What training hands on after each step. */
export type OnStep = (at: { readonly step: number; readonly params: Float32Array }) => Promise<void>

/**
 * Trains by data parallelism: each step every worker sends its whole gradient in fp32, and all take one step of AdamW by their mean.
 * A worker sends 4 bytes a parameter and step, as a ring's all-reduce does about twice.
 */
export const trainDdp = async (of: {
  readonly trainer: Trainer
  readonly arm: Arm
  readonly setting: Setting
  readonly windowsAt: WindowsAt
  readonly onStep: OnStep
}): Promise<{ readonly params: Float32Array; readonly bytes: number; readonly rounds: number }> => {
  const { trainer, arm, setting, windowsAt, onStep } = of
  const { size } = trainer.layout
  const params = trainer.initial()
  const [mean, gradient] = [new Float32Array(size), new Float32Array(size)]
  let moments: Moments = zeroMoments(size)
  for (let step = 0; step < setting.steps; step += 1) {
    mean.fill(0)
    for (let worker = 0; worker < setting.workers; worker += 1) {
      await trainer.gradient({ params, windows: windowsAt(worker, step), into: gradient })
      for (let i = 0; i < size; i += 1) mean[i] = (mean[i] as number) + (gradient[i] as number) / setting.workers
    }
    const learningRate = arm.adamw.learningRate * rateAt(arm, step / setting.steps)
    moments = stepAdamW({ terms: { ...arm.adamw, learningRate }, params, gradient: mean, moments })
    await onStep({ step: step + 1, params })
  }
  return { params, bytes: 4 * size * setting.steps, rounds: setting.steps }
}

/** Share of the rate at a share of the run; the cosine ends at a tenth. */
const rateAt = ({ schedule }: Arm, at: number): number =>
  schedule === 'constant' ? 1 : 0.1 + 0.9 * 0.5 * (1 + Math.cos(Math.PI * at))
