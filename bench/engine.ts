/**
 * Measures one model: tokens a CPU second, verifying against generating, and one worker against two.
 *   node bench/engine.ts [MODEL_FOLDER] [--tokens 32,64,128] [--repeats 5]
 * Prints a table, then one line of JSON. CPU times are this process's, on an otherwise idle engine of one thread.
 */
import { createHash } from 'node:crypto'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Thresholds } from '../engine/src/card.ts'
import { startContained } from '../engine/src/contained/start.ts'
import { readModelFolder } from '../engine/src/folder.ts'
import { openEngine } from '../engine/src/open.ts'
import type { GenerateRequest, PrecisionProfile } from '../shared/src/inference.ts'
import { median } from '../shared/src/math.ts'
import type { GenerateJob } from './workers/generate.ts'

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

const unlimited = (profile: PrecisionProfile): Thresholds => ({
  profile,
  exponentMismatches: Number.POSITIVE_INFINITY,
  mantissaError: Number.POSITIVE_INFINITY,
  marginMean: Number.POSITIVE_INFINITY,
  marginMax: Number.POSITIVE_INFINITY,
})

const benchCosts = async () => {
  // A card without limits, such as the int8 copy's, is timed with limits that refuse nothing.
  const { card } = await readModelFolder({ folder })
  const thresholds = card.thresholds.length === 0 ? { thresholds: unlimited(card.profile) } : {}
  const loading = await timed(() => openEngine({ folder, ...thresholds }))
  const engine = loading.value
  await engine.check(requestOf(16, -1), await engine.generate(requestOf(16, -1))) // warm-up
  const rows = []
  for (const maxTokens of values.tokens.split(',').map(Number)) {
    const generated: number[] = []
    const checked: number[] = []
    let tokens = 0
    for (let index = 0; index < repeats; index++) {
      const request = requestOf(maxTokens, index)
      const answer = await timed(() => engine.generate(request))
      const check = await timed(() => engine.check(request, answer.value))
      if (check.value.reason !== 'ok') throw new Error(`an honest answer was refused: ${JSON.stringify(check.value)}`)
      tokens += answer.value.tokens.length
      generated.push(answer.cpuMs)
      checked.push(check.cpuMs)
    }
    const total = generated.reduce((sum, ms) => sum + ms, 0)
    rows.push({
      maxTokens,
      tokensPerCpuSecond: Math.round((tokens / total) * 1000),
      generateMs: median(generated),
      checkMs: median(checked),
      checkOverGenerate: median(checked) / median(generated),
    })
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

console.log(
  `${costs.model.name} ${costs.model.hash}\n${cpus()[0]?.model}, Node ${process.version}, load ${costs.loadCpuMs.toFixed(0)} CPU ms\n`,
)
console.log(
  '| tokens | tokens a CPU second | generate, CPU ms | check, CPU ms | check ÷ generate |\n|---|---|---|---|---|',
)
for (const row of costs.rows) {
  const { maxTokens, tokensPerCpuSecond, generateMs, checkMs, checkOverGenerate } = row
  console.log(
    `| ${maxTokens} | ${tokensPerCpuSecond} | ${generateMs.toFixed(1)} | ${checkMs.toFixed(1)} | ${checkOverGenerate.toFixed(2)} |`,
  )
}
console.log('\n| workers | answers of 64 tokens a second (wall) |\n|---|---|')
for (const { threads, answersPerSecond } of workers) console.log(`| ${threads} | ${answersPerSecond.toFixed(1)} |`)
console.log(`\n${JSON.stringify({ ...costs, workers })}`)
