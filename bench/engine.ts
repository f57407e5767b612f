/**
 * Measures opening a model, and one worker thread against two.
 *   node bench/engine.ts [MODEL] [--jobs 32]
 * What answers and checks cost is measured by bench/inference.ts and bench/verification.ts.
 */
import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { startContained } from '../engine/src/contained/start.ts'
import { findModel } from '../engine/src/find-model.ts'
import { openEngine } from '../engine/src/open.ts'
import type { GenerateRequest } from '../shared/src/inference.ts'
import type { GenerateJob } from './workers/generate.ts'
import { writeResult } from './write.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { jobs: { type: 'string', default: '32' }, repeats: { type: 'string', default: '3' } },
})
const folder = findModel({ model: positionals[0] ?? 'arbor-2m', cwd: process.cwd() })
const jobs = Number(values.jobs)
const TOKENS = 64

const requestOf = (index: number): GenerateRequest => ({
  prompt: 'The borrow checker ensures that references never outlive the data',
  maxTokens: TOKENS,
  temperature: 0.8,
  seed: `0x${createHash('sha256').update(`bench ${index}`).digest('hex')}`,
})

const opening: number[] = []
for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
  const before = process.cpuUsage()
  const engine = await openEngine({ folder })
  const { user, system } = process.cpuUsage(before)
  opening.push((user + system) / 1_000)
  await engine.close()
}

const benchWorkers = async (threads: number) => {
  const contained = startContained<GenerateJob, string>({
    worker: new URL('./workers/generate.ts', import.meta.url),
    workerData: { folder },
    threads,
    maxQueue: jobs,
    log: { info: () => undefined, warn: () => undefined },
    signal: new AbortController().signal,
  })
  const runAll = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => contained.run({ request: requestOf(index) })))
  await runAll(threads) // warm-up: every thread loads the model
  const start = performance.now()
  const answers = await runAll(jobs)
  const seconds = (performance.now() - start) / 1_000
  await contained.close()
  return { rate: jobs / seconds, digest: createHash('sha256').update(answers.join()).digest('hex') }
}

const rates: Record<number, number[]> = { 1: [], 2: [] }
const digests = new Set<string>()
for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
  for (const threads of repeat % 2 === 0 ? [1, 2] : [2, 1]) {
    const { rate, digest } = await benchWorkers(threads)
    rates[threads]?.push(rate)
    digests.add(digest)
  }
}
if (digests.size !== 1) throw new Error('answers differ with the number of workers')

const digits = (list: readonly number[]): readonly number[] => list.map((value) => Number(value.toPrecision(3)))
writeResult('engine', [
  { what: 'open the model', unit: 'CPU ms', runs: { Arbor: digits(opening) } },
  ...[1, 2].map((threads) => ({
    what: `${threads} worker${threads === 1 ? '' : 's'}, answers of ${TOKENS} tokens`,
    unit: 'a second, wall',
    runs: { Arbor: digits(rates[threads] ?? []) },
  })),
])
