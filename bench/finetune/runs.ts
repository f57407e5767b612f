import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Run, Setting } from './types.ts'

/** One line of JSON a run. */
export const RUNS = fileURLToPath(new URL('../results/finetune/runs.jsonl', import.meta.url))

/** Reads the runs that are done. */
export const readRuns = (file: string): readonly Run[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Run)
    : []

/** Tells runs apart: those with the same key are the same. */
export const keyOf = (of: Setting & Pick<Run, 'arm' | 'seed' | 'terms'>): string => {
  const { arm, seed, model, workers, steps, batch, length } = of
  return canonical([arm, seed, model, workers, steps, batch, length, of.terms])
}

/** The same text whatever the order of fields. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
