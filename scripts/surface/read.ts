import { Metadata, TypeRegistry } from '@polkadot/types'
import type { SiLookupTypeId, SiVariant } from '@polkadot/types/interfaces'
import { shapeOf } from './shape.ts'

/** A call, a storage item, a constant, an error or a runtime API's method. */
export interface Item {
  readonly name: string
  /** Index of a call or an error; null for the rest, which go by name. */
  readonly index: number | null
  /** What a client encodes or decodes. */
  readonly shape: string
}

/** The kinds of items that a pallet has. */
export const KINDS = ['calls', 'storage', 'constants', 'errors'] as const
export type Kind = (typeof KINDS)[number]

/** What one pallet shows to clients. */
export interface PalletSurface extends Readonly<Record<Kind, readonly Item[]>> {
  readonly name: string
  readonly index: number
}

/** What a chain shows to clients, by its metadata. */
export interface Surface {
  readonly pallets: readonly PalletSurface[]
  /** Methods of runtime APIs, as `Api_method`. */
  readonly apis: readonly Item[]
}

/** Reads metadata of version 15 or later, which begins with "meta". */
export function readSurface(bytes: Uint8Array): Surface {
  const registry = new TypeRegistry()
  const metadata = new Metadata(registry, `0x${Buffer.from(bytes).toString('hex')}`)
  registry.setMetadata(metadata, undefined, { SubtensorTransactionExtension: { extrinsic: {}, payload: {} } }, true)
  const shape = (type: SiLookupTypeId): string => shapeOf(registry, type)
  const variants = (type: SiLookupTypeId): readonly Item[] =>
    registry.lookup.getSiType(type).def.asVariant.variants.map(({ name, index, fields }: SiVariant) => ({
      name: name.toString(),
      index: index.toNumber(),
      shape: fields.map((field) => `${field.name.toString()}: ${shape(field.type)}`).join(', '),
    }))
  const { pallets, apis } = metadata.asLatest
  return {
    pallets: pallets.map(({ name, index, calls, storage, constants, errors }) => ({
      name: name.toString(),
      index: index.toNumber(),
      calls: calls.isSome ? variants(calls.unwrap().type) : [],
      errors: errors.isSome ? variants(errors.unwrap().type) : [],
      constants: constants.map((constant) => ({
        name: constant.name.toString(),
        index: null,
        shape: shape(constant.type),
      })),
      storage: storage.isNone
        ? []
        : storage.unwrap().items.map(({ name: item, type, modifier }) => ({
            name: item.toString(),
            index: null,
            shape: type.isPlain
              ? `${modifier} ${shape(type.asPlain)}`
              : `${modifier} ${type.asMap.hashers.join(' ')} ${shape(type.asMap.key)} → ${shape(type.asMap.value)}`,
          })),
    })),
    apis: apis.flatMap((api) =>
      api.methods.map((method) => ({
        name: `${api.name}_${method.name}`,
        index: null,
        shape: `${method.inputs.map((input) => shape(input.type)).join(', ')} → ${shape(method.output)}`,
      })),
    ),
  }
}
