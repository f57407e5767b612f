import { fileURLToPath } from 'node:url'
import { openDataset } from '@arbor/engine/dataset/open'
import { trainLocally, zeroMoments } from '@arbor/engine/train/local'
import { openTrainer } from '@arbor/engine/train/trainer'
import { blobName } from '@arbor/shared/blob'
import type { Hex, Uid } from '@arbor/shared/units'
import { drawsFrom } from '@arbor/subnet-spec/finetune/attacks/draws'
import { type MinerState, performRound, type RoundInput } from '@arbor/subnet-spec/finetune/attacks/perform'
import { optimiserOf } from '@arbor/subnet-spec/finetune/optimisers/optimiser-of'
import spec from '@arbor/subnet-spec/finetune/tiny'
import { readUpdate } from '@arbor/subnet-spec/finetune/update'
import { assignedWindows } from '@arbor/subnet-spec/finetune/windows'
import { takeStepsOf } from '@arbor/training/train-to'
import { expect, test } from 'vitest'
import { loadStates, saveState } from '../../src/training/saved.ts'
import { hotkey, netuid } from './harness.ts'

const at = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
const base: Hex = `0x${'33'.repeat(32)}`

test('a miner on the real step graphs makes its model better, and the same bytes again from states that it saved', async () => {
  const terms = spec.training
  if (terms === undefined) throw new Error('the spec trains nothing')
  const { batch, length } = terms.local
  const dataset = await openDataset({ folder: at('data/arbor-text'), id: terms.data, length })
  const folder = at('models/arbor-tiny-train')
  const trainer = await openTrainer({ folder, model: at('models/arbor-tiny'), batch, length })
  const { layout } = trainer
  const optimiser = optimiserOf({ terms: terms.optimiser, layout })
  const windows = (blockHash: Hex) => {
    const tokens = dataset.train
    const starts = assignedWindows({
      ...{ blockHash, netuid, round: 3, tokens: tokens.length },
      uid: 2 as Uid,
      local: terms.local,
    })
    return (pass: number) => ({ tokens, starts: starts(pass) })
  }
  const signal = new AbortController().signal
  const params = trainer.initial()
  const input: RoundInput = {
    ...{ attack: null, terms, optimiser, layout, params, victim: null, last: null },
    about: { netuid, round: 3, hotkey, base },
    kept: { moments: zeroMoments(layout.size), carried: new Float32Array(layout.size) },
    assigned: windows(base),
    others: windows(`0x${'44'.repeat(32)}`),
    train: takeStepsOf({ optimiser, trainer, trainLocally, terms: terms.local, signal }),
    draws: drawsFrom({ seed: base, label: 'test' }),
  }
  const whole = await performRound(input)
  const files = new Map<Hex, Uint8Array>()
  const store = {
    write: (bytes: Uint8Array) => {
      const name = blobName(bytes)
      files.set(name, Uint8Array.from(bytes))
      return name
    },
    read: (name: Hex) => files.get(name) ?? null,
  }
  const saved = whole.states.slice(0, 2).map((state: MinerState) => saveState(store, state))
  const resume = loadStates(store, { states: saved, size: layout.size })
  expect(resume).toHaveLength(2)
  expect((await performRound({ ...input, resume })).file).toEqual(whole.file)

  const expected = { netuid, round: 3, hotkey, base, optimiser: optimiser.kind, size: layout.size }
  const file = whole.file ?? new Uint8Array(0)
  const { vector } = readUpdate({ file, maxBytes: terms.limits.updateBytes, expected, optimiser })
  const own = [0, 1, 2, 3].map((pass) => input.assigned(pass))
  const after = optimiser.merge({ params, outer: new Float32Array(layout.size), updates: [vector] })
  const [was, is] = [
    await trainer.loss({ params, windows: own }),
    await trainer.loss({ params: after.params, windows: own }),
  ]
  expect(is).toBeLessThan(was)
  await trainer.close()
})
