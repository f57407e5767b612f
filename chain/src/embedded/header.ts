import { concatBytes } from '@arbor/shared/bytes'
import { fromHex, toHex } from '@arbor/shared/hex'
import type { Block, Hex } from '@arbor/shared/units'
import { blake256 } from './hash.ts'
import { compact, reader, u64le, vec } from './scale.ts'
import type { Header } from './types.ts'

/** Engine of the authorship digests. @source sp_consensus_aura::AURA_ENGINE_ID */
const AURA = new TextEncoder().encode('aura')
/** @source sp_runtime::generic::DigestItem */
const SEAL = 5
const PRE_RUNTIME = 6
const CONSENSUS = 4
const OTHER = 0

/** Encodes a header as its hash and the runtime see it. */
export const encodeHeader = (header: Header): Uint8Array =>
  concatBytes(
    fromHex(header.parentHash, 32),
    compact(header.number),
    fromHex(header.stateRoot, 32),
    fromHex(header.extrinsicsRoot, 32),
    compact(header.digest.length),
    ...header.digest.map((item) => fromHex(item)),
  )

/** Decodes a header. @throws CHAIN_SCALE */
export const decodeHeader = (encoded: Uint8Array): Header => {
  const source = reader(encoded)
  const parentHash = toHex(source.bytes(32))
  const number = source.compact() as Block
  const stateRoot = toHex(source.bytes(32))
  const extrinsicsRoot = toHex(source.bytes(32))
  const digest = Array.from({ length: source.compact() }, () => {
    const start = source.offset
    const kind = source.u8()
    if (kind === SEAL || kind === PRE_RUNTIME || kind === CONSENSUS) source.bytes(4)
    if (kind === SEAL || kind === PRE_RUNTIME || kind === CONSENSUS || kind === OTHER) source.vec()
    return toHex(encoded.subarray(start, source.offset))
  })
  return { parentHash, number, stateRoot, extrinsicsRoot, digest }
}

/** Hashes a header; that is the hash of its block. */
export const hashHeader = (header: Header): Hex => toHex(blake256(encodeHeader(header)))

/** Says in which slot a block is made. */
export const slotDigest = (slot: number): Hex => toHex(concatBytes(Uint8Array.of(PRE_RUNTIME), AURA, vec(u64le(slot))))

/** Carries the author's signature of the header's hash. */
export const sealDigest = (signature: Uint8Array): Hex => toHex(concatBytes(Uint8Array.of(SEAL), AURA, vec(signature)))

/** Reads the slot of a header; null for genesis. */
export const slotOf = (header: Header): number | null => {
  const prefix = toHex(concatBytes(Uint8Array.of(PRE_RUNTIME), AURA))
  const item = header.digest.find((digest) => digest.startsWith(prefix))
  if (item === undefined) return null
  return Number(reader(reader(fromHex(item).subarray(5)).vec()).u64())
}
