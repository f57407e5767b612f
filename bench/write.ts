import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Result } from './report.ts'

/** Names the machine and what runs on it. */
export const machineOf = (): string =>
  `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`

/**
 * Writes one benchmark's result beside the others, and prints it as a table.
 * @param notes what a reader of the table must know of this run, one sentence each
 */
export function writeResult(benchmark: string, rows: Result['rows'], notes: readonly string[] = []): void {
  const result: Result = { benchmark, machine: machineOf(), date: new Date().toISOString().slice(0, 10), rows, notes }
  const folder = fileURLToPath(new URL('./results/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}${benchmark}.json`, `${JSON.stringify(result, null, 2)}\n`)
  for (const note of notes) console.log(note)
  console.table(
    rows.flatMap(({ what, unit, runs }) =>
      Object.entries(runs).map(([arm, values]) => ({ what, unit, arm, runs: values.join(' ') })),
    ),
  )
}
