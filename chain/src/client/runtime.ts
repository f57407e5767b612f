import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import { expandMetadata, type Metadata, type TypeRegistry } from '@polkadot/types'
import type { RuntimeVersion, SiLookupTypeId } from '@polkadot/types/interfaces'
import type { DecoratedMeta } from '@polkadot/types/metadata/decorate/types'
import type { StorageEntry } from '@polkadot/types/primitive/types'
import type { CallFunction, Codec } from '@polkadot/types/types'
import { hexToU8a, stringCamelCase, u8aToHex } from '@polkadot/util'
import { noItem } from './errors.ts'

/** What one version of the chain's code says of itself; the only source of names and types. */
export interface Runtime {
  readonly specName: string
  readonly specVersion: number
  readonly transactionVersion: number
  readonly version: RuntimeVersion
  readonly registry: TypeRegistry
  readonly metadata: Metadata
  readonly decorated: DecoratedMeta
}

/** Reads a runtime's metadata into names and codecs. */
export function createRuntime(registry: TypeRegistry, metadata: Metadata, version: RuntimeVersion): Runtime {
  return {
    specName: version.specName.toString(),
    specVersion: version.specVersion.toNumber(),
    transactionVersion: version.transactionVersion.toNumber(),
    version,
    registry,
    metadata,
    decorated: expandMetadata(registry, metadata),
  }
}

/** Finds a storage item by its metadata name; null when this runtime has none. */
export const findStorage = (runtime: Runtime, pallet: string, item: string): StorageEntry | null =>
  runtime.decorated.query[stringCamelCase(pallet)]?.[stringCamelCase(item)] ?? null

/** Finds a storage item by its metadata name. @throws CHAIN_NO_ITEM */
export function storageItem(runtime: Runtime, pallet: string, item: string): StorageEntry {
  const entry = findStorage(runtime, pallet, item)
  if (entry === null) throw noItem('storage item', `${pallet}.${item}`, runtime.specVersion)
  return entry
}

/** Encodes the full key of a storage entry. @throws CHAIN_KEY when the keys do not fit the item */
export function storageKey(entry: StorageEntry, keys: readonly unknown[]): Hex {
  try {
    const bytes = entry(...keys)
    return u8aToHex(entry.meta.type.isPlain || bytes.length > 0 ? stripLength(bytes) : bytes) as Hex
  } catch (cause) {
    throw new SubnetError({
      code: 'CHAIN_KEY',
      message: `the keys [${keys.map(String).join(', ')}] do not fit ${entry.prefix}.${entry.method}: ${cause instanceof Error ? cause.message : cause}`,
      cause,
    })
  }
}

const stripLength = (bytes: Uint8Array): Uint8Array => {
  const mode = (bytes[0] ?? 0) & 3
  return bytes.subarray(mode === 0 ? 1 : mode === 1 ? 2 : 4)
}

/** Decodes a storage value; null for an absent optional one, the metadata's default for an absent default one. */
export function decodeStorage(runtime: Runtime, entry: StorageEntry, raw: Hex | null): Codec | null {
  const { modifier, fallback, type } = entry.meta
  if (raw === null && modifier.isOptional) return null
  const bytes = raw === null ? fallback.toU8a(true) : hexToU8a(raw)
  return decode(runtime, type.isPlain ? type.asPlain : type.asMap.value, bytes, `${entry.prefix}.${entry.method}`)
}

/** Decodes bytes as a type of the runtime. @throws CHAIN_DECODE */
export function decode(runtime: Runtime, type: SiLookupTypeId, bytes: Uint8Array, what: string): Codec {
  try {
    return runtime.registry.createTypeUnsafe(runtime.registry.createLookupType(type), [bytes])
  } catch (cause) {
    throw new SubnetError({
      code: 'CHAIN_DECODE',
      message: `the chain's ${what} does not decode as its metadata says (spec version ${runtime.specVersion}); update Arbor or report it`,
      details: { what, specVersion: runtime.specVersion, bytes: bytes.length },
      cause,
    })
  }
}

/** A runtime API's inputs and output, from metadata of version 15 or later. */
export interface RuntimeApi {
  readonly inputs: readonly SiLookupTypeId[]
  readonly output: SiLookupTypeId
}

/** Finds a runtime API; null when this runtime has none by that name. */
export function findRuntimeApi(runtime: Runtime, api: string, method: string): RuntimeApi | null {
  const found = runtime.metadata.asLatest.apis
    .find((entry) => entry.name.eq(api))
    ?.methods.find((entry) => entry.name.eq(method))
  return found ? { inputs: found.inputs.map((input) => input.type), output: found.output } : null
}

/** Encodes the arguments of a runtime API. */
export const encodeInputs = (runtime: Runtime, api: RuntimeApi, inputs: readonly unknown[]): Hex =>
  u8aToHex(
    Uint8Array.from(
      api.inputs.flatMap((type, index) => [
        ...runtime.registry.createTypeUnsafe(runtime.registry.createLookupType(type), [inputs[index]]).toU8a(),
      ]),
    ),
  ) as Hex

/** Finds a call's constructor by its name in the metadata; null when this runtime has none. */
export function findCall(runtime: Runtime, name: string): CallFunction | null {
  const [pallet = '', call = ''] = name.split('.')
  return runtime.decorated.tx[stringCamelCase(pallet)]?.[stringCamelCase(call)] ?? null
}

/** Finds a call's constructor. @throws CHAIN_NO_ITEM */
export function callFunction(runtime: Runtime, pallet: string, call: string): CallFunction {
  const fn = findCall(runtime, `${pallet}.${call}`)
  if (fn === null) throw noItem('call', `${pallet}.${call}`, runtime.specVersion)
  return fn
}

/** Names a pallet by its index in the runtime. */
export const palletName = (runtime: Runtime, index: number): string =>
  runtime.metadata.asLatest.pallets.find((pallet) => pallet.index.eq(index))?.name.toString() ?? `Pallet${index}`
