import type { LocalState, Trainer, TrainLocally, Windows } from '@arbor/engine/train/types'
import type { LocalTerms } from '@arbor/shared/training'
import type { Optimiser } from '@arbor/subnet-spec/finetune/types'

/** Takes a miner's steps up to one of them; the mean loss of those steps is in nats a token. */
export type TakeSteps = (of: {
  readonly start: LocalState
  readonly to: number
  readonly windowsOf: (pass: number) => Windows
}) => Promise<{ readonly state: LocalState; readonly loss: number }>

/**
 * Makes what takes steps as an optimiser wants them, for miners and for whoever replays them: AdamW on the parameters, or gradients that
 * are summed up in the first moment while the parameters stay.
 */
export const takeStepsOf = (of: {
  readonly optimiser: Pick<Optimiser, 'local'>
  readonly trainer: Trainer
  readonly terms: LocalTerms
  readonly trainLocally: TrainLocally
  readonly onStep?: (at: { readonly step: number; readonly loss: number }) => void
  readonly signal: AbortSignal
}): TakeSteps => {
  const take = of.optimiser.local === 'gradient' ? sumGradients : of.trainLocally
  return async ({ start, to, windowsOf }) => {
    let sum = 0
    let steps = 0
    const onStep = (at: { readonly step: number; readonly loss: number }): void => {
      sum += at.loss
      steps += 1
      of.onStep?.(at)
    }
    const { trainer, terms, signal } = of
    const state = await take({ trainer, terms, start, to, windowsOf, onStep, signal })
    return { state, loss: sum / steps }
  }
}

/** Adds the gradients of steps `start.step` to `to` to the first moment, in order of passes. */
const sumGradients: TrainLocally = async ({ trainer, terms, start, to, windowsOf, onStep, signal }) => {
  const first = Float32Array.from(start.moments.first)
  const into = new Float32Array(first.length)
  for (let step = start.step; step < to; step += 1) {
    let loss = 0
    for (let pass = step * terms.accumulate; pass < (step + 1) * terms.accumulate; pass += 1) {
      signal.throwIfAborted()
      loss += await trainer.gradient({ params: start.params, windows: windowsOf(pass), into })
      for (let index = 0; index < first.length; index += 1) first[index] = (first[index] ?? 0) + (into[index] ?? 0)
    }
    onStep?.({ step: step + 1, loss: loss / terms.accumulate })
  }
  const moments = { first, second: start.moments.second, steps: start.moments.steps + to - start.step }
  return { step: to, params: start.params, moments }
}
