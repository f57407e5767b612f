/**
 * Measures the embedded chain beside Chopsticks on the same blob, genesis and calls, each run of each arm in a process of its own, arms alternating.
 *   npm ci --prefix bench && node bench/chain.ts [--runs 5]
 * Without bench/node_modules the arm Chopsticks is left out.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { alternate } from './alternate.ts'
import { genesisSpec } from './workers/chain-spec.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } })
const hasRival = existsSync(new URL('./node_modules/@acala-network/chopsticks-core', import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'bench-chain-'))
try {
  const spec = join(folder, 'genesis.json')
  writeFileSync(spec, JSON.stringify(await genesisSpec()))
  const arms = [
    { name: 'Arbor', script: 'chain-arbor', args: [spec] },
    ...(hasRival ? [{ name: 'Chopsticks', script: 'chain-chopsticks', args: [spec] }] : []),
  ]
  writeResult('chain', alternate({ runs: Number(values.runs), arms }))
} finally {
  rmSync(folder, { recursive: true })
}
