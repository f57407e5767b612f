/**
 * Measures the embedded chain beside Chopsticks on the same blob, genesis and calls, each run of each arm in a process of its own, arms alternating.
 *   npm ci --prefix bench && node bench/chain.ts [--runs 5]
 * Without bench/node_modules the arm Chopsticks is left out.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Measured } from './workers/chain-measure.ts'
import { genesisSpec } from './workers/chain-spec.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } })
const worker = (name: string): string => fileURLToPath(new URL(`./workers/${name}.ts`, import.meta.url))
const hasRival = existsSync(new URL('./node_modules/@acala-network/chopsticks-core', import.meta.url))
const arms = [
  { name: 'Arbor', worker: worker('chain-arbor') },
  ...(hasRival ? [{ name: 'Chopsticks', worker: worker('chain-chopsticks') }] : []),
]

const folder = mkdtempSync(join(tmpdir(), 'bench-chain-'))
try {
  const spec = join(folder, 'genesis.json')
  writeFileSync(spec, JSON.stringify(await genesisSpec()))
  const rows = new Map<string, { what: string; unit: string; runs: Record<string, number[]> }>()
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const arm of run % 2 === 0 ? arms : [...arms].reverse()) {
      const output = execFileSync(process.execPath, [arm.worker, spec], {
        encoding: 'utf8',
        env: { ...process.env, LOG_LEVEL: 'error' },
      })
      const measured: readonly Measured[] = JSON.parse(output.trim().split('\n').at(-1) ?? '[]')
      for (const { what, unit, value } of measured) {
        const row = rows.get(what + unit) ?? { what, unit, runs: {} }
        rows.set(what + unit, row)
        row.runs[arm.name] = [...(row.runs[arm.name] ?? []), Number(value.toPrecision(4))]
      }
    }
  }
  writeResult('chain', [...rows.values()])
} finally {
  rmSync(folder, { recursive: true })
}
