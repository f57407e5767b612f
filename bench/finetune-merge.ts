/**
 * Measures what exchanging progress costs: bytes of an update, CPU time of writing, reading and merging them. A round of ten local steps is trained once on
 * each model that comes with Arbor; each run of each optimiser encodes that progress in a process of its own, arms alternating.
 *   node bench/finetune-merge.ts [--runs 5]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openDataset } from '../engine/src/dataset/open.ts'
import { meanGradient, trainLocally, zeroMoments } from '../engine/src/train/local.ts'
import { openTrainer } from '../engine/src/train/trainer.ts'
import { floatsToBytes } from '../shared/src/floats.ts'
import { FINETUNE_TERMS } from '../subnet-spec/finetune/terms.ts'
import { slotsOf } from '../subnet-spec/finetune/windows.ts'
import { alternate } from './alternate.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } })
const root = fileURLToPath(new URL('..', import.meta.url))
const MODELS = ['arbor-tiny', 'arbor-2m']
const folder = mkdtempSync(join(tmpdir(), 'arbor-merge-'))

/** Trains a round, and keeps the difference of the parameters and the mean gradient. */
const train = async (name: string): Promise<void> => {
  const dataset = await openDataset({ folder: join(root, 'data/arbor-text') })
  const local = { ...FINETUNE_TERMS.local, steps: 10, accumulate: 1 }
  const model = join(root, 'models', name)
  const { batch, length } = local
  const trainer = await openTrainer({ folder: `${model}-train`, model, batch, length, providers: ['cpu'], threads: 1 })
  const slots = slotsOf({ seed: `0x${'05'.repeat(32)}`, tokens: dataset.train.length, length })
  const windowsOf = (pass: number) => ({
    tokens: dataset.train,
    starts: Array.from({ length: batch }, (_, index) => slots.start(pass * batch + index)),
  })
  const { size } = trainer.layout
  const params = trainer.initial()
  const signal = new AbortController().signal
  const start = { step: 0, params, moments: zeroMoments(size) }
  const end = await trainLocally({ trainer, terms: local, start, to: local.steps, windowsOf, signal })
  const gradient = new Float32Array(size)
  await meanGradient({ trainer, params, first: 0, passes: local.steps, windowsOf, gradient, signal })
  await trainer.close()
  const difference = params.map((value, index) => value - (end.params[index] ?? 0))
  writeFileSync(join(folder, `${name}.steps`), floatsToBytes(difference))
  writeFileSync(join(folder, `${name}.gradient`), floatsToBytes(gradient))
}

try {
  for (const name of MODELS) await train(name)
  const arms = ['diloco', 'sparseloco', 'demo'].map((kind) => ({
    name: kind,
    script: 'finetune-merge',
    args: [kind, folder, ...MODELS],
  }))
  writeResult('finetune-merge', alternate({ runs: Number(values.runs), arms }))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
