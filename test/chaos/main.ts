// Runs one seed and writes what it came to: node test/chaos/main.ts --seed 3 [--epochs 50] [--kills no] [--faults a,b|none] [--keep FOLDER] [--out FILE]
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { FAULTS, type FaultKind } from './faults.ts'
import { planOf } from './plan.ts'
import { runSeed } from './run.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    epochs: { type: 'string' },
    method: { type: 'string' },
    kills: { type: 'string' },
    faults: { type: 'string' },
    keep: { type: 'string' },
    out: { type: 'string' },
    quiet: { type: 'boolean', default: false },
  },
})
const isFault = (name: string): name is FaultKind => (FAULTS as readonly string[]).includes(name)
const plan = planOf(Number(values.seed))
const faults = values.faults?.split(',').filter(isFault)
const report = await runSeed({
  ...plan,
  epochs: Number(values.epochs ?? plan.epochs),
  ...(values.method === 'open' || values.method === 'salted' || values.method === 'timelocked'
    ? { method: values.method }
    : {}),
  ...(values.kills === 'no' ? { killChance: 0 } : {}),
  ...(values.faults === 'none' ? { faultEvery: null } : faults === undefined ? {} : { faults }),
  folder: values.keep ?? mkdtempSync(join(tmpdir(), 'arbor-chaos-')),
  keepFolder: values.keep !== undefined,
  say: (text) => (values.quiet ? undefined : console.log(text)),
})
if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(report))
const { violations, recoveriesMs, kills, reached, ...rest } = report
console.log(JSON.stringify({ ...rest, kills: Object.keys(kills).length, reached: Object.keys(reached).length }))
for (const violation of violations) console.log(`VIOLATION ${JSON.stringify(violation)}`)
process.exit(violations.length === 0 ? 0 : 1)
