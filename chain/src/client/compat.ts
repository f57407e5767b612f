import type { SiLookupTypeId } from '@polkadot/types/interfaces'
import { stringCamelCase } from '@polkadot/util'
import { callNeeds } from './needs/calls.ts'
import { type Feature, features, type Shape } from './needs/features.ts'
import { apiNeeds, constantNeeds, errorNeeds, eventNeeds } from './needs/others.ts'
import { storageNeeds } from './needs/storage.ts'
import { findCall, findRuntimeApi, findStorage, type Runtime } from './runtime.ts'
import { type Fit, fits, shapeOf, shapeText, worst } from './shapes.ts'

export type NeedKind = 'call' | 'storage' | 'api' | 'constant' | 'event' | 'error'

/** How one thing that Arbor uses stands in a runtime. */
export interface Finding {
  readonly kind: NeedKind
  /** Pallet.name or Api.method. */
  readonly name: string
  /**
   * `present` as Arbor knows it; `other-width` with integers of another size, which the metadata settles; `replaced`: absent,
   * and Arbor does without; `changed` in arguments or types; `missing`.
   */
  readonly status: 'present' | 'other-width' | 'replaced' | 'changed' | 'missing'
  /** What the chain has: types in wire form, or an empty text. */
  readonly found: string
  readonly expected: string
  /** What Arbor does instead, for `replaced`. */
  readonly without: string | null
  readonly features: readonly Feature[]
}

/** How Arbor and a runtime fit. */
export interface CompatReport {
  readonly specName: string
  readonly specVersion: number
  readonly metadataVersion: number
  readonly findings: readonly Finding[]
  /** Features that a finding breaks. */
  readonly broken: readonly Feature[]
  /** True when all is there that a miner and a validator need. */
  readonly ok: boolean
}

type Seen = { readonly fit: Fit; readonly found: string } | null

/** Compares all that Arbor uses with what a runtime has. */
export function checkCompat(runtime: Runtime): CompatReport {
  const findings = [
    ...findAll(
      'call',
      callNeeds,
      (name, need) => seeCall(runtime, name, need.args),
      (need) => argsText(need.args),
    ),
    ...findAll(
      'storage',
      storageNeeds,
      (name, need) => seeStorage(runtime, name, need.keys, need.value),
      (need) => `(${need.keys.join(',')}) → ${shapeText(need.value)}`,
    ),
    ...findAll(
      'api',
      apiNeeds,
      (name, need) => seeApi(runtime, name, need.inputs, need.output),
      (need) => `(${need.inputs.join(',')}) → ${shapeText(need.output)}`,
    ),
    ...findAll(
      'constant',
      constantNeeds,
      (name, need) => seeConstant(runtime, name, need.value),
      (need) => need.value,
    ),
    ...findAll(
      'event',
      eventNeeds,
      (name, need) => seeEvent(runtime, name, need.fields),
      (need) => argsText(need.fields),
    ),
    ...findAll(
      'error',
      errorNeeds,
      (name) => seeError(runtime, name),
      () => '',
    ),
  ]
  const bad = findings.filter(({ status }) => status === 'missing' || status === 'changed')
  const broken = (Object.keys(features) as Feature[]).filter((feature) =>
    bad.some((finding) => finding.features.includes(feature)),
  )
  return {
    specName: runtime.specName,
    specVersion: runtime.specVersion,
    metadataVersion: runtime.metadata.version,
    findings,
    broken,
    ok: !broken.some((feature) => features[feature].forMinerAndValidator),
  }
}

type Declared = { readonly for: readonly Feature[]; readonly without?: string }

const findAll = <N extends Declared>(
  kind: NeedKind,
  needs: Readonly<Record<string, N>>,
  see: (name: string, need: N) => Seen,
  expect: (need: N) => string,
): Finding[] =>
  Object.entries(needs).map(([name, need]) => {
    const seen = see(name, need)
    const without = need.without ?? null
    const status = seen === null ? (without === null ? 'missing' : 'replaced') : STATUS[seen.fit]
    return { kind, name, status, found: seen?.found ?? '', expected: expect(need), without, features: need.for }
  })

const STATUS = { same: 'present', width: 'other-width', other: 'changed' } as const

