import { z } from 'zod'
import { SubnetError } from '../errors.ts'
import { parseJson } from './json.ts'
import { isDict, type PyDict, type PyValue } from './value.ts'

/** A type of Python, as far as a synapse's fields may have it. */
export type PyType =
  | { readonly kind: 'str' | 'float' | 'bool' | 'none' | 'any' }
  /** @param big the handler gets a bigint, whatever its size */
  | { readonly kind: 'int'; readonly big: boolean }
  | { readonly kind: 'list'; readonly items: PyType }
  | { readonly kind: 'tuple'; readonly items: readonly PyType[] }
  | { readonly kind: 'dict'; readonly keys: 'str' | 'int'; readonly values: PyType }
  | { readonly kind: 'model'; readonly fields: readonly PyField[] }
  | { readonly kind: 'union'; readonly options: readonly PyType[] }
  /** Texts of which one must be it; `members` are the names that Python prints, for an enum. */
  | { readonly kind: 'text'; readonly values: readonly string[]; readonly members: ReadonlyMap<string, string> | null }

/** A named part of an object. */
export interface PyField {
  readonly name: string
  readonly type: PyType
  /** What it is when it is not sent; undefined: it must be sent. */
  readonly fallback: PyValue | undefined
}

/** Schemas that JSON Schema has no word for, and of which Python would see nothing of use. */
const UNFIT: ReadonlySet<string> = new Set(
  'symbol undefined void never date map set transform nan custom function promise file lazy intersection'.split(' '),
)

/**
 * Finds the fields that a zod object has for Python: z.int() and z.bigint() are int, z.number() is float, z.record() is dict, z.object()
 * is a model. `z.record(…).meta({ python: 'int keys' })` has integers as keys; `z.enum(…).meta({ python: 'Color' })` is an enum of that name.
 * @throws SYNAPSE_SCHEMA when the schema has no counterpart
 */
export const fieldsOf = (schema: z.ZodType): readonly PyField[] => {
  const json: unknown = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    cycles: 'throw',
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod
      if (UNFIT.has(def.type)) throw unfit(`z.${def.type}()`)
      if (def.type === 'bigint') Object.assign(jsonSchema, { type: 'integer', arborBig: true })
      if (def.type === 'enum' && 'python' in jsonSchema)
        Object.assign(jsonSchema, { arborMembers: Object.entries(def.entries) })
    },
  })
  const type = typeOf(lossless(json))
  if (type.kind !== 'model') throw unfit('what is no z.object()')
  return type.fields
}

/** Reads the schema as our own JSON, so that `1` and the order of keys mean here what they mean to a caller. */
const lossless = (json: unknown): PyDict => {
  const read = parseJson(JSON.stringify(json))
  if (!read.ok || !isDict(read.value)) throw unfit('a schema that cannot be written as JSON')
  return read.value
}

const typeOf = (schema: PyValue | undefined): PyType => {
  if (schema === true || schema === undefined) return { kind: 'any' }
  if (schema === null || typeof schema !== 'object' || !isDict(schema)) throw unfit('a schema without a type')
  const options = schema.get('anyOf') ?? schema.get('oneOf')
  if (Array.isArray(options)) return { kind: 'union', options: options.map(typeOf) }
  if (schema.has('$ref') || schema.has('allOf')) throw unfit('a schema that refers to itself, or z.intersection()')
  const type = schema.get('type')
  if (Array.isArray(type)) return { kind: 'union', options: type.map((one: string) => plainType(one, schema)) }
  return typeof type === 'string' ? plainType(type, schema) : textOrAny(schema)
}

const plainType = (type: string, schema: PyDict): PyType => {
  if (type !== 'string' && (schema.has('const') || schema.has('enum'))) throw unfit('literals but texts')
  switch (type) {
    case 'string':
      return textOrAny(schema, { kind: 'str' })
    case 'integer':
      return { kind: 'int', big: schema.get('arborBig') === true }
    case 'number':
      return { kind: 'float' }
    case 'boolean':
      return { kind: 'bool' }
    case 'null':
      return { kind: 'none' }
    case 'array':
      return arrayType(schema)
    default:
      return objectType(schema)
  }
}

const textOrAny = (schema: PyDict, otherwise: PyType = { kind: 'any' }): PyType => {
  const constant = schema.get('const')
  const values = constant === undefined ? schema.get('enum') : [constant]
  if (values === undefined) return otherwise
  if (!Array.isArray(values) || values.some((value) => typeof value !== 'string')) throw unfit('literals but texts')
  const name = schema.get('python')
  const entries = schema.get('arborMembers')
  if (typeof name !== 'string' || !Array.isArray(entries)) return { kind: 'text', values, members: null }
  const members = entries.map(([member, value]: [string, string]) => [value, `${name}.${member}`] as const)
  return { kind: 'text', values, members: new Map(members) }
}

const arrayType = (schema: PyDict): PyType => {
  const items = schema.get('prefixItems')
  if (items === undefined) return { kind: 'list', items: typeOf(schema.get('items')) }
  if (!Array.isArray(items) || isRest(schema.get('items'))) throw unfit('a z.tuple() with a rest')
  return { kind: 'tuple', items: items.map(typeOf) }
}

const isRest = (items: PyValue | undefined): boolean => items !== undefined && items !== false

const objectType = (schema: PyDict): PyType => {
  const properties = schema.get('properties')
  const isEmpty = properties === undefined || (properties instanceof Map && properties.size === 0)
  if (isEmpty && schema.has('additionalProperties') && schema.get('additionalProperties') !== false) {
    const keys = schema.get('python') === 'int keys' ? 'int' : 'str'
    return { kind: 'dict', keys, values: typeOf(schema.get('additionalProperties')) }
  }
  if (!(properties instanceof Map)) return { kind: 'model', fields: [] }
  const required = schema.get('required')
  return { kind: 'model', fields: [...properties].map(([name, field]) => fieldOf(String(name), field, required)) }
}

const fieldOf = (name: string, schema: PyValue, required: PyValue | undefined): PyField => {
  const type = typeOf(schema)
  const isRequired = Array.isArray(required) && required.includes(name)
  if (isRequired) return { name, type, fallback: undefined }
  const fallback = schema instanceof Map ? schema.get('default') : undefined
  // zod's optional() has no value at all, for which Python has only None
  return fallback === undefined ? { name, type: orNone(type), fallback: null } : { name, type, fallback }
}

/** Lets a type be None too. */
export const orNone = (type: PyType): PyType =>
  type.kind === 'any' || takesNone(type) ? type : { kind: 'union', options: [type, { kind: 'none' }] }

/** Tells whether None is of a type. */
export const takesNone = (type: PyType): boolean =>
  type.kind === 'none' || type.kind === 'any' || (type.kind === 'union' && type.options.some(takesNone))

const unfit = (what: string): SubnetError =>
  new SubnetError({
    code: 'SYNAPSE_SCHEMA',
    message: `A synapse cannot have ${what}; use strings, integers, numbers, booleans, arrays, tuples, records and objects`,
  })
