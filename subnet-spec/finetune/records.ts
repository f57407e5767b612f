import { concatBytes, toBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex, toHex } from '@arbor/shared/hex'
import type { Hex, Uid } from '@arbor/shared/units'
import type { UpdateCommitment, Vote } from './types.ts'

/**
 * Fields of a neuron's record on chain, each known by its first four bytes; integers little-endian.
 *   update  "aru" 1, round (u32), bytes (u32), name (32), first 8 bytes of the base
 *   place   "arl" 1, URL in UTF-8
 *   vote    "arv" 1, round (u32), base (32), bitmap of the uids: bit i of byte j is uid 8j + i, without zeros at the end
 */
const tag = (letter: string): Uint8Array => Uint8Array.of(...toBytes(`ar${letter}`), 1)
const [UPDATE, PLACE, VOTE] = [tag('u'), tag('l'), tag('v')]
/** @source chain/pallets/commitments/src/types.rs MAX_RAW_BYTES */
const FIELD_BYTES = 128
const BASE_BYTES = 8
const UPDATE_BYTES = 4 + 4 + 4 + 32 + BASE_BYTES
const VOTE_BYTES = 4 + 4 + 32
/** Longest URL that a record takes, in bytes. */
export const MAX_UPDATE_URL_BYTES = FIELD_BYTES - PLACE.length
/** Uids below this one can be voted for. */
export const MAX_VOTED_UIDS = 8 * (FIELD_BYTES - VOTE_BYTES)

/** Gives the part of a checkpoint's name that a commitment carries. */
export const basePrefix = (name: Hex): Hex => name.slice(0, 2 + 2 * BASE_BYTES) as Hex

const isTagged = (raw: Uint8Array, tagged: Uint8Array): boolean => tagged.every((byte, index) => raw[index] === byte)

/** Tells whether a field belongs to a miner's commitment. */
export const isUpdateField = (raw: Uint8Array): boolean => isTagged(raw, UPDATE) || isTagged(raw, PLACE)
/** Tells whether a field is a validator's vote. */
export const isVoteField = (raw: Uint8Array): boolean => isTagged(raw, VOTE)

/**
 * Writes what a miner commits: one field, or two with a URL.
 * @throws RECORD_URL when the URL has more bytes than the chain takes
 */
export const encodeUpdateRecord = ({ round, name, bytes, base, url }: UpdateCommitment): readonly Uint8Array[] => {
  const numbers = Buffer.alloc(8)
  numbers.writeUInt32LE(round, 0)
  numbers.writeUInt32LE(bytes, 4)
  const field = concatBytes(UPDATE, numbers, fromHex(name, 32), fromHex(base, BASE_BYTES))
  const text = toBytes(url)
  if (text.length > MAX_UPDATE_URL_BYTES)
    throw new SubnetError({
      code: 'RECORD_URL',
      message: `The update's URL has ${text.length} bytes, and the chain's record has room for ${MAX_UPDATE_URL_BYTES}; name a shorter one`,
    })
  return text.length === 0 ? [field] : [field, concatBytes(PLACE, text)]
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads what a miner committed; null where it is anything else. The URL is a stranger's text. */
export const readUpdateRecord = (fields: readonly Uint8Array[]): UpdateCommitment | null => {
  const updates = fields.filter((raw) => isTagged(raw, UPDATE))
  const places = fields.filter((raw) => isTagged(raw, PLACE))
  const [field] = updates
  if (field === undefined || updates.length > 1 || places.length > 1 || field.length !== UPDATE_BYTES) return null
  const url = places[0] === undefined ? '' : urlOf(places[0])
  if (url === null) return null
  const bytes = Buffer.from(field.buffer, field.byteOffset, field.byteLength)
  return {
    round: bytes.readUInt32LE(4),
    bytes: bytes.readUInt32LE(8),
    name: toHex(bytes.subarray(12, 44)),
    base: toHex(bytes.subarray(44)),
    url,
  }
}

const urlOf = (field: Uint8Array): string | null => {
  if (field.length === PLACE.length || field.length > FIELD_BYTES) return null
  try {
    return utf8.decode(field.subarray(PLACE.length))
  } catch {
    return null // ill-formed
  }
}

/** Writes a vote. @throws RECORD_UID when a uid is above those that have a bit */
export const encodeVote = ({ round, base, accepted }: Vote): Uint8Array => {
  const highest = Math.max(-1, ...accepted)
  if (highest >= MAX_VOTED_UIDS)
    throw new SubnetError({
      code: 'RECORD_UID',
      message: `A vote names uid ${highest}, and has bits for those below ${MAX_VOTED_UIDS}; train in a subnet with fewer neurons`,
    })
  const bitmap = new Uint8Array(Math.floor(highest / 8) + 1)
  for (const uid of accepted) bitmap[uid >> 3] = (bitmap[uid >> 3] ?? 0) | (1 << (uid & 7))
  const number = Buffer.alloc(4)
  number.writeUInt32LE(round, 0)
  return concatBytes(VOTE, number, fromHex(base, 32), bitmap)
}

/** Reads the vote among a record's fields; null where there is none, more than one, or something else. */
export const readVote = (fields: readonly Uint8Array[]): Vote | null => {
  const [field, ...more] = fields.filter(isVoteField)
  if (field === undefined || more.length > 0 || field.length < VOTE_BYTES || field.length > FIELD_BYTES) return null
  const bitmap = field.subarray(VOTE_BYTES)
  if (bitmap.at(-1) === 0) return null
  const bits = Array.from({ length: 8 * bitmap.length }, (_, uid) => uid as Uid)
  return {
    round: Buffer.from(field.buffer, field.byteOffset, field.byteLength).readUInt32LE(4),
    base: toHex(field.subarray(8, 40)),
    accepted: bits.filter((uid) => ((bitmap[uid >> 3] ?? 0) >> (uid & 7)) % 2 === 1),
  }
}
