import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Check } from '../../shared/src/inference.ts'

/** One judged answer. */
export interface Record {
  readonly group: string
  readonly index: number
  readonly reason: string
  readonly tokens: number
  readonly residueError: number | null
  readonly exponentMismatches: number | null
  readonly mantissaError: number | null
  readonly marginMean: number | null
  readonly marginMax: number | null
  readonly mismatches: number | null
}

const COLUMNS = [
  'group',
  'index',
  'reason',
  'tokens',
  'residueError',
  'exponentMismatches',
  'mantissaError',
  'marginMean',
  'marginMax',
  'mismatches',
] as const

/** What all lines of a file have in common. */
export interface Head {
  readonly model: string
  readonly hash: string
  readonly proof: string
  readonly machine: string
}

/** A file of judged answers, one line each, that a later run goes on with. */
export interface Records {
  readonly head: Head
  readonly all: readonly Record[]
  has(group: string, index: number): boolean
  add(group: string, index: number, tokens: number, check: Check): void
}

export const resultsPath = (name: string): string =>
  fileURLToPath(new URL(`../results/detection/${name}.csv`, import.meta.url))

/**
 * Opens a file of records.
 * @throws when it was made with another model or proof
 */
export const openRecords = (path: string, head: Head): Records => {
  const first = `# ${JSON.stringify(head)}`
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${first}\n${COLUMNS.join(',')}\n`)
  }
  const known = readRecords(path)
  if (known.head.hash !== head.hash || known.head.proof !== head.proof)
    throw new Error(`${path} was made with another model or proof; move it away`)
  const all = [...known.all]
  const keys = new Set(all.map(({ group, index }) => `${group} ${index}`))
  return {
    head,
    all,
    has: (group, index) => keys.has(`${group} ${index}`),
    add: (group, index, tokens, check) => {
      const record: Record = { group, index, tokens, ...check }
      all.push(record)
      keys.add(`${group} ${index}`)
      appendFileSync(path, `${COLUMNS.map((column) => write(record[column])).join(',')}\n`)
    },
  }
}

export const readRecords = (path: string): { readonly head: Head; readonly all: readonly Record[] } => {
  const [first = '', , ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
  const all = lines.map((line): Record => {
    const fields = line.split(',')
    const number = (column: (typeof COLUMNS)[number]): number | null => {
      const text = fields[COLUMNS.indexOf(column)] ?? ''
      return text === '' ? null : Number(text)
    }
    return {
      group: fields[0] ?? '',
      index: number('index') ?? -1,
      reason: fields[2] ?? '',
      tokens: number('tokens') ?? 0,
      residueError: number('residueError'),
      exponentMismatches: number('exponentMismatches'),
      mantissaError: number('mantissaError'),
      marginMean: number('marginMean'),
      marginMax: number('marginMax'),
      mismatches: number('mismatches'),
    }
  })
  return { head: JSON.parse(first.slice(2)) as Head, all }
}

const write = (value: string | number | null): string =>
  value === null ? '' : typeof value === 'string' || Number.isInteger(value) ? `${value}` : value.toPrecision(4)
