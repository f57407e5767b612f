import type { Training } from '@arbor/engine/train/training'
import type { LocalState, Windows } from '@arbor/engine/train/types'
import type { LocalTerms } from '@arbor/shared/training'
import type { Ss58 } from '@arbor/shared/units'

/** What one miner comes to by itself: the measure of what training together is worth. */
export interface Alone {
  readonly hotkey: Ss58
  /** Local steps that it took, in all. */
  readonly steps: number
  /** Held-out loss after them, in nats a token. */
  readonly loss: number
}

/**
 * Trains a model on one miner's data alone: the same steps on the same windows, one round after another, the optimiser's moments kept.
 * @param of.start parameters that the first round began with
 * @param of.rounds those that led to the newest checkpoint, each by the windows of its passes
 * @throws TRAIN_*, ENGINE_* where the model's process fails
 */
export async function trainAlone(of: {
  readonly hotkey: Ss58
  readonly training: Pick<Training, 'train' | 'measure'>
  readonly terms: LocalTerms
  readonly start: Float32Array
  readonly rounds: readonly ((pass: number) => Windows)[]
  readonly heldOut: readonly Windows[]
  readonly signal: AbortSignal
}): Promise<Alone> {
  const { hotkey, training, terms, rounds, heldOut: windows, signal } = of
  const zeros = (): Float32Array => new Float32Array(of.start.length)
  let state: LocalState = { step: 0, params: of.start, moments: { first: zeros(), second: zeros(), steps: 0 } }
  for (const windowsOf of rounds)
    state = await training.train({ terms, start: { ...state, step: 0 }, to: terms.steps, windowsOf, signal })
  const loss = await training.measure({ shape: terms, params: state.params, windows, signal })
  return { hotkey, steps: terms.steps * rounds.length, loss }
}
