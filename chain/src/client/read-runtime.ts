import { SubnetError } from '@arbor/shared/errors'
import { Metadata, TypeRegistry } from '@polkadot/types'
import type { RuntimeVersion } from '@polkadot/types/interfaces'
import { compactFromU8a, u8aToHex } from '@polkadot/util'
import { createRuntime, type Runtime } from './runtime.ts'

/** "meta" in little-endian order: the first bytes of all metadata. */
const MAGIC = [0x6d, 0x65, 0x74, 0x61]
const VERSIONS = [14, 15, 16]

/**
 * Reads metadata with a registry of its own.
 * @param bytes SCALE, from the magic bytes on; what the length prefix or option of an RPC answer puts before them is skipped
 * @param version as state_getRuntimeVersion answers; taken from System.Version of the metadata when absent
 * @throws CHAIN_METADATA when the bytes are no metadata, of another version, cut short or malformed
 */
export function readRuntime(bytes: Uint8Array, version: object | null): Runtime {
  const plain = fromMagic(bytes)
  const number = plain[4] ?? 0
  if (!VERSIONS.includes(number)) {
    throw notMetadata(`it has version ${number}, and Arbor reads ${VERSIONS.join(', ')}`)
  }
  try {
    const registry = new TypeRegistry()
    const metadata = new Metadata(registry, u8aToHex(plain))
    // The codec takes what is missing at the end as zeros; written again, it shows.
    const written = version === null ? metadata.toU8a().length : plain.length
    if (written !== plain.length) throw notMetadata(`it has ${plain.length} bytes, and what it tells takes ${written}`)
    registry.setMetadata(metadata, undefined, undefined, true)
    const stated = version === null ? statedVersion(registry, metadata) : version
    return createRuntime(registry, metadata, registry.createTypeUnsafe<RuntimeVersion>('RuntimeVersion', [stated]))
  } catch (cause) {
    if (cause instanceof SubnetError) throw cause
    throw notMetadata(`it cannot be read as version ${number}: ${reason(cause)}`, cause)
  }
}

/** Skips what RPC answers put before the magic bytes: an option's byte and a compact length. */
const fromMagic = (bytes: Uint8Array): Uint8Array => {
  // Metadata is longer than 2^14 bytes, so that its compact length has four.
  for (const start of [0, 4, 5]) {
    if (!MAGIC.every((byte, index) => bytes[start + index] === byte)) continue
    if (start > 0) mustBeLong(bytes.subarray(start - 4), bytes.length)
    return bytes.subarray(start)
  }
  throw notMetadata(`it does not begin with "meta" (${bytes.length} bytes)`)
}

const mustBeLong = (prefixed: Uint8Array, total: number): void => {
  const [offset, length] = compactFromU8a(prefixed)
  if (prefixed.length - offset < length.toNumber())
    throw notMetadata(`it is cut short: its prefix says ${length.toNumber()} bytes, there are ${total}`)
}

/** The version that the metadata itself states, in the constant System.Version. */
const statedVersion = (registry: TypeRegistry, metadata: Metadata): Uint8Array => {
  const system = metadata.asLatest.pallets.find(({ name }) => name.eq('System'))
  const constant = system?.constants.find(({ name }) => name.eq('Version'))
  if (constant === undefined) throw notMetadata('its System pallet states no version')
  return registry.createTypeUnsafe(registry.createLookupType(constant.type), [constant.value.toU8a(true)]).toU8a()
}

const notMetadata = (why: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'CHAIN_METADATA',
    message: `this is no chain metadata that Arbor can read: ${why}; give what state_getMetadata or Metadata_metadata_at_version answers`,
    cause,
  })

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).slice(0, 200)
