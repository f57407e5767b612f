import { concatBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex, toHex } from '@arbor/shared/hex'
import { decodeSs58, encodeSs58 } from '@arbor/shared/ss58'
import type { NetUid } from '@arbor/shared/units'
import type { Optimiser, OptimiserTerms, Update, UpdateHead } from './types.ts'

/**
 * An update's file: "ARBU", version (u8), optimiser (u8), netuid (u16), round (u32), size (u32), then 32 bytes each of the hotkey, the base and the
 * states' root, then the payload; integers little-endian. Its name is `blobName` of it, and no two files say the same of an update.
 */
const MAGIC = new TextEncoder().encode('ARBU')
const VERSION = 1
const KINDS: readonly OptimiserTerms['kind'][] = ['diloco', 'sparseloco', 'demo']
const NUMBERS = MAGIC.length + 12
export const UPDATE_HEAD_BYTES = NUMBERS + 3 * 32

/** Counts the bytes that the largest update's file of an optimiser has. */
export const updateBytesMost = ({ maxPayloadBytes }: Pick<Optimiser, 'maxPayloadBytes'>): number =>
  UPDATE_HEAD_BYTES + maxPayloadBytes

/** Writes an update's file. */
export const encodeUpdate = ({ head, payload }: Update): Uint8Array => {
  const numbers = Buffer.alloc(NUMBERS)
  numbers.set(MAGIC)
  numbers.writeUInt8(VERSION, 4)
  numbers.writeUInt8(KINDS.indexOf(head.optimiser), 5)
  numbers.writeUInt16LE(head.netuid, 6)
  numbers.writeUInt32LE(head.round, 8)
  numbers.writeUInt32LE(head.size, 12)
  return concatBytes(numbers, decodeSs58(head.hotkey), fromHex(head.base, 32), fromHex(head.states, 32), payload)
}

/**
 * Reads an update's file. The payload is a view of it; nothing of the declared size is allocated.
 * @throws UPDATE_TOO_LARGE, UPDATE_MALFORMED
 */
export const decodeUpdate = ({ file, maxBytes }: { readonly file: Uint8Array; readonly maxBytes: number }): Update => {
  if (file.length > maxBytes)
    throw new SubnetError({
      code: 'UPDATE_TOO_LARGE',
      message: `The update has ${file.length} bytes, and ${maxBytes} are allowed; it is not counted`,
    })
  if (file.length < UPDATE_HEAD_BYTES) throw malformed(`has ${file.length} bytes, its head alone ${UPDATE_HEAD_BYTES}`)
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw malformed('does not begin with ARBU')
  if (bytes[4] !== VERSION) throw malformed(`has version ${bytes[4]} instead of ${VERSION}`)
  const optimiser = KINDS[bytes[5] ?? KINDS.length]
  if (optimiser === undefined) throw malformed(`names optimiser ${bytes[5]}, which is not known`)
  const hash = (index: number): Uint8Array => bytes.subarray(NUMBERS + 32 * index, NUMBERS + 32 * (index + 1))
  return {
    head: {
      version: VERSION,
      netuid: bytes.readUInt16LE(6) as NetUid,
      round: bytes.readUInt32LE(8),
      hotkey: encodeSs58(hash(0)),
      base: toHex(hash(1)),
      optimiser,
      size: bytes.readUInt32LE(12),
      states: toHex(hash(2)),
    },
    payload: file.subarray(UPDATE_HEAD_BYTES),
  }
}

/** What an update's head has to say to count. */
export type Expected = Omit<UpdateHead, 'version' | 'states'>

/** Holds a head against what it has to say. @throws UPDATE_FOREIGN, UPDATE_STALE, UPDATE_SHAPE */
export const checkHead = (head: UpdateHead, expected: Expected): void => {
  const refuse = (code: string, what: keyof Expected): never => {
    const message = `The update's ${what} is ${head[what]} instead of ${expected[what]}; it is not counted`
    throw new SubnetError({ code, message })
  }
  if (head.netuid !== expected.netuid) refuse('UPDATE_FOREIGN', 'netuid')
  if (head.hotkey !== expected.hotkey) refuse('UPDATE_FOREIGN', 'hotkey')
  if (head.round !== expected.round) refuse('UPDATE_STALE', 'round')
  if (head.base !== expected.base) refuse('UPDATE_STALE', 'base')
  if (head.optimiser !== expected.optimiser) refuse('UPDATE_SHAPE', 'optimiser')
  if (head.size !== expected.size) refuse('UPDATE_SHAPE', 'size')
}

/**
 * Reads a stranger's file as the update that it has to be.
 * @throws UPDATE_TOO_LARGE, UPDATE_MALFORMED, UPDATE_FOREIGN, UPDATE_STALE, UPDATE_SHAPE, UPDATE_NOT_FINITE
 */
export const readUpdate = (of: {
  readonly file: Uint8Array
  /** The spec's limit; the optimiser's own is kept too. */
  readonly maxBytes: number
  readonly expected: Expected
  readonly optimiser: Optimiser
}): { readonly update: Update; readonly vector: Float32Array } => {
  const { file, maxBytes, expected, optimiser } = of
  const update = decodeUpdate({ file, maxBytes: Math.min(maxBytes, updateBytesMost(optimiser)) })
  checkHead(update.head, expected)
  return { update, vector: optimiser.decode(update.payload) }
}

const malformed = (what: string): SubnetError =>
  new SubnetError({ code: 'UPDATE_MALFORMED', message: `The update's file ${what}; it is not counted` })
