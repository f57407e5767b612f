/**
 * Runs the chaos suite: real validators on a real chain, killed at every write that moves a machine, and through every fault; docs/chaos.md.
 *   node scripts/chaos.ts [--seeds 1-3,5] [--parallel 2] [--folder FOLDER] [--keep]
 * `--folder` keeps each seed's result there, with the folder of a seed that violated something, and runs no seed whose result is there already.
 * Writes bench/results/chaos-seeds.json, bench/results/chaos.json and the results in docs/chaos.md; `--keep` leaves all as they are. Exits with 1 when anything was violated, or
 * when a write was not hit and is not excused by name.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Result } from '../bench/report.ts'
import { machineOf, writeResult } from '../bench/write.ts'
import { withResults } from '../test/chaos/page.ts'
import { SEEDS } from '../test/chaos/plan.ts'
import type { RunReport } from '../test/chaos/run.ts'
import { missedPoints, type Summary, summarise } from '../test/chaos/summary.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: `1-${SEEDS}` },
    parallel: { type: 'string', default: '2' },
    folder: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const waiting = values.seeds.split(',').flatMap((range) => {
  const [from = 1, to = from] = range.split('-').map(Number)
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
})
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'arbor-chaos-'))
mkdirSync(folder, { recursive: true })
const runs: RunReport[] = []
const broken: number[] = []

/** Runs a seed in a process of its own, so that nothing of one is left in the next. */
const runOne = async (seed: number): Promise<void> => {
  const out = join(folder, `${seed}.json`)
  if (existsSync(out)) return void runs.push(JSON.parse(readFileSync(out, 'utf8')) as RunReport)
  const world = join(folder, String(seed))
  const words = [here('../test/chaos/main.ts'), '--seed', String(seed), '--out', out, '--quiet', '--keep', world]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.on('data', (piece) => {
    for (const line of String(piece).split('\n')) if (line.startsWith('VIOLATION')) console.log(`seed ${seed}: ${line}`)
  })
  await once(child, 'close')
  try {
    const run = JSON.parse(readFileSync(out, 'utf8')) as RunReport
    runs.push(run)
    if (run.violations.length === 0) rmSync(world, { recursive: true, force: true })
    const { done, missed } = run.outcomes
    console.log(
      `seed ${seed} (${run.method}): ${run.epochs} epochs in ${run.seconds} s, ${done} of ${done + missed} owed rows set, ${Object.keys(run.kills).length} writes hit, ${run.violations.length} violations`,
    )
  } catch (error) {
    broken.push(seed)
    console.log(`seed ${seed} came to no end: ${String(error)}`)
  }
}

const work = async (): Promise<void> => {
  for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) await runOne(seed)
}
await Promise.all(Array.from({ length: Number(values.parallel) }, work))
if (values.folder === undefined) rmSync(folder, { recursive: true, force: true })
const summary = summarise(
  runs.sort((a, b) => a.seed - b.seed),
  { date: new Date().toISOString().slice(0, 10), machine: machineOf() },
)
const missed = missedPoints(summary)
for (const point of missed) console.log(`not hit and not excused: ${point}`)
if (!values.keep) {
  writeFileSync(here('../bench/results/chaos-seeds.json'), `${JSON.stringify(summary, null, 2)}\n`)
  const page = here('../docs/chaos.md')
  writeFileSync(page, withResults(readFileSync(page, 'utf8'), summary))
  writeResult('chaos', rowsOf(summary))
}
process.exit(missed.length + summary.violations.length + broken.length === 0 ? 0 : 1)

/** The figures that docs/benchmarks.md has. */
function rowsOf({ epochs, outcomes, falseClaims, confirmed, recovery, most, kills }: Summary): Result['rows'] {
  const row = (what: string, unit: string, value: number) => ({ what, unit, runs: { Arbor: [value] } })
  return [
    row('epochs', 'epochs', epochs),
    row(
      'kills at chosen writes',
      'kills',
      Object.values(kills).reduce((sum, n) => sum + n, 0),
    ),
    row('epochs in which a validator owed weights', 'epochs', outcomes.done + outcomes.missed),
    row('of these without any', 'epochs', outcomes.missed),
    row('rows called confirmed', 'rows', confirmed),
    row('of these not held by the chain', 'rows', falseClaims),
    row('process start after a kill to the first step of a loop, median', 'ms', recovery.p50),
    row('the same, 95th percentile', 'ms', recovery.p95),
    row('the same, longest', 'ms', recovery.most),
    row('most memory of a validator', 'MB', most.rssMb),
    row('most sockets of a validator', 'sockets', most.sockets),
  ]
}
