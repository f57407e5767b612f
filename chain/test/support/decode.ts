import { fromHex, toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { Metadata, TypeRegistry } from '@polkadot/types'
import { xxhashAsHex } from '@polkadot/util-crypto'
import { reader } from '../../src/embedded/scale.ts'
import type { EmbeddedChain } from '../../src/embedded/types.ts'

/** Reads answers by the types that the chain's V15 metadata gives them. */
export interface Decoder {
  /** What a runtime API function returns, as JSON; undefined when the metadata has no such function. */
  call(method: string, answer: string): unknown
  /** The name of a storage item by its key, such as `SubtensorModule.Uids`; undefined when there is none. */
  item(key: string): string | undefined
  /** What a storage item holds, as JSON. */
  storage(key: string, value: string): unknown
  /** The name of an encoded call, such as `subtensorModule.setWeights`; throws when it is none of this chain's. */
  callName(encoded: Uint8Array): string
}

type LookupId = Parameters<TypeRegistry['createLookupType']>[0]

/** Makes a decoder from the chain's own metadata. */
export const createDecoder = (chain: EmbeddedChain): Decoder => {
  const registry = new TypeRegistry()
  const answer = chain.call('Metadata_metadata_at_version', Uint8Array.of(15, 0, 0, 0), chain.best().hash)
  const metadata = new Metadata(registry, toHex(reader(answer.subarray(1)).vec()))
  registry.setMetadata(metadata, undefined, { SubtensorTransactionExtension: { extrinsic: {}, payload: {} } })
  const latest = metadata.asV15
  const outputs = new Map<string, LookupId>(
    latest.apis.flatMap((api) => api.methods.map((method) => [`${api.name}_${method.name}`, method.output] as const)),
  )
  const items = new Map(
    latest.pallets.flatMap((pallet) => {
      const storage = pallet.storage.unwrapOr(null)
      if (storage === null) return []
      const prefix = xxhashAsHex(storage.prefix.toString(), 128)
      return storage.items.map((item) => {
        const value = item.type.isPlain ? item.type.asPlain : item.type.asMap.value
        return [
          prefix + xxhashAsHex(item.name.toString(), 128).slice(2),
          { name: `${pallet.name}.${item.name}`, value },
        ] as const
      })
    }),
  )
  const whole = (id: LookupId, bytes: string): unknown => {
    const value = registry.createTypeUnsafe(registry.createLookupType(id), [fromHex(bytes as Hex)])
    // A type that reads less than it was given is not the type of the answer.
    if (toHex(value.toU8a()) !== bytes)
      throw new Error(`${value.toRawType()} does not encode to ${bytes.slice(0, 200)} again`)
    return value.toJSON()
  }
  const find = (key: string) => items.get(key.slice(0, 66))
  return {
    call: (method, answer_) => {
      const output = outputs.get(method)
      return output === undefined ? undefined : whole(output, answer_)
    },
    item: (key) => find(key)?.name,
    storage: (key, value) => {
      const item = find(key)
      if (item === undefined) throw new Error(`no storage item at ${key}`)
      return whole(item.value, value)
    },
    callName: (encoded) => {
      const call = registry.createType('Call', encoded)
      if (toHex(call.toU8a()) !== toHex(encoded)) throw new Error('the call has other arguments here')
      return `${call.section}.${call.method}`
    },
  }
}
