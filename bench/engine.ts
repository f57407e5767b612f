/**
 * Measures one model: tokens a CPU second, verifying against generating, and one worker against two.
 *   node bench/engine.ts [MODEL_FOLDER] [--tokens 32,64,128] [--repeats 5]
 * Writes bench/results/engine.json and prints a table. CPU times are this process's, on an otherwise idle engine of one thread.
 */
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { floorThresholds } from '../engine/src/calibrate/floors.ts'
import { startContained } from '../engine/src/contained/start.ts'
import { readModelFolder } from '../engine/src/folder.ts'
import { openEngine } from '../engine/src/open.ts'
import type { GenerateRequest } from '../shared/src/inference.ts'
import type { GenerateJob } from './workers/generate.ts'
import { writeResult } from './write.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tokens: { type: 'string', default: '32,64,128' }, repeats: { type: 'string', default: '5' } },
})
const folder = positionals[0] ?? fileURLToPath(new URL('../models/arbor-2m', import.meta.url))
const repeats = Number(values.repeats)

const requestOf = (maxTokens: number, index: number): GenerateRequest => ({
  prompt: 'The borrow checker ensures that references never outlive the data',
  maxTokens,
  temperature: 0.8,
  seed: `0x${createHash('sha256').update(`bench ${index}`).digest('hex')}`,
})

/** Runs an action and returns its result and the CPU milliseconds it took. */
const timed = async <T>(action: () => Promise<T>): Promise<{ value: T; cpuMs: number }> => {
  const before = process.cpuUsage()
  const value = await action()
  const { user, system } = process.cpuUsage(before)
  return { value, cpuMs: (user + system) / 1000 }
}

const benchCosts = async () => {
  // A card without limits, such as the int8 copy's, is timed with the limits that calibration starts from.
  const { card } = await readModelFolder({ folder })
  const thresholds =
    card.thresholds.length === 0 ? { thresholds: floorThresholds({ profile: card.profile, provider: 'cpu' }) } : {}
  const loading = await timed(() => openEngine({ folder, ...thresholds }))
  const engine = loading.value
  await engine.check(requestOf(16, -1), await engine.generate(requestOf(16, -1))) // warm-up
  const rows = []
  for (const maxTokens of values.tokens.split(',').map(Number)) {
    const generated: number[] = []
    const checked: number[] = []
    const rates: number[] = []
    for (let index = 0; index < repeats; index++) {
      const request = requestOf(maxTokens, index)
      const answer = await timed(() => engine.generate(request))
      const check = await timed(() => engine.check(request, answer.value))
      if (check.value.reason !== 'ok') throw new Error(`an honest answer was refused: ${JSON.stringify(check.value)}`)
      rates.push((answer.value.tokens.length / answer.cpuMs) * 1_000)
      generated.push(answer.cpuMs)
      checked.push(check.cpuMs)
    }
    rows.push({ maxTokens, rates, generated, checked })
  }
  await engine.close()
  return { model: engine.model, loadCpuMs: loading.cpuMs, rows }
}

const benchWorkers = async (threads: number) => {
  const jobs = 16
  const contained = startContained<GenerateJob, string>({
    worker: new URL('./workers/generate.ts', import.meta.url),
    workerData: { folder },
    threads,
    maxQueue: jobs,
    log: { info: () => undefined, warn: () => undefined },
    signal: new AbortController().signal,
  })
  const runAll = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => contained.run({ request: requestOf(64, index) })))
  await runAll(threads) // warm-up: every thread loads the model
  const start = performance.now()
  const answers = await runAll(jobs)
  const seconds = (performance.now() - start) / 1000
  await contained.close()
  return {
    threads,
    answersPerSecond: jobs / seconds,
    digest: createHash('sha256').update(answers.join()).digest('hex'),
  }
}

const costs = await benchCosts()
const workers = [await benchWorkers(1), await benchWorkers(2)]
if (new Set(workers.map((each) => each.digest)).size !== 1) throw new Error('answers differ with the number of workers')

const digits = (values: readonly number[]): readonly number[] => values.map((value) => Number(value.toPrecision(3)))
const of = (what: string, unit: string, values: readonly number[]) => ({ what, unit, runs: { Arbor: digits(values) } })

writeResult('engine', [
  of('open the model', 'CPU ms', [costs.loadCpuMs]),
  ...costs.rows.flatMap(({ maxTokens, rates, generated, checked }) => [
    of(`generate ${maxTokens} tokens`, 'tokens a CPU second', rates),
    of(`generate ${maxTokens} tokens`, 'CPU ms', generated),
    of(`check ${maxTokens} tokens`, 'CPU ms', checked),
    of(
      `check ÷ generate, ${maxTokens} tokens`,
      'ratio',
      checked.map((ms, i) => ms / (generated[i] ?? ms)),
    ),
  ]),
  ...workers.map(({ threads, answersPerSecond }) =>
    of(`${threads} worker${threads === 1 ? '' : 's'}, answers of 64 tokens`, 'a second, wall', [answersPerSecond]),
  ),
])
