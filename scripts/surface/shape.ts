import type { TypeRegistry } from '@polkadot/types'
import type { Si1Variant, SiLookupTypeId } from '@polkadot/types/interfaces'

/** Types whose variants are those of the whole runtime: they differ between any two runtimes. */
const WHOLE_RUNTIME =
  /^(RuntimeCall|RuntimeEvent|RuntimeError|OriginCaller|RuntimeHoldReason|RuntimeFreezeReason|Call|Event)$/

/**
 * Describes what bytes a type becomes, without the names that change nothing: a struct with one field is that field, so a
 * `NetUid` is its u16. Types that hold a whole runtime are named only.
 */
export const shapeOf = (registry: TypeRegistry, id: SiLookupTypeId | number, open: readonly number[] = []): string => {
  const index = Number(id)
  const { def, path } = registry.lookup.getSiType(index)
  const name = path.at(-1)?.toString() ?? ''
  if (open.includes(index)) return name
  const of = (type: SiLookupTypeId): string => shapeOf(registry, type, [...open, index])
  if (def.isPrimitive) return def.asPrimitive.type.toLowerCase()
  if (def.isCompact) return 'compact' // the width of the integer changes no bytes
  if (def.isSequence) return `[${of(def.asSequence.type)}]`
  if (def.isArray) return `[${of(def.asArray.type)}; ${def.asArray.len.toNumber()}]`
  if (def.isTuple) return `(${def.asTuple.map(of).join(', ')})`
  if (def.isBitSequence) return 'bits'
  if (def.isComposite) {
    const fields = def.asComposite.fields.map((field) => of(field.type))
    return fields.length === 1 ? (fields[0] ?? '') : `{${fields.join(', ')}}`
  }
  if (WHOLE_RUNTIME.test(name)) return name
  const variant = ({ index: tag, fields }: Si1Variant): string =>
    `${tag.toNumber()}(${fields.map((field) => of(field.type)).join(', ')})`
  return `<${def.asVariant.variants.map(variant).join(' | ')}>`
}
