import type { SiLookupTypeId } from '@polkadot/types/interfaces'
import { compactFromU8a, compactToU8a } from '@polkadot/util'
import type { Runtime } from '../client/runtime.ts'
import { type Forbidden, forbid } from './rules.ts'

/** What a payload says besides its call. */
export interface Extra {
  /** Blocks for which it is valid; null for ever. */
  eraBlocks: number | null
  tip: bigint
  specVersion: number | null
  transactionVersion: number | null
  genesisHash: Uint8Array | null
}

/** Reads one part from the beginning of `bytes`. @returns its length, or null when it cannot be read */
type Part = (bytes: Uint8Array, into: Extra) => number | null

const compact =
  (keep: (value: bigint, into: Extra) => void): Part =>
  (bytes, into) => {
    if (bytes.length === 0) return null
    const [length, value] = compactFromU8a(bytes)
    const number = BigInt(value.toString())
    const written = compactToU8a(number)
    if (written.length !== length || written.some((byte, index) => byte !== bytes[index])) return null
    keep(number, into)
    return length
  }

const u32 =
  (keep: (value: number, into: Extra) => void): Part =>
  (bytes, into) => {
    if (bytes.length < 4) return null
    keep(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true), into)
    return 4
  }

const h256 =
  (keep: (value: Uint8Array, into: Extra) => void): Part =>
  (bytes, into) => {
    if (bytes.length < 32) return null
    keep(bytes.slice(0, 32), into)
    return 32
  }

/** One byte that must be zero: no hash of the metadata is signed, which wallets without a chain would compare. */
const zero: Part = (bytes) => (bytes[0] === 0 ? 1 : null)

/** @source polkadot-sdk sp_runtime::generic::Era, decode */
const era: Part = (bytes, into) => {
  const first = bytes[0]
  if (first === undefined) return null
  if (first === 0) {
    into.eraBlocks = null
    return 1
  }
  const second = bytes[1]
  if (second === undefined) return null
  const encoded = first + (second << 8)
  const period = 2 << (encoded % 16)
  const phase = (encoded >> 4) * Math.max(period >> 12, 1)
  if (period < 4 || phase >= period) return null
  into.eraBlocks = period
  return 2
}

interface KnownExtension {
  /** What goes into the transaction, and what is signed alone: their types in the metadata, and how they are read. */
  readonly extra?: readonly [type: RegExp, part: Part]
  readonly implicit?: readonly [type: RegExp, part: Part]
}

const version: KnownExtension = {
  implicit: [
    /^u32$/,
    u32((value, into) => {
      into.specVersion = value
    }),
  ],
}
const mortality: KnownExtension = { extra: [/^Era$/, era], implicit: [/^H256$/, h256(() => undefined)] }

/** Parts of a transaction that the signer understands; every other one must be empty. */
const KNOWN: Readonly<Record<string, KnownExtension>> = {
  CheckVersion: version,
  CheckSpecVersion: version,
  CheckTxVersion: {
    implicit: [
      /^u32$/,
      u32((value, into) => {
        into.transactionVersion = value
      }),
    ],
  },
  CheckGenesis: {
    implicit: [
      /^H256$/,
      h256((value, into) => {
        into.genesisHash = value
      }),
    ],
  },
  CheckEra: mortality,
  CheckMortality: mortality,
  CheckNonce: { extra: [/^Compact<u(32|64)>$/, compact(() => undefined)] },
  ChargeTransactionPayment: {
    extra: [
      /^Compact<u(64|128)>$/,
      compact((value, into) => {
        into.tip = value
      }),
    ],
  },
  CheckMetadataHash: { extra: [/"mode"/, zero], implicit: [/^Option</, zero] },
}

/** Reads what follows the call in a payload, to its last byte, as the runtime's own metadata orders it. */
export const readExtensions = (
  runtime: Runtime,
  bytes: Uint8Array,
): { readonly ok: true; readonly extra: Extra } | Forbidden => {
  const extra: Extra = { eraBlocks: null, tip: 0n, specVersion: null, transactionVersion: null, genesisHash: null }
  const extensions = extensionsOf(runtime)
  let at = 0
  for (const side of ['extra', 'implicit'] as const) {
    for (const { name, [side]: type } of extensions) {
      const known = Object.hasOwn(KNOWN, name) ? KNOWN[name]?.[side] : undefined
      if (known === undefined) {
        if (isEmpty(runtime, type)) continue
        return forbid('extension', `transactions of this chain carry ${name}, which the signer does not know`)
      }
      if (!known[0].test(runtime.registry.lookup.getTypeDef(type).type))
        return forbid('extension', `${name} is otherwise in this chain's transactions than the signer knows it`)
      const length = known[1](bytes.subarray(at), extra)
      if (length === null) return forbid('bytes', `the payload's ${name} cannot be read`)
      at += length
    }
  }
  return at === bytes.length ? { ok: true, extra } : forbid('bytes', 'the payload goes on after its end')
}

/** The extensions with both of their types; the codec's own upgrade of older metadata loses the second one. */
const extensionsOf = (
  runtime: Runtime,
): readonly { readonly name: string; readonly extra: SiLookupTypeId; readonly implicit: SiLookupTypeId }[] => {
  const { metadata } = runtime
  if (metadata.version === 16)
    return metadata.asV16.extrinsic.transactionExtensions.map(({ identifier, type, implicit }) => ({
      name: identifier.toString(),
      extra: type,
      implicit,
    }))
  const { extrinsic } = metadata.version === 15 ? metadata.asV15 : metadata.asV14
  return extrinsic.signedExtensions.map(({ identifier, type, additionalSigned }) => ({
    name: identifier.toString(),
    extra: type,
    implicit: additionalSigned,
  }))
}

const isEmpty = ({ registry }: Runtime, type: SiLookupTypeId): boolean =>
  registry.createTypeUnsafe(registry.createLookupType(type), []).encodedLength === 0
