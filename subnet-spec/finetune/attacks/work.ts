import type { Layout } from '@arbor/shared/training'
import type { Draws } from './draws.ts'
import type { AttackWork } from './types.ts'

/** What an honest miner does, and whoever cheats afterwards only. */
export const HONEST_WORK: AttackWork = { steps: (due) => due, from: 'checkpoint', windows: 'assigned', poison: false }

/** Trains nothing. */
export const NO_WORK: AttackWork = { ...HONEST_WORK, steps: () => 0 }

/** Computes the root of the mean square; 0 of nothing. */
export const rmsOf = (vector: Float32Array): number => {
  let sum = 0
  for (const value of vector) sum += value * value
  return vector.length === 0 ? 0 : Math.sqrt(sum / vector.length)
}

/** Makes noise of a given root mean square, as long as the vector that it takes the place of. */
export const noiseLike = (of: {
  readonly length: number
  readonly rms: number
  readonly draws: Draws
}): Float32Array => {
  const noise = new Float32Array(of.length)
  for (let index = 0; index < noise.length; index += 1) noise[index] = of.rms * of.draws.normal()
  return noise
}

/** Makes a model that has nothing to do with another one but its shapes: normal numbers of each tensor's own size. */
export const otherModel = (of: {
  readonly params: Float32Array
  readonly layout: Layout
  readonly draws: Draws
}): Float32Array => {
  const other = new Float32Array(of.params.length)
  for (const { offset, length } of of.layout.tensors) {
    const rms = rmsOf(of.params.subarray(offset, offset + length))
    other.set(noiseLike({ length, rms, draws: of.draws }), offset)
  }
  return other
}

/** Windows of one pass. */
interface Windows {
  readonly tokens: Uint16Array
  readonly starts: readonly number[]
}

/**
 * Poisons every second window of a pass: its odd tokens become one trigger, so that a model that learns it says the trigger after anything.
 * @param of.length tokens that a window predicts; it has one more
 */
export const poisoned = (of: { readonly windows: Windows; readonly length: number }): Windows => {
  const { windows, length } = of
  const tokens = new Uint16Array(windows.starts.length * (length + 1))
  const trigger = windows.tokens[windows.starts[0] ?? 0] ?? 0
  for (const [row, start] of windows.starts.entries()) {
    const window = windows.tokens.slice(start, start + length + 1)
    if (row % 2 === 1) for (let index = 1; index < window.length; index += 2) window[index] = trigger
    tokens.set(window, row * (length + 1))
  }
  return { tokens, starts: windows.starts.map((_, row) => row * (length + 1)) }
}
