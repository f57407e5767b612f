/**
 * Measures one epoch in the runtime: `YumaRuntimeApi_run_epoch`, the argument encoded once, each run of each arm in a process
 * of its own, arms alternating.
 *   npm ci --prefix bench && node bench/epoch.ts [--runs 5]
 * Without bench/node_modules the arm Chopsticks is left out.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median } from '../shared/src/math.ts'
import { genesisSpec } from './workers/chain-spec.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } })
const hasRival = existsSync(new URL('./node_modules/@acala-network/chopsticks-core', import.meta.url))
const arms = ['Arbor', ...(hasRival ? ['Chopsticks'] : [])]
/** Calls in a process: V8 compiles what is hot within the first; the interpreter of Chopsticks gains nothing by more. */
const CALLS: Readonly<Record<string, number>> = { Arbor: 30, Chopsticks: 3 }
const SIZES = [
  { uids: 256, validators: 64 },
  { uids: 256, validators: 256 },
  { uids: 4_096, validators: 64 },
]

const folder = mkdtempSync(join(tmpdir(), 'bench-epoch-'))
const spec = join(folder, 'genesis.json')

/** CPU milliseconds of each call of one process. */
const run = (arm: string, { uids, validators }: (typeof SIZES)[number]): readonly number[] => {
  const script = fileURLToPath(new URL(`./workers/epoch-${arm.toLowerCase()}.ts`, import.meta.url))
  const output = execFileSync(
    process.execPath,
    [script, spec, String(uids), String(validators), String(CALLS[arm] ?? 1)],
    { encoding: 'utf8', env: { ...process.env, LOG_LEVEL: 'error' } },
  )
  return JSON.parse(output.trim().split('\n').at(-1) ?? '[]')
}

try {
  writeFileSync(spec, JSON.stringify(await genesisSpec()))
  const rows = SIZES.map((size) => {
    const first: Record<string, number[]> = {}
    const later: Record<string, number[]> = {}
    for (let index = 0; index < Number(values.runs); index += 1) {
      for (const arm of index % 2 === 0 ? arms : [...arms].reverse()) {
        const spent = run(arm, size)
        const put = (into: Record<string, number[]>, value: number): void => {
          into[arm] = [...(into[arm] ?? []), Number(value.toPrecision(4))]
        }
        put(first, spent[0] ?? 0)
        put(later, median(spent.slice(Math.floor(spent.length / 2))))
      }
    }
    const what = `epoch of ${size.uids} uids, ${size.validators} full rows of weights and bonds`
    return [
      { what: `${what}: first call of a process`, unit: 'CPU ms', runs: first },
      { what: `${what}: later calls`, unit: 'CPU ms', runs: later },
    ]
  })
  writeResult('epoch', rows.flat())
} finally {
  rmSync(folder, { recursive: true })
}
