import type { z } from 'zod'
import { SubnetError } from './errors.ts'

/** Where settings come from; flags win over the file, and undefined flags count as absent. */
export interface ConfigSources {
  readonly file?: Readonly<Record<string, unknown>>
  readonly flags?: Readonly<Record<string, unknown>>
}

/**
 * Merges and checks settings; nothing unknown passes.
 * @throws CONFIG_UNKNOWN_KEY naming the key and the nearest known one, CONFIG_INVALID naming key, value and what is expected
 */
export const parseConfig = <Shape extends z.core.$ZodLooseShape>(of: {
  readonly schema: z.ZodObject<Shape>
  readonly sources: ConfigSources
}): z.output<z.ZodObject<Shape>> => {
  const given = { ...of.sources.file, ...defined(of.sources.flags ?? {}) }
  const known = Object.keys(of.schema.shape)
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown !== undefined) throw unknownKey(unknown, known)
  const parsed = of.schema.safeParse(given)
  if (parsed.success) return parsed.data
  throw invalid(parsed.error.issues[0], given)
}

/**
 * Reads the text of a JSON settings file.
 * @throws CONFIG_NOT_JSON when it is no JSON object
 */
export const parseConfigText = (text: string, path: string): Readonly<Record<string, unknown>> => {
  const fail = (why: string, cause?: unknown): SubnetError =>
    new SubnetError({
      code: 'CONFIG_NOT_JSON',
      message: `Configuration file ${path} ${why}; write one JSON object`,
      cause,
    })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw fail('is no JSON', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail('holds no JSON object')
  return Object.fromEntries(Object.entries(value))
}

const defined = (flags: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined))

const unknownKey = (key: string, known: readonly string[]): SubnetError => {
  const near = nearest(key, known)
  const hint = near === null ? `known are ${known.join(', ')}` : `did you mean "${near}"?`
  return new SubnetError({
    code: 'CONFIG_UNKNOWN_KEY',
    message: `Unknown setting "${key}"; ${hint}`,
    details: { key, nearest: near },
  })
}

const invalid = (issue: z.core.$ZodIssue | undefined, given: Readonly<Record<string, unknown>>): SubnetError => {
  const path = (issue?.path ?? []).map(String)
  const value = path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    given,
  )
  if (issue?.code === 'unrecognized_keys') return unknownKey([...path, issue.keys[0] ?? ''].join('.'), [])
  const shown = value === undefined ? 'is missing' : `is ${JSON.stringify(value)?.slice(0, 80)}`
  return new SubnetError({
    code: 'CONFIG_INVALID',
    message: `Setting "${path.join('.')}" ${shown}: ${issue?.message ?? 'invalid'}; change it`,
    details: { key: path.join('.') },
  })
}

/** Finds the known word within three edits, the closest first; null when none is near. */
export const nearest = (word: string, known: readonly string[]): string | null => {
  const ranked = known
    .map((candidate) => ({ candidate, edits: editDistance(word, candidate) }))
    .sort((a, b) => a.edits - b.edits)
  const best = ranked[0]
  return best !== undefined && best.edits <= 3 && best.edits < word.length ? best.candidate : null
}

/** Counts insertions, deletions and replacements between two words. @source Levenshtein 1966, one row at a time */
const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
