import type { PyField, PyType } from './types.ts'
import { isDict, isList, PyEnum, type PyFields, PyTuple, type PyValue } from './value.ts'

/** A value of its type, or undefined when it cannot be made one. */
type Made = PyValue | undefined

/** How much a value may be changed: not at all; an int where a float is due; texts and whole floats where numbers are due. */
type Grade = 'exact' | 'strict' | 'lax'
const GRADES: readonly Grade[] = ['exact', 'strict', 'lax']

/** What pydantic takes for a truth value, in lower case. @source pydantic-core src/input/shared.rs str_as_bool */
const BOOLS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 'on', 't', 'true', 'y', 'yes'].map((text) => [text, true] as const),
  ...['0', 'off', 'f', 'false', 'n', 'no'].map((text) => [text, false] as const),
])
/** Whole floats beyond are not made integers. @source pydantic-core src/input/shared.rs float_as_int */
const INT_BOUND = 2 ** 63
const MAX_DIGITS = 4_300

/** Makes a value of a type as pydantic's lax mode does; undefined when it refuses. */
export const coerce = (type: PyType, value: PyValue): Made => make(type, value, 'lax')

/** What came of reading an object's fields. */
export type FieldsReading =
  | { readonly ok: true; readonly fields: PyFields }
  /** @param wrong names of the fields that are missing or of another type */
  | { readonly ok: false; readonly wrong: readonly string[] }

/** Reads the fields of an object: unknown ones are passed over, those not sent take their fallback. */
export const readFields = (fields: readonly PyField[], value: PyValue): FieldsReading => {
  if (value === null || typeof value !== 'object' || !isDict(value))
    return { ok: false, wrong: fields.map(({ name }) => name) }
  const read = new Map<string, PyValue>()
  const wrong: string[] = []
  for (const { name, type, fallback } of fields) {
    const sent = value.get(name)
    const made = sent === undefined ? fallback : coerce(type, sent)
    if (made === undefined) wrong.push(name)
    else read.set(name, made)
  }
  return wrong.length === 0 ? { ok: true, fields: read } : { ok: false, wrong }
}

const make = (type: PyType, value: PyValue, grade: Grade): Made => {
  switch (type.kind) {
    case 'any':
      return value
    case 'none':
      return value === null ? null : undefined
    case 'str':
      return typeof value === 'string' ? value : undefined
    case 'bool':
      return typeof value === 'boolean' ? value : grade === 'lax' ? toBool(value) : undefined
    case 'int':
      return typeof value === 'bigint' ? value : grade === 'lax' ? toInt(value) : undefined
    case 'float':
      return typeof value === 'number' ? value : toFloat(value, grade)
    case 'text':
      return toText(type, value)
    case 'union':
      return makeUnion(type.options, value, grade)
    default:
      return makeContainer(type, value, grade)
  }
}

const makeContainer = (
  type: Extract<PyType, { kind: 'list' | 'tuple' | 'dict' | 'model' }>,
  value: PyValue,
  grade: Grade,
): Made => {
  if (value === null || typeof value !== 'object') return undefined
  if (type.kind === 'list') return isList(value) ? all(value.map((item) => make(type.items, item, grade))) : undefined
  if (type.kind === 'tuple') {
    const { items } = type
    if (!isList(value) || value.length !== items.length) return undefined
    const made = all(value.map((item, index) => make(items[index] ?? { kind: 'none' }, item, grade)))
    return made === undefined ? undefined : new PyTuple(made)
  }
  if (!isDict(value)) return undefined
  return type.kind === 'dict' ? makeDict(type, value, grade) : makeModel(type.fields, value, grade)
}

const all = (made: readonly Made[]): readonly PyValue[] | undefined =>
  made.every((item) => item !== undefined) ? made : undefined

const makeDict = (
  type: Extract<PyType, { kind: 'dict' }>,
  value: ReadonlyMap<string | bigint, PyValue>,
  grade: Grade,
): Made => {
  const made = new Map<string | bigint, PyValue>()
  for (const [key, item] of value) {
    const madeKey = type.keys === 'str' || typeof key === 'bigint' ? key : toInt(key)
    const madeItem = make(type.values, item, grade)
    if (madeItem === undefined || (typeof madeKey !== 'string' && typeof madeKey !== 'bigint')) return undefined
    made.set(madeKey, madeItem)
  }
  return made
}

const makeModel = (fields: readonly PyField[], value: ReadonlyMap<string | bigint, PyValue>, grade: Grade): Made => {
  const made = new Map<string, PyValue>()
  for (const { name, type, fallback } of fields) {
    const sent = value.get(name)
    const item = sent === undefined ? fallback : make(type, sent, grade)
    if (item === undefined) return undefined
    made.set(name, item)
  }
  return made
}

/** Takes the option that changes the value least; of equal ones the first. */
const makeUnion = (options: readonly PyType[], value: PyValue, most: Grade): Made => {
  for (const grade of GRADES) {
    for (const option of options) {
      const made = make(option, value, grade)
      if (made !== undefined) return made
    }
    if (grade === most) break
  }
  return undefined
}

const toText = (type: Extract<PyType, { kind: 'text' }>, value: PyValue): Made => {
  if (typeof value !== 'string' || !type.values.includes(value)) return undefined
  const name = type.members?.get(value)
  return name === undefined ? value : new PyEnum(name, value)
}

const toBool = (value: PyValue): Made => {
  if (typeof value === 'string') return BOOLS.get(value.toLowerCase())
  if (typeof value !== 'bigint' && typeof value !== 'number') return undefined
  if (Number(value) === 1) return true
  return Number(value) === 0 ? false : undefined
}

const toInt = (value: PyValue): bigint | undefined => {
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) < INT_BOUND ? BigInt(value) : undefined
  if (typeof value !== 'string') return undefined
  const text = /^[+-]?\d+(?:_\d+)*(?:\.0+)?$/.exec(value.trim())?.[0]?.replace(/\.0+$/, '')
  if (text === undefined || text.length > MAX_DIGITS) return undefined
  return BigInt(text.replaceAll('_', '').replace('+', ''))
}

const toFloat = (value: PyValue, grade: Grade): number | undefined => {
  if (grade === 'exact') return undefined
  if (typeof value === 'bigint') {
    const float = Number(value)
    return Number.isFinite(float) ? float : undefined
  }
  if (grade === 'strict') return undefined
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (/^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/.test(text))
    return Number(text.replaceAll('_', ''))
  return undefined // "inf" and "nan" have no JSON
}