const split = (name: string): [string, string] => name.split('.') as [string, string]
const argsText = (args: Readonly<Record<string, Shape>>): string =>
  `(${Object.entries(args)
    .map(([name, shape]) => `${name}: ${shapeText(shape)}`)
    .join(', ')})`

interface Field {
  readonly name: { readonly isSome: boolean; unwrap(): { toString(): string } }
  readonly type: SiLookupTypeId
}

const named = (fields: Iterable<Field>): (readonly [string, SiLookupTypeId])[] =>
  [...fields].map(({ name, type }, index) => [name.isSome ? name.unwrap().toString() : String(index), type])

const foundText = (runtime: Runtime, fields: readonly (readonly [string, SiLookupTypeId])[]): string =>
  `(${fields.map(([name, type]) => `${name}: ${shapeOf(runtime, type)}`).join(', ')})`

const seeCall = (runtime: Runtime, name: string, args: Readonly<Record<string, Shape>>): Seen => {
  const fn = findCall(runtime, name)
  if (fn === null) return null
  const fields = named(fn.meta.fields)
  const extra = fields.some(([field]) => !(field in args))
  return { fit: extra ? 'other' : allFit(runtime, fields, args), found: foundText(runtime, fields) }
}

const allFit = (
  runtime: Runtime,
  fields: readonly (readonly [string, SiLookupTypeId])[],
  expected: Readonly<Record<string, Shape>>,
): Fit =>
  worst(
    Object.entries(expected).map(([name, shape]) => {
      const type = fields.find(([field]) => field === name)?.[1]
      return type === undefined ? 'other' : fits(runtime, type, shape)
    }),
  )

const seeStorage = (runtime: Runtime, name: string, keys: readonly string[], value: Shape): Seen => {
  const entry = findStorage(runtime, ...split(name))
  if (entry === null) return null
  const { type } = entry.meta
  if (type.isPlain) {
    const fit = keys.length > 0 ? 'other' : fits(runtime, type.asPlain, value)
    return { fit, found: `() → ${shapeOf(runtime, type.asPlain)}` }
  }
  const { key, value: held, hashers } = type.asMap
  const tuple = runtime.registry.lookup.getSiType(key).def
  const parts = hashers.length > 1 && tuple.isTuple ? [...tuple.asTuple] : [key]
  const found = `(${parts.map((part) => shapeOf(runtime, part)).join(',')}) → ${shapeOf(runtime, held)}`
  if (parts.length !== keys.length) return { fit: 'other', found }
  const fit = worst([...parts.map((part, index) => fits(runtime, part, keys[index] ?? '')), fits(runtime, held, value)])
  return { fit, found }
}

const seeApi = (runtime: Runtime, name: string, inputs: readonly string[], output: Shape): Seen => {
  const api = findRuntimeApi(runtime, ...split(name))
  if (api === null) return null
  const found = `(${api.inputs.map((type) => shapeOf(runtime, type)).join(',')}) → ${shapeOf(runtime, api.output)}`
  if (api.inputs.length !== inputs.length) return { fit: 'other', found }
  return {
    fit: worst([
      ...api.inputs.map((type, index) => fits(runtime, type, inputs[index] ?? '')),
      fits(runtime, api.output, output),
    ]),
    found,
  }
}

const seeConstant = (runtime: Runtime, name: string, value: string): Seen => {
  const [pallet, item] = split(name)
  const constant = runtime.decorated.consts[stringCamelCase(pallet)]?.[stringCamelCase(item)]
  if (constant === undefined) return null
  return { fit: fits(runtime, constant.meta.type, value), found: shapeOf(runtime, constant.meta.type) }
}

const seeEvent = (runtime: Runtime, name: string, expected: Readonly<Record<string, Shape>>): Seen => {
  const [pallet, item] = split(name)
  const event = runtime.decorated.events[stringCamelCase(pallet)]?.[item]
  if (event === undefined) return null
  const fields = named(event.meta.fields)
  return { fit: allFit(runtime, fields, expected), found: foundText(runtime, fields) }
}

const seeError = (runtime: Runtime, name: string): Seen => {
  const [pallet, item] = split(name)
  return runtime.decorated.errors[stringCamelCase(pallet)]?.[item] === undefined ? null : { fit: 'same', found: '' }
}
