import type { Moments } from '@arbor/shared/training'
import { stepAdamW } from './adamw.ts'
import { wrongSize } from './errors.ts'
import type { LocalState, Trainer, TrainLocally, Windows } from './types.ts'

/** Moments before the first step. */
export const zeroMoments = (size: number): Moments => ({
  first: new Float32Array(size),
  second: new Float32Array(size),
  steps: 0,
})

/** Takes local steps of AdamW; what it starts from is left as it is. */
export const trainLocally: TrainLocally = async (of) => {
  const { trainer, terms, start, to, windowsOf, onStep, signal } = of
  mustFitState(start, trainer.layout.size)
  const params = start.params.slice()
  const gradient = new Float32Array(params.length)
  let moments: Moments = { ...start.moments, first: start.moments.first.slice(), second: start.moments.second.slice() }
  for (let step = start.step; step < to; step += 1) {
    signal.throwIfAborted()
    const first = step * terms.accumulate
    const loss = await meanGradient({ trainer, params, first, passes: terms.accumulate, windowsOf, gradient, signal })
    moments = stepAdamW({ terms: terms.adamw, params, gradient, moments })
    onStep?.({ step: step + 1, loss })
  }
  return { step: Math.max(start.step, to), params, moments }
}

/** Averages the gradients of passes at fixed parameters into `gradient`; gives their mean loss, in nats. */
export const meanGradient = async (of: {
  readonly trainer: Trainer
  readonly params: Float32Array
  readonly first: number
  readonly passes: number
  readonly windowsOf: (pass: number) => Windows
  readonly gradient: Float32Array
  readonly signal: AbortSignal
}): Promise<number> => {
  const { trainer, params, first, passes, gradient } = of
  const scratch = passes > 1 ? new Float32Array(params.length) : gradient
  let loss = 0
  for (let pass = 0; pass < passes; pass += 1) {
    of.signal.throwIfAborted()
    const windows = of.windowsOf(first + pass)
    loss += await trainer.gradient({ params, windows, into: pass === 0 ? gradient : scratch })
    if (pass > 0) addTo(gradient, scratch)
  }
  if (passes > 1) divide(gradient, passes)
  return loss / passes
}

const divide = (values: Float32Array, by: number): void => {
  for (let index = 0; index < values.length; index += 1) values[index] = (values[index] as number) / by
}

const addTo = (sum: Float32Array, part: Float32Array): void => {
  for (let index = 0; index < sum.length; index += 1) sum[index] = (sum[index] as number) + (part[index] as number)
}

const mustFitState = ({ params, moments }: LocalState, size: number): void => {
  if (params.length !== size) throw wrongSize('The vector of parameters', params.length, size)
  if (moments.first.length !== size) throw wrongSize('The first moment', moments.first.length, size)
  if (moments.second.length !== size) throw wrongSize('The second moment', moments.second.length, size)
}
