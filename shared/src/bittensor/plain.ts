import { coerce } from './coerce.ts'
import type { PyField, PyType } from './types.ts'
import { isDict, isList, PyEnum, type PyFields, PyTuple, type PyValue } from './value.ts'

/** Turns fields into an object as a task's schema knows it: ints are numbers, and bigints beyond 2^53 or where the schema has z.bigint(). */
export const plainOf = (fields: readonly PyField[], values: PyFields): Readonly<Record<string, unknown>> =>
  Object.fromEntries(fields.map(({ name, type }) => [name, toPlain(type, values.get(name) ?? null)]))

/** Turns a task's object into fields; undefined when one is not of its type. What is not there is None. */
export const fieldsOfPlain = (fields: readonly PyField[], object: object): PyFields | undefined => {
  const values = new Map<string, PyValue>()
  for (const { name, type } of fields) {
    const value: unknown = Object.hasOwn(object, name) ? Reflect.get(object, name) : undefined
    const made = value === undefined ? null : coerce(type, toPy(value))
    if (made === undefined) return undefined
    values.set(name, made)
  }
  return values
}

const toPlain = (type: PyType, value: PyValue): unknown => {
  if (typeof value === 'bigint') return isBig(type) || !isSafe(value) ? value : Number(value)
  if (value === null || typeof value !== 'object') return value
  if (value instanceof PyEnum) return value.value
  if (value instanceof PyTuple) return value.items.map((item, index) => toPlain(partOf(type, index), item))
  if (isList(value)) return value.map((item, index) => toPlain(partOf(type, index), item))
  if (isDict(value))
    return Object.fromEntries([...value].map(([key, item]) => [String(key), toPlain(partOf(type, key), item)]))
  return null
}

const isBig = (type: PyType): boolean =>
  type.kind === 'union' ? type.options.some(isBig) : type.kind === 'int' && type.big
const isSafe = (value: bigint): boolean =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)

/** Finds the type of what lies at a place of a container. */
const partOf = (type: PyType, at: number | string | bigint): PyType => {
  if (type.kind === 'list') return type.items
  if (type.kind === 'dict') return type.values
  if (type.kind === 'tuple') return type.items[Number(at)] ?? { kind: 'any' }
  if (type.kind === 'model') return type.fields.find(({ name }) => name === at)?.type ?? { kind: 'any' }
  const container = type.kind === 'union' ? type.options.find(({ kind }) => CONTAINERS.has(kind)) : undefined
  return container === undefined ? { kind: 'any' } : partOf(container, at)
}
const CONTAINERS: ReadonlySet<string> = new Set(['list', 'dict', 'tuple', 'model'])

/** A whole number is an int, unless its type says float; only then does JavaScript know the difference. */
const toPy = (value: unknown): PyValue => {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isInteger(value) && !Object.is(value, -0) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(toPy)
  if (typeof value !== 'object') return null
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return new Map(entries.map(([key, item]) => [key, toPy(item)]))
}
