import { fileURLToPath } from 'node:url'
import { openDataset } from '@arbor/engine/dataset/open'
import { zeroMoments } from '@arbor/engine/train/local'
import { openTraining } from '@arbor/engine/train/training'
import type { Windows } from '@arbor/engine/train/types'
import type { Ss58 } from '@arbor/shared/units'
import { TINY_TERMS } from '@arbor/subnet-spec/finetune/terms'
import { expect, test } from 'vitest'
import { trainAlone } from '../src/up/training/alone.ts'

const folder = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

test('one miner alone takes all its rounds as one run of steps, and the model gets better by them', async () => {
  const stop = new AbortController()
  const { train: tokens } = await openDataset({ folder: folder('data/arbor-text') })
  const terms = { ...TINY_TERMS.local, steps: 2 }
  const { batch, length, accumulate } = terms
  const windows = (first: number): Windows => ({
    tokens,
    starts: Array.from({ length: batch }, (_, i) => (first * batch + i) * length),
  })
  const signal = stop.signal
  const log = { info: () => undefined, warn: () => undefined }
  const training = await openTraining({
    folder: folder('models/arbor-tiny-train'),
    model: folder('models/arbor-tiny'),
    log,
    signal,
  })
  try {
    const start = await training.initial(signal)
    const rounds = [0, 1].map((round) => (pass: number) => windows(round * 2 * accumulate + pass))
    const heldOut = [windows(0), windows(1)]
    const alone = await trainAlone({ hotkey: '5M' as Ss58, training, terms, start, rounds, heldOut, signal })
    const whole = await training.train({
      terms: { ...terms, steps: 4 },
      start: { step: 0, params: start, moments: zeroMoments(start.length) },
      to: 4,
      windowsOf: windows,
      signal,
    })
    const loss = (params: Float32Array) => training.measure({ shape: terms, params, windows: heldOut, signal })
    expect(alone).toEqual({ hotkey: '5M', steps: 4, loss: await loss(whole.params) })
    expect(alone.loss).toBeLessThan(await loss(start))
  } finally {
    await training.close()
  }
}, 60_000)
