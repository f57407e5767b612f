import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Result, Shares } from './report.ts'

/** Names the machine and what runs on it. */
export const machineOf = (): string =>
  `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`

/**
 * Writes one benchmark's result beside the others, and prints it as a table.
 * @param notes what a reader of the table must know of this run, one sentence each
 */
export function writeResult(benchmark: string, rows: Result['rows'], notes: readonly string[] = []): void {
  save({ benchmark, ...hereAndNow(), rows, notes })
  for (const note of notes) console.log(note)
  console.table(
    rows.flatMap(({ what, unit, runs }) =>
      Object.entries(runs).map(([arm, values]) => ({ what, unit, arm, runs: values.join(' ') })),
    ),
  )
}

/** Writes a table whose cells are written already, beside the other results, and prints it. */
export function writeShares(result: Omit<Shares, 'machine' | 'date'>): void {
  save({ ...result, ...hereAndNow() })
  console.table(result.cells.map((row) => Object.fromEntries(result.head.map((title, index) => [title, row[index]]))))
}

const hereAndNow = (): Pick<Result, 'machine' | 'date'> => ({
  machine: machineOf(),
  date: new Date().toISOString().slice(0, 10),
})

const save = (result: Result | Shares): void => {
  const folder = fileURLToPath(new URL('./results/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}${result.benchmark}.json`, `${JSON.stringify(result, null, 2)}\n`)
}
