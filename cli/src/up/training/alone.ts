import type { LocalState } from '@arbor/engine/train/types'
import type { Ss58 } from '@arbor/shared/units'
import type { Batch, TrainingEngine } from '@arbor/validator/training/engine'

/** What one miner comes to by itself: the measure of what training together is worth. */
export interface Alone {
  readonly hotkey: Ss58
  /** Local steps that it took, in all. */
  readonly steps: number
  /** Held-out loss after them, in nats a token. */
  readonly loss: number
}

/**
 * Trains a model by one miner's data alone: the same steps on the same windows, one round after another, its optimiser's moments kept.
 * @param of.rounds those that led to the newest checkpoint; windows of each pass, by where they start in the training stream
 * @param of.steps of a round
 * @throws ENGINE_* where the model's process fails
 */
export async function trainAlone(of: {
  readonly hotkey: Ss58
  readonly engine: Pick<TrainingEngine, 'losses' | 'train'>
  /** Parameters that the first round began with. */
  readonly start: Float32Array
  readonly rounds: readonly { readonly startsOf: (pass: number) => readonly number[] }[]
  readonly steps: number
  readonly heldOut: readonly Batch[]
  readonly signal: AbortSignal
}): Promise<Alone> {
  const { hotkey, engine, rounds, steps, heldOut, signal } = of
  const zeros = (): Float32Array => new Float32Array(of.start.length)
  let state: LocalState = { step: 0, params: of.start, moments: { first: zeros(), second: zeros(), steps: 0 } }
  for (const { startsOf } of rounds)
    state = await engine.train({ start: { ...state, step: 0 }, to: steps, startsOf }, signal)
  const losses = await engine.losses({ params: state.params, batches: heldOut }, signal)
  const loss = losses.reduce((sum, each) => sum + each, 0) / losses.length
  return { hotkey, steps: steps * rounds.length, loss }
}
