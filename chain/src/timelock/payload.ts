import { concatBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import type { Uid } from '@arbor/shared/units'
import { compactFromU8a, compactToU8a } from '@polkadot/util'
import type { WeightRow } from '../client/types.ts'

/** What a timelocked commit holds. */
export interface WeightsPayload {
  /** Public key of the hotkey, so that nobody can commit another's ciphertext as his own. */
  readonly hotkey: Uint8Array
  readonly row: WeightRow
  readonly version: bigint
}

const u16s = (values: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(values.length * 2)
  const view = new DataView(bytes.buffer)
  values.forEach((value, index) => {
    view.setUint16(index * 2, value, true)
  })
  return concatBytes(compactToU8a(values.length), bytes)
}

const u64 = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}

/** SCALE of uids, values and what follows them; commit and reveal, salted and timelocked, all have this part. */
export const encodeRow = (row: WeightRow): Uint8Array =>
  concatBytes(u16s(row.map(([uid]) => uid)), u16s(row.map(([, value]) => value)))

/** SCALE of a salt. */
export const encodeSalt = u16s

/** SCALE of a version key. */
export const encodeVersion = u64

/** SCALE of WeightsTlockPayload { hotkey: Vec<u8>, uids: Vec<u16>, values: Vec<u16>, version_key: u64 }. */
export const encodePayload = ({ hotkey, row, version }: WeightsPayload): Uint8Array =>
  concatBytes(compactToU8a(hotkey.length), hotkey, encodeRow(row), encodeVersion(version))

/** Reads a payload. @throws TIMELOCK_MALFORMED */
export function decodePayload(bytes: Uint8Array): WeightsPayload {
  let at = 0
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw short()
    at += length
    return bytes.subarray(at - length, at)
  }
  const length = (): number => {
    if (at >= bytes.length) throw short()
    const [offset, value] = compactFromU8a(bytes.subarray(at))
    at += offset
    return value.bitLength() > 32 ? Number.POSITIVE_INFINITY : value.toNumber()
  }
  const list = (): number[] => {
    const part = take(2 * length())
    const view = new DataView(part.buffer, part.byteOffset)
    return Array.from({ length: part.length / 2 }, (_, index) => view.getUint16(index * 2, true))
  }
  const hotkey = take(length())
  const [uids, values] = [list(), list()]
  const tail = take(8)
  const version = new DataView(tail.buffer, tail.byteOffset).getBigUint64(0, true)
  if (uids.length !== values.length || at !== bytes.length) throw short()
  return { hotkey, row: uids.map((uid, index) => [uid as Uid, values[index] ?? 0] as const), version }
}

const short = (): SubnetError =>
  new SubnetError({
    code: 'TIMELOCK_MALFORMED',
    message: 'these bytes are no weights payload: its lists and its length do not agree; check where they come from',
  })
