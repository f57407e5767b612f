import { trainLocally } from '@arbor/engine/train/local'
import type { LocalState, Trainer, Windows } from '@arbor/engine/train/types'
import { ADAMW } from '@arbor/subnet-spec/finetune/terms'
import { describe, expect, test } from 'vitest'
import { takeStepsIn, takeStepsOf } from '../src/train-to.ts'

const terms = { steps: 4, batch: 1, length: 2, accumulate: 2, adamw: ADAMW }
const { signal } = new AbortController()
const windowsOf = (pass: number): Windows => ({ tokens: Uint16Array.of(pass, pass + 1, pass + 2), starts: [0] })

/** A loss of half the squared distance to the first token of its window. */
const trainer: Trainer = {
  layout: { tensors: [{ name: 'w', shape: [3], offset: 0, length: 3 }], size: 3 },
  provider: 'cpu',
  initial: () => new Float32Array(3),
  gradient: async ({ params, windows, into }) => {
    for (const [index, value] of params.entries()) into[index] = value - (windows.tokens[0] ?? 0)
    return windows.tokens[0] ?? 0
  },
  loss: async () => 0,
  close: async () => undefined,
}
/** What a process with the same graphs does. */
const training = {
  train: (of: Omit<Parameters<typeof trainLocally>[0], 'trainer'>) => trainLocally({ ...of, trainer }),
  gradient: async (of: {
    readonly params: Float32Array
    readonly first: number
    readonly windowsOf: (pass: number) => Windows
  }) => {
    const gradient = new Float32Array(3)
    return { loss: await trainer.gradient({ ...of, windows: of.windowsOf(of.first), into: gradient }), gradient }
  },
}
const start: LocalState = {
  step: 0,
  params: Float32Array.of(1, 2, 3),
  moments: { first: new Float32Array(3), second: new Float32Array(3), steps: 5 },
}

describe('local steps', () => {
  test('sum up gradients in order of passes, and leave the parameters, when the optimiser wants gradients', async () => {
    const optimiser = { local: 'gradient' } as const
    const told: unknown[] = []
    const take = takeStepsOf({ optimiser, trainer, trainLocally, terms, signal, onStep: (at) => told.push(at) })
    const middle = await take({ start, to: 1, windowsOf })
    const { state, loss } = await take({ start: middle.state, to: 3, windowsOf })
    expect(state).toEqual({
      step: 3,
      params: start.params,
      moments: { first: Float32Array.of(6 - 15, 12 - 15, 18 - 15), second: new Float32Array(3), steps: 8 },
    })
    expect(loss).toBe((2.5 + 4.5) / 2)
    expect(told).toEqual([
      { step: 1, loss: 0.5 },
      { step: 2, loss: 2.5 },
      { step: 3, loss: 4.5 },
    ])
  })

  test('are those of AdamW when it wants steps', async () => {
    const optimiser = { local: 'steps' } as const
    const { state } = await takeStepsOf({ optimiser, trainer, trainLocally, terms, signal })({
      start,
      to: 4,
      windowsOf,
    })
    expect(state).toEqual(await trainLocally({ trainer, terms, start, to: 4, windowsOf, signal }))
  })

  test('are the same in a process of their own', async () => {
    for (const local of ['steps', 'gradient'] as const) {
      const here = takeStepsOf({ optimiser: { local }, trainer, trainLocally, terms, signal })
      const there = takeStepsIn({ optimiser: { local }, training, terms, signal })
      expect(await there({ start, to: 4, windowsOf })).toEqual(await here({ start, to: 4, windowsOf }))
    }
  })

  test('stop when they are told to', async () => {
    const stop = new AbortController()
    const take = takeStepsOf({ optimiser: { local: 'gradient' }, trainer, trainLocally, terms, signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(take({ start, to: 4, windowsOf })).rejects.toThrow('enough')
  })
})
