import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** A question as it left, its answer as it came, and the moment in which the ledger had it, or could not be written. */
export interface QuestionRecord {
  readonly kind: 'ask' | 'answer' | 'kept' | 'unkept'
  /** Round's block, repeat and miner's hotkey. */
  readonly question: string
  /** Life of the process, counted from 1. */
  readonly life: number
  /** `answered`, `fault` or `ours`, of an answer. */
  readonly outcome?: string
}

/** A write of a machine, or a kill that came before or after it. */
export interface PointRecord {
  readonly kind: 'point' | 'kill'
  readonly point: string
  readonly life: number
}

export type TraceRecord = QuestionRecord | PointRecord

/** Adds a record; it is the kernel's when this returns, so that a kill of this process cannot take it back. */
export const trace = (file: string, record: TraceRecord): void => appendFileSync(file, `${JSON.stringify(record)}\n`)

/** Reads all records; a last line that is not whole is left out. */
export const readTrace = (file: string): readonly TraceRecord[] => {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.slice(0, -1).map((line) => JSON.parse(line) as TraceRecord)
}
