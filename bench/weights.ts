/**
 * Measures the benchmarks of our pallets in V8 and writes their weights.
 *   chain/build-runtime.sh --benchmarks FOLDER
 *   node bench/weights.ts --blob FOLDER/arbor_runtime.wasm [--pallet pallet_subtensor] [--only NAME] [--missing]
 * --only measures the benchmarks whose name contains NAME, --missing those without a result; the others keep what
 * bench/results/weights.json has of them.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildGenesis } from '../chain/src/embedded/genesis.ts'
import { createExecutor } from '../chain/src/embedded/runtime/executor.ts'
import { median } from '../shared/src/math.ts'
import { type Benchmark, readMetadata, readSamples, type Sample, writeConfig } from './weights/api.ts'
import { createBenchDatabase } from './weights/database.ts'
import { type Fit, fit, type Point } from './weights/fit.ts'
import { benchmarkFunctions } from './weights/host.ts'
import { type Measured, renderWeights } from './weights/render.ts'

/** Where the weights of each pallet go. */
const FILES: Readonly<Record<string, string>> = {
  pallet_subtensor: 'chain/pallets/subtensor/src/weight_info.rs',
  pallet_admin_utils: 'chain/pallets/admin-utils/src/weight_info.rs',
  pallet_commitments: 'chain/pallets/commitments/src/weight_info.rs',
  pallet_drand: 'chain/pallets/drand/src/weight_info.rs',
}
/** Sizes of each component. */
const STEPS = 6
/** Executions at each size, after one that warms V8 up; their median counts. */
const EXECUTIONS = 6

const { values } = parseArgs({
  options: {
    blob: { type: 'string' },
    pallet: { type: 'string' },
    only: { type: 'string' },
    missing: { type: 'boolean', default: false },
  },
})
if (values.blob === undefined) {
  console.error('usage: node bench/weights.ts --blob FILE [--pallet CRATE] [--only NAME] [--missing]')
  process.exit(64)
}

const cell = new Int32Array(new SharedArrayBuffer(4))
/** CPU nanoseconds of this thread. The kernel counts them up when the thread rests, so it rests for a moment. */
const cpuNs = (): bigint => {
  Atomics.wait(cell, 0, 0, 0.001)
  const { user, system } = process.threadCpuUsage()
  return BigInt(Math.round((user + system) * 1_000))
}
let last = { cpu: cpuNs(), wall: process.hrtime.bigint(), now: 0n }
/**
 * Counts up by CPU time or by the clock, whichever went on less since the last reading: the clock is exact where nobody
 * else ran meanwhile, CPU time where somebody did.
 */
const nowNs = (): bigint => {
  const end = process.hrtime.bigint()
  const cpu = cpuNs()
  const byCpu = cpu - last.cpu
  const byWall = end - last.wall
  last = { cpu, now: last.now + (byCpu > 0n && byCpu < byWall ? byCpu : byWall), wall: process.hrtime.bigint() }
  return last.now
}

const wasm = new Uint8Array(readFileSync(values.blob))
const genesis = buildGenesis({ executor: await createExecutor({ wasm }), wasm, preset: 'development' })
const database = createBenchDatabase(genesis.trie)
const executor = await createExecutor({
  wasm,
  moreFunctions: benchmarkFunctions(database, nowNs),
  onLog: ({ message }) => console.error(message),
})

/** Sizes at which a benchmark runs: each component swept with the others at their largest. */
const sizesOf = ({ components }: Benchmark): readonly Readonly<Record<string, number>>[] => {
  const largest = Object.fromEntries(components.map(({ name, high }) => [name, high]))
  if (components.length === 0) return [largest]
  return components.flatMap(({ name, low, high }) => {
    const steps = Math.min(STEPS, high - low + 1)
    return Array.from({ length: steps }, (_, step) => ({
      ...largest,
      [name]: Math.round(low + ((high - low) * step) / Math.max(1, steps - 1)),
    }))
  })
}

const run = (benchmark: Benchmark, sizes: Readonly<Record<string, number>>, verify: boolean): readonly Sample[] => {
  database.wipe()
  const config = writeConfig(benchmark, sizes, { repeats: 1, verify })
  return readSamples(executor.call('Benchmark_dispatch_benchmark', config, database.overlay))
}

const measure = (benchmark: Benchmark): Measured => {
  const sizes = sizesOf(benchmark)
  const found = sizes.map((at) => {
    run(benchmark, at, true)
    return { at, samples: Array.from({ length: EXECUTIONS }, () => run(benchmark, at, false)).flat() }
  })
  const names = benchmark.components.map(({ name }) => name)
  const fitOf = (value: (samples: readonly Sample[]) => number): Fit => {
    const points: readonly Point[] = found.map(({ at, samples }) => ({ sizes: at, value: value(samples) }))
    return fit(points, names)
  }
  const largest = found.at(-1)?.samples.map(({ ns }) => ns / 1_000) ?? []
  return {
    name: benchmark.name,
    components: benchmark.components,
    time: fitOf((samples) => median(samples.map(({ ns }) => ns))),
    reads: fitOf((samples) => Math.max(...samples.map(({ reads }) => reads))),
    writes: fitOf((samples) => Math.max(...samples.map(({ writes }) => writes))),
    spreadUs: [Math.min(...largest), Math.max(...largest)],
  }
}

const show = ({ base, slopes }: Fit, digits: number): string =>
  [base.toFixed(digits), ...Object.entries(slopes).map(([name, slope]) => `${slope.toFixed(digits + 2)} ${name}`)].join(
    ' + ',
  )

const all = readMetadata(executor.call('Benchmark_benchmark_metadata', Uint8Array.of(0)))
const origin = {
  machine: cpus()[0]?.model.trim() ?? 'unknown CPU',
  date: new Date().toISOString().slice(0, 10),
  node: process.versions.node,
  blob: createHash('sha256').update(wasm).digest('hex').slice(0, 16),
  executions: EXECUTIONS,
}
const results = fileURLToPath(new URL('./results/weights.json', import.meta.url))
/** What every benchmark came to, by pallet and name. */
const kept: Record<string, Record<string, Measured>> = existsSync(results)
  ? JSON.parse(readFileSync(results, 'utf8'))
  : {}
for (const [pallet, file] of Object.entries(FILES)) {
  if (values.pallet !== undefined && values.pallet !== pallet) continue
  const there = all.filter(({ pallet: of }) => of === pallet)
  const before = kept[pallet] ?? {}
  // What the runtime has no more is dropped.
  const present: Record<string, Measured> = Object.fromEntries(
    there.flatMap(({ name }) => (before[name] === undefined ? [] : [[name, before[name]]])),
  )
  kept[pallet] = present
  const chosen = there.filter(({ name }) => name.includes(values.only ?? '') && !(values.missing && name in present))
  for (const benchmark of chosen) {
    const found = measure(benchmark)
    const { name, time, reads, writes } = found
    console.log(`${pallet} ${name}: ${show(time, 0)} ns; reads ${show(reads, 0)}; writes ${show(writes, 0)}`)
    present[name] = found
    writeFileSync(results, `${JSON.stringify(kept, null, 2)}\n`)
  }
  if (there.length === 0) continue
  const rust = renderWeights(pallet, Object.values(present), origin)
  writeFileSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), rust)
}
