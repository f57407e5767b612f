import { z } from 'zod'
import { SubnetError } from './errors.ts'
import { fromHex, isHex, toHex } from './hex.ts'
import { decodeCanonical, encodeCanonical, isBytes, isUint } from './protocol/canonical.ts'
import { decodeSs58, encodeSs58, isSs58 } from './ss58.ts'
import type { Block, Hex, NetUid, Ss58 } from './units.ts'
import { verifySignature } from './verify-signature.ts'

export const TREE_HEAD = 'arbor/tree-head/1'

/** What a validator says of its log: so many entries, and the root of their tree. */
export interface TreeHead {
  readonly genesisHash: Hex
  readonly netuid: NetUid
  /** The validator, whose key signs it. */
  readonly hotkey: Ss58
  /** Entries of the log. */
  readonly size: number
  /** Root of their tree, 32 bytes. */
  readonly root: Hex
  /** Newest finalised block that the validator knew of. */
  readonly block: Block
}

/** A head with the hotkey's sr25519 signature of its canonical bytes. */
export interface SignedHead extends TreeHead {
  readonly signature: Hex
}

/** Encodes what the hotkey signs. */
export const treeHeadBytes = (of: TreeHead): Uint8Array =>
  encodeCanonical([
    TREE_HEAD,
    fromHex(of.genesisHash, 32),
    of.netuid,
    decodeSs58(of.hotkey),
    of.size,
    fromHex(of.root, 32),
    of.block,
  ])

/** Reads what is to be signed; null unless these bytes are the only spelling of a head. */
export const readTreeHead = (bytes: Uint8Array): TreeHead | null => {
  const fields = decodeCanonical(bytes)
  if (fields === null || fields.length !== 7) return null
  const [tag, genesisHash, netuid, hotkey, size, root, block] = fields
  if (tag !== TREE_HEAD || !isBytes(genesisHash, 32) || !isUint(netuid, 65_535) || !isBytes(hotkey, 32)) return null
  if (!isUint(size) || !isBytes(root, 32) || !isUint(block)) return null
  return {
    genesisHash: toHex(genesisHash),
    netuid: netuid as NetUid,
    hotkey: encodeSs58(hotkey),
    size,
    root: toHex(root),
    block: block as Block,
  }
}

const hexOf = (bytes: number) =>
  z
    .string()
    .refine((text) => isHex(text, bytes) && text === text.toLowerCase(), `is not ${bytes} bytes in hexadecimal`)
    .transform((text) => text as Hex)
const count = z.int().min(0)

const signedHead = z.strictObject({
  genesisHash: hexOf(32),
  netuid: count.max(65_535).transform((value) => value as NetUid),
  hotkey: z
    .string()
    .max(64)
    .refine(isSs58, 'is no address')
    .transform((text) => text as Ss58),
  size: count,
  root: hexOf(32),
  block: count.transform((value) => value as Block),
  signature: hexOf(64),
})

/** Reads a head as it is served. @throws LOG_HEAD_INVALID when a part is missing, unknown or of another kind */
export const readHead = (json: unknown): SignedHead => {
  const read = signedHead.safeParse(json)
  if (read.success) return read.data
  const issue = read.error.issues[0]
  throw new SubnetError({
    code: 'LOG_HEAD_INVALID',
    message: `The tree head's ${issue?.path.join('.') || 'whole'} is not as heads of ${TREE_HEAD} have it: ${issue?.message ?? ''}; ask another address, or update Arbor`,
  })
}

/** Tells whether the hotkey that a head names signed it. */
export const verifyHead = ({ signature, ...head }: SignedHead): boolean =>
  verifySignature(decodeSs58(head.hotkey), treeHeadBytes(head), fromHex(signature, 64))

/** Tells whether two heads, each with a good signature, prove that their signer told two histories: one size, two roots. */
export const isEquivocation = (first: TreeHead, second: TreeHead): boolean =>
  first.genesisHash === second.genesisHash &&
  first.netuid === second.netuid &&
  first.hotkey === second.hotkey &&
  first.size === second.size &&
  first.root !== second.root

/** What the chain holds of a log: its size and root, and where it is served. */
export interface Anchor {
  readonly size: number
  readonly root: Hex
  /** Empty where it is not said. */
  readonly url: string
}

const ANCHOR = new TextEncoder().encode('arbor1')
const FIXED_BYTES = ANCHOR.length + 8 + 32
/** The chain takes 128 bytes. @source chain/pallets/commitments/src/types.rs MAX_RAW_BYTES */
export const MAX_ANCHOR_URL_BYTES = 128 - FIXED_BYTES

/**
 * Encodes an anchor: `arbor1`, the size as u64 little-endian, the root, and the URL in UTF-8.
 * @throws LOG_ANCHOR_URL when the URL has more bytes than the chain takes
 */
export const encodeAnchor = ({ size, root, url }: Anchor): Uint8Array => {
  const text = Buffer.from(url)
  if (text.length > MAX_ANCHOR_URL_BYTES)
    throw new SubnetError({
      code: 'LOG_ANCHOR_URL',
      message: `The receipts' URL has ${text.length} bytes, and the chain's record has room for ${MAX_ANCHOR_URL_BYTES}: ${url}; name a shorter one with --receipts-url`,
    })
  const bytes = Buffer.alloc(FIXED_BYTES + text.length)
  bytes.set(ANCHOR)
  bytes.writeBigUInt64LE(BigInt(size), ANCHOR.length)
  bytes.set(fromHex(root, 32), ANCHOR.length + 8)
  bytes.set(text, FIXED_BYTES)
  return bytes
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads an anchor; null for whatever else a neuron may have committed. The URL is a stranger's text. */
export const readAnchor = (bytes: Uint8Array): Anchor | null => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.length < FIXED_BYTES || buffer.length > 128 || !buffer.subarray(0, ANCHOR.length).equals(ANCHOR))
    return null
  const size = buffer.readBigUInt64LE(ANCHOR.length)
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) return null
  try {
    const url = utf8.decode(buffer.subarray(FIXED_BYTES))
    return { size: Number(size), root: toHex(buffer.subarray(ANCHOR.length + 8, FIXED_BYTES)), url }
  } catch {
    return null // ill-formed
  }
}
