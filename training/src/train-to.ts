import type { Training } from '@arbor/engine/train/training'
import type { LocalState, Trainer, TrainLocally, Windows } from '@arbor/engine/train/types'
import type { LocalTerms } from '@arbor/shared/training'
import type { Optimiser } from '@arbor/subnet-spec/finetune/types'

/** Takes a miner's steps up to one of them; the mean loss of those steps is in nats a token. */
export type TakeSteps = (of: {
  readonly start: LocalState
  readonly to: number
  readonly windowsOf: (pass: number) => Windows
}) => Promise<{ readonly state: LocalState; readonly loss: number }>

interface StepsOf {
  readonly optimiser: Pick<Optimiser, 'local'>
  readonly terms: LocalTerms
  readonly onStep?: (at: { readonly step: number; readonly loss: number }) => void
  readonly signal: AbortSignal
}

/**
 * Makes what takes steps as an optimiser wants them, for miners and for whoever replays them: AdamW on the parameters, or gradients that
 * are summed up in the first moment while the parameters stay.
 */
export const takeStepsOf = (
  of: StepsOf & { readonly trainer: Trainer; readonly trainLocally: TrainLocally },
): TakeSteps => {
  const { trainer, terms, signal, trainLocally } = of
  const into = new Float32Array(trainer.layout.size)
  return stepsWith(of, {
    adamw: (run) => trainLocally({ ...run, trainer, terms, signal }),
    gradient: async ({ params, windows }) => ({
      gradient: into,
      loss: await trainer.gradient({ params, windows: windows(), into }),
    }),
  })
}

/** Makes the same on step graphs in a process of their own. */
export const takeStepsIn = (of: StepsOf & { readonly training: Pick<Training, 'train' | 'gradient'> }): TakeSteps => {
  const { training, terms, signal } = of
  return stepsWith(of, {
    adamw: (run) => training.train({ ...run, terms, signal }),
    gradient: ({ params, windows }) =>
      training.gradient({ shape: terms, params, first: 0, passes: 1, windowsOf: windows, signal }),
  })
}

type Run = Parameters<TakeSteps>[0] & {
  readonly onStep: (at: { readonly step: number; readonly loss: number }) => void
}

/** The two things that graphs do for it. */
interface Ways {
  readonly adamw: (run: Run) => Promise<LocalState>
  readonly gradient: (of: {
    readonly params: Float32Array
    readonly windows: () => Windows
  }) => Promise<{ readonly gradient: Float32Array; readonly loss: number }>
}

const stepsWith = (of: StepsOf, ways: Ways): TakeSteps => {
  const take = of.optimiser.local === 'gradient' ? (run: Run) => sumGradients(of, ways, run) : ways.adamw
  return async (asked) => {
    let sum = 0
    let steps = 0
    const onStep = (at: { readonly step: number; readonly loss: number }): void => {
      sum += at.loss
      steps += 1
      of.onStep?.(at)
    }
    const state = await take({ ...asked, onStep })
    return { state, loss: sum / steps }
  }
}

/** Adds the gradients of steps `start.step` to `to` to the first moment, in order of passes. */
const sumGradients = async (
  { terms, signal }: StepsOf,
  { gradient }: Ways,
  { start, to, windowsOf, onStep }: Run,
): Promise<LocalState> => {
  const first = Float32Array.from(start.moments.first)
  for (let step = start.step; step < to; step += 1) {
    let loss = 0
    for (let pass = step * terms.accumulate; pass < (step + 1) * terms.accumulate; pass += 1) {
      signal.throwIfAborted()
      const found = await gradient({ params: start.params, windows: () => windowsOf(pass) })
      loss += found.loss
      for (let index = 0; index < first.length; index += 1)
        first[index] = (first[index] ?? 0) + (found.gradient[index] ?? 0)
    }
    onStep({ step: step + 1, loss: loss / terms.accumulate })
  }
  const moments = { first, second: start.moments.second, steps: start.moments.steps + to - start.step }
  return { step: to, params: start.params, moments }
}
