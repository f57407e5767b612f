/**
 * Measures what a long history costs: each arm makes empty blocks into a database, then a new process opens it.
 *   npm ci --prefix bench && node bench/history.ts [--blocks 2000] [--arms Arbor,Chopsticks]
 * 100 000 blocks take Arbor six minutes; Chopsticks stops by itself, after about half an hour, where a second look at its
 * limit says. Arms that are not run keep their last result.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Result } from './report.ts'
import { genesisSpec } from './workers/chain-spec.ts'
import type { Depth, Made, Opened } from './workers/history-report.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({
  options: { blocks: { type: 'string', default: '2000' }, arms: { type: 'string', default: 'Arbor,Chopsticks' } },
})
const ALL = ['Arbor', 'Chopsticks'] as const
type Arm = (typeof ALL)[number]
const arms = ALL.filter((arm) => values.arms.split(',').includes(arm))
const OPENINGS = 3
/** Blocks at which the table shows cost and memory. */
const POINTS = [500, 1_000, 2_000, 3_500, 5_000, 6_500, 10_000, 25_000, 50_000, 75_000, 100_000]

const folder = mkdtempSync(join(tmpdir(), 'bench-history-'))
const spec = join(folder, 'genesis.json')

/** Runs a worker and reads the last line that it prints. */
function run<T>(arm: Arm, phase: 'make' | 'open' | 'depth'): T {
  const script = fileURLToPath(new URL(`./workers/history-${arm.toLowerCase()}.ts`, import.meta.url))
  const { stdout, status, signal } = spawnSync(
    process.execPath,
    ['--expose-gc', script, phase, spec, folder, values.blocks],
    { encoding: 'utf8', env: { ...process.env, LOG_LEVEL: 'error' }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const line = stdout.trim().split('\n').at(-1) ?? ''
  if (line === '') throw new Error(`${arm} ended without a result (status ${status}, signal ${signal})`)
  return JSON.parse(line) as T
}

type Row = Result['rows'][number]
const rows = new Map<string, { what: string; unit: string; runs: Record<string, number[]> }>()
const notes: string[] = []
const add = (arm: Arm, what: string, unit: string, ...found: readonly number[]): void => {
  const row = rows.get(what + unit) ?? { what, unit, runs: {} }
  rows.set(what + unit, row)
  row.runs[arm] = found.map((value) => Number(value.toPrecision(4)))
}

/** The rows in the order that they are read in, whoever was measured first. */
const ORDER = ['blocks made', 'empty block', 'resident memory', 'heap', 'database', 'history']
const inOrder = (all: Iterable<Row>): Row[] => {
  const rank = ({ what }: Row): number => ORDER.findIndex((name) => what.startsWith(name))
  const height = ({ what }: Row): number => Number(/[\d ]+(?=$| blocks)/.exec(what)?.[0].replaceAll(' ', '') ?? 0)
  return [...all].sort((a, b) => rank(a) - rank(b) || height(a) - height(b) || (a.unit < b.unit ? -1 : 1))
}
const grouped = (value: number): string => value.toString().replace(/\B(?=(\d{3})+$)/g, ' ')

function measure(arm: Arm): void {
  const made = run<Made>(arm, 'make')
  add(arm, 'blocks made', 'blocks', made.blocks)
  for (const point of POINTS) {
    const window = made.windows.find(({ upTo }) => upTo === point)
    if (window === undefined) continue
    add(arm, `empty block, the 500 up to ${grouped(point)}`, 'CPU ms', window.cpuMsPerBlock)
    add(arm, `resident memory at ${grouped(point)}`, 'MB', window.rssMb)
    add(arm, `heap at ${grouped(point)}`, 'MB', window.heapMb)
  }
  add(arm, `database at ${grouped(made.blocks)}`, 'MB', made.databaseBytes / 1e6)
  if (arm === 'Chopsticks') {
    const { layers, failed } = run<Depth>(arm, 'depth')
    const limit = `${arm} asks one layer a block for what a block reads: at ${grouped(layers)} layers a read fails`
    notes.push(
      failed === null
        ? `${arm} reads through ${grouped(layers)} layers.`
        : `${limit} (${failed}), so it holds no history of 100 000 blocks.`,
    )
  }
  if (made.failed !== null) notes.push(`${arm} stopped at block ${grouped(made.blocks)}: ${made.failed}`)
  const opened = Array.from({ length: OPENINGS }, () => run<Opened>(arm, 'open'))
  const failed = opened.find((one) => one.failed !== null)
  if (failed !== undefined) notes.push(`${arm} cannot open the ${grouped(made.blocks)} blocks: ${failed.failed}`)
  else {
    const what = `history opened, start of the process until the runtime answers, ${grouped(made.blocks)} blocks`
    add(arm, what, 'CPU ms', ...opened.map(({ cpuMs }) => cpuMs))
    add(arm, what, 'wall ms', ...opened.map(({ wallMs }) => wallMs))
    add(arm, what, 'resident MB', ...opened.map(({ rssMb }) => rssMb))
  }
}

/** Takes what an earlier run wrote of arms that are not run now. */
function keepOthers(): void {
  const file = new URL('./results/history.json', import.meta.url)
  if (!existsSync(file)) return
  const earlier = JSON.parse(readFileSync(file, 'utf8')) as Result
  for (const { what, unit, runs } of earlier.rows)
    for (const arm of ALL) {
      const kept = runs[arm]
      if (!arms.includes(arm) && kept !== undefined) add(arm, what, unit, ...kept)
    }
  notes.push(...(earlier.notes ?? []).filter((note) => !arms.some((arm) => note.startsWith(arm))))
}

try {
  writeFileSync(spec, JSON.stringify(await genesisSpec()))
  keepOthers()
  for (const arm of arms) measure(arm)
  writeResult('history', inOrder(rows.values()), notes)
} finally {
  rmSync(folder, { recursive: true })
}
