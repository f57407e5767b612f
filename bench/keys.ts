/**
 * Measures what blocks cost over states of different sizes; each run fills a chain of its own through its calls.
 *   node bench/keys.ts [--runs 3] [--keys 1000,10000,100000]
 * One run over 1 000 000 keys takes minutes.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeResult } from './write.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, keys: { type: 'string', default: '1000,10000,100000' } },
})
const script = fileURLToPath(new URL('./workers/keys-arbor.ts', import.meta.url))
const FIGURES = [
  { name: 'emptyCpuMs', what: 'empty block', unit: 'CPU ms' },
  { name: 'fullCpuMs', what: 'block with 100 signed transfers to 100 accounts', unit: 'CPU ms' },
  { name: 'openCpuMs', what: 'start of the process until the runtime answers', unit: 'CPU ms' },
  { name: 'rssMb', what: 'resident memory', unit: 'MB' },
  { name: 'heapMb', what: 'heap', unit: 'MB' },
  { name: 'databaseMb', what: 'database', unit: 'MB' },
]

const sizes = values.keys.split(',').map(Number)
const found = new Map<string, number[]>()
for (let run = 0; run < Number(values.runs); run += 1) {
  for (const size of run % 2 === 0 ? sizes : [...sizes].reverse()) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-keys-'))
    try {
      for (const phase of ['fill', 'open']) {
        const output = execFileSync(process.execPath, ['--expose-gc', script, phase, String(size), folder], {
          encoding: 'utf8',
        })
        for (const [name, value] of Object.entries<number>(JSON.parse(output.trim().split('\n').at(-1) ?? '{}'))) {
          const key = `${name} ${size}`
          found.set(key, [...(found.get(key) ?? []), Number(value.toPrecision(4))])
        }
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
}
const grouped = (value: number): string => value.toString().replace(/\B(?=(\d{3})+$)/g, ' ')
writeResult(
  'keys',
  FIGURES.flatMap(({ name, what, unit }) =>
    sizes.map((size) => ({
      what: `${what}, ${grouped(size)} accounts`,
      unit,
      runs: { Arbor: found.get(`${name} ${size}`) ?? [] },
    })),
  ),
)
