import type { SiField, SiLookupTypeId, SiVariant } from '@polkadot/types/interfaces'
import type { Shape } from './needs/features.ts'
import type { Runtime } from './runtime.ts'

/** Types that are one thing to us whatever they are made of, by the last word of their path. */
const NAMED: Readonly<Record<string, string>> = {
  AccountId32: 'AccountId',
  MultiAddress: 'MultiAddress',
  MultiSigner: 'MultiSigner',
  MultiSignature: 'MultiSignature',
  RuntimeCall: 'Call',
  EventRecord: 'EventRecord',
  DispatchError: 'DispatchError',
  RateLimitKey: 'RateLimitKey',
  Data: 'Data',
}

/** Deeper types are cut: they are recursive, or nothing that we read. */
const MAX_DEPTH = 12

/** Writes a type as it is on the wire, without newtypes, bounds and compactness. */
export function shapeOf(runtime: Runtime, id: SiLookupTypeId, depth = 0): string {
  const { path, def } = runtime.registry.lookup.getSiType(id)
  const inner = (type: SiLookupTypeId): string => shapeOf(runtime, type, depth + 1)
  const last = path.at(-1)?.toString() ?? ''
  const named = NAMED[last]
  if (named !== undefined) return named
  if (depth > MAX_DEPTH) return '…'
  if (def.isPrimitive) return def.asPrimitive.type.toLowerCase()
  if (def.isCompact) return inner(def.asCompact.type)
  if (def.isSequence) return list(inner(def.asSequence.type))
  if (def.isArray) return `[${inner(def.asArray.type)};${def.asArray.len.toNumber()}]`
  if (def.isTuple) return `(${def.asTuple.map(inner).join(',')})`
  if (def.isComposite) return fieldsShape([...def.asComposite.fields], inner)
  if (def.isVariant) return variantShape(last, [...def.asVariant.variants], inner)
  return 'bits'
}

const list = (item: string): string => (item === 'u8' ? 'bytes' : `Vec<${item}>`)

const fieldsShape = (fields: readonly SiField[], inner: (type: SiLookupTypeId) => string): string => {
  const [first] = fields
  if (first !== undefined && fields.length === 1) return inner(first.type)
  if (fields.some(({ name }) => name.isNone)) return `(${fields.map(({ type }) => inner(type)).join(',')})`
  return `{${fields.map(({ name, type }) => `${name.unwrap()}:${inner(type)}`).join(',')}}`
}

const variantShape = (
  name: string,
  variants: readonly SiVariant[],
  inner: (type: SiLookupTypeId) => string,
): string => {
  if (name !== 'Option' && name !== 'Result') return `enum{${variants.map((entry) => entry.name).join(',')}}`
  const types = variants.flatMap(({ fields }) => fields.map(({ type }) => inner(type)))
  return `${name}<${types.join(',')}>`
}

/** How a type serves: as declared, also with integers of other widths, or not at all. */
export type Fit = 'same' | 'width' | 'other'

/** Compares a type of the chain with what Arbor expects. */
export function fits(runtime: Runtime, id: SiLookupTypeId, expected: Shape): Fit {
  if (typeof expected !== 'string') return worst(fieldFits(runtime, id, expected))
  const found = shapeOf(runtime, id)
  if (found === expected) return 'same'
  return anyWidth(found) === anyWidth(expected) ? 'width' : 'other'
}

/** Numbers of other widths encode and decode all the same, since the metadata says how. */
const anyWidth = (shape: string): string => shape.replace(/\bu(?:8|16|32|64|128)\b/g, 'uint')

function* fieldFits(runtime: Runtime, id: SiLookupTypeId, expected: Exclude<Shape, string>): Generator<Fit> {
  const { path, def } = runtime.registry.lookup.getSiType(id)
  const option = path.at(-1)?.toString() === 'Option' ? def.asVariant.variants.at(1)?.fields.at(0) : undefined
  if (option !== undefined) return yield* fieldFits(runtime, option.type, expected)
  const fields = def.isComposite ? [...def.asComposite.fields] : []
  for (const [name, shape] of Object.entries(expected)) {
    const field = fields.find((entry) => entry.name.isSome && entry.name.unwrap().eq(name))
    yield field === undefined ? 'other' : fits(runtime, field.type, shape)
  }
}

/** The worst of several fits. */
export function worst(all: Iterable<Fit>): Fit {
  const found = new Set(all)
  return found.has('other') ? 'other' : found.has('width') ? 'width' : 'same'
}

/** Writes what Arbor expects. */
export const shapeText = (shape: Shape): string =>
  typeof shape === 'string'
    ? shape
    : `{${[...Object.entries(shape).map(([name, inner]) => `${name}:${shapeText(inner)}`), '…'].join(',')}}`
