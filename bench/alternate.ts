import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Result } from './report.ts'
import type { Measured } from './workers/chain-measure.ts'

/** A way to do what is measured: a script of bench/workers that prints its figures as its last line. */
export interface Arm {
  readonly name: string
  readonly script: string
  readonly args: readonly string[]
}

/** Runs each arm as often as asked, each time in a process of its own, the order turned round after every round. */
export function alternate({ runs, arms }: { readonly runs: number; readonly arms: readonly Arm[] }): Result['rows'] {
  const rows = new Map<string, { what: string; unit: string; runs: Record<string, number[]> }>()
  for (let run = 0; run < runs; run += 1) {
    for (const { name, script, args } of run % 2 === 0 ? arms : [...arms].reverse()) {
      const worker = fileURLToPath(new URL(`./workers/${script}.ts`, import.meta.url))
      const output = execFileSync(process.execPath, ['--expose-gc', worker, ...args], {
        encoding: 'utf8',
        env: { ...process.env, LOG_LEVEL: 'error' },
        maxBuffer: 64 * 2 ** 20,
      })
      const measured: readonly Measured[] = JSON.parse(output.trim().split('\n').at(-1) ?? '[]')
      for (const { what, unit, value } of measured) {
        const row = rows.get(what + unit) ?? { what, unit, runs: {} }
        rows.set(what + unit, row)
        row.runs[name] = [...(row.runs[name] ?? []), Number(value.toPrecision(4))]
      }
    }
  }
  return [...rows.values()]
}
