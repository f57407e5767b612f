// One arm of bench/finetune-merge.ts: an optimiser on the progress of each model.
//   node bench/workers/finetune-merge.ts KIND FOLDER MODEL…
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bytesToFloats } from '../../shared/src/floats.ts'
import { checkpointName } from '../../subnet-spec/finetune/checkpoint.ts'
import { optimiserOf } from '../../subnet-spec/finetune/optimisers/optimiser-of.ts'
import type { OptimiserTerms } from '../../subnet-spec/finetune/types.ts'
import { UPDATE_HEAD_BYTES } from '../../subnet-spec/finetune/update.ts'
import type { Measured } from './chain-measure.ts'

/** Steps of a round, updates of a merge, entries that are kept of how many. */
const [STEPS, UPDATES, K, CHUNK] = [10, 8, 64, 4096]
/** Each action runs so often before it is measured, and is measured so often: the mean counts. */
const [WARM, TIMES] = [1, 3]
const outer = { learningRate: 0.9, momentum: 0.5 }
const all: Readonly<Record<string, OptimiserTerms>> = {
  diloco: { kind: 'diloco', outer },
  sparseloco: { kind: 'sparseloco', outer, chunk: CHUNK, k: K, feedback: 0.95 },
  demo: { kind: 'demo', learningRate: 1e-3, decay: 0.999, chunk: CHUNK, k: K },
}
const [kind = '', folder = '', ...models] = process.argv.slice(2)
const terms = all[kind]
if (terms === undefined) throw new Error(`no optimiser ${kind}`)

const cpuMs = (action: () => unknown): number => {
  for (let time = 0; time < WARM; time += 1) action()
  const before = process.cpuUsage()
  for (let time = 0; time < TIMES; time += 1) action()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000 / TIMES
}

const measure = (model: string): readonly Measured[] => {
  const file = join(folder, `${model}.${kind === 'demo' ? 'gradient' : 'steps'}`)
  const progress = bytesToFloats(readFileSync(file))
  const size = progress.length
  const optimiser = optimiserOf({ terms, layout: { tensors: [], size } })
  const zeros = new Float32Array(size)
  const first = optimiser.encode({ progress, carried: zeros })
  // The second round's, with what the first one left.
  const { payload } = optimiser.encode({ progress, carried: first.carried })
  const update = optimiser.decode(payload)
  const updates = Array.from({ length: UPDATES }, (_, index) => update.map((value) => value * (1 + index)))
  const model1 = { round: 1, spec: { name: 'finetune', version: 1 }, params: progress, outer: zeros }
  const bytes = UPDATE_HEAD_BYTES + payload.length
  const of = (what: string, unit: string, value: number): Measured => ({ what: `${model}: ${what}`, unit, value })
  return [
    of('parameters', '', size),
    of('update', 'bytes', bytes),
    of('fp32 gradients of ten steps ÷ update', '×', (4 * size * STEPS) / bytes),
    ...(kind === 'diloco'
      ? []
      : [of('an entry that is kept', 'bits', (8 * payload.length) / Math.ceil((size * K) / CHUNK))]),
    of(
      'encode',
      'CPU ms',
      cpuMs(() => optimiser.encode({ progress, carried: first.carried })),
    ),
    of(
      'decode',
      'CPU ms',
      cpuMs(() => optimiser.decode(payload)),
    ),
    of(
      'merge 8 updates',
      'CPU ms',
      cpuMs(() => optimiser.merge({ params: progress, outer: zeros, updates })),
    ),
    of(
      'name a checkpoint',
      'CPU ms',
      cpuMs(() => checkpointName(model1)),
    ),
  ]
}

console.log(JSON.stringify(models.flatMap(measure)))
