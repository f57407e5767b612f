import { concatBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { blake2b256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import { decodeSs58 } from '@arbor/shared/ss58'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { encodeRow, encodeSalt, encodeVersion } from '../timelock/payload.ts'
import type { WeightRow } from './types.ts'

/**
 * A row that is committed by its hash and opened later. The same value makes both calls, so that the opening always has the
 * hash that was committed; keep it until then, since nothing else opens the commit.
 */
export interface SaltedRow {
  readonly netuid: NetUid
  /** Mechanism of the subnet; 0 is the first. */
  readonly mechanism: number
  readonly hotkey: Ss58
  readonly row: WeightRow
  /** At least 8 random u16. */
  readonly salt: readonly number[]
  readonly version: bigint
}

/** Where a mechanism's weights and commits lie. @source subtensor@14bc6f9 pallets/subtensor/src/subnets/mechanism.rs */
export const storageIndex = (netuid: NetUid, mechanism: number): number => mechanism * 4096 + netuid

const U16 = 65_535

/**
 * Makes a row that can be committed: exactly these values are hashed, sent at the reveal and stored.
 *
 * The Python SDK hashes values as given and scales them (largest to 65 535, zeros left out) before it reveals, so that its
 * reveals fail unless they had that form. Here a row that has not that form is refused before anything is committed.
 * @param of.salt at least 8 random u16
 * @throws WEIGHTS_COMMIT_FORM
 */
export function saltedRow(of: SaltedRow): SaltedRow {
  const bad = (why: string): SubnetError =>
    new SubnetError({
      code: 'WEIGHTS_COMMIT_FORM',
      message: `this row cannot be committed: ${why}; scale it so that its largest value is ${U16}, and leave zeros out`,
    })
  const values = of.row.map(([, value]) => value)
  const numbers = [...of.row.flat(), ...of.salt]
  if (numbers.some((value) => !Number.isInteger(value) || value < 0 || value > U16)) throw bad('a number is no u16')
  if (new Set(of.row.map(([uid]) => uid)).size < of.row.length) throw bad('a uid stands twice in it')
  if (values.length > 0 && Math.max(...values) !== U16) throw bad(`its largest value is ${Math.max(...values)}`)
  if (values.includes(0)) throw bad('it holds a zero')
  if (of.salt.length < MIN_SALT) throw bad(`its salt has ${of.salt.length} numbers, fewer than ${MIN_SALT}`)
  if (of.version < 0n || of.version >= 2n ** 64n) throw bad(`its version ${of.version} is no u64`)
  return of
}

/** 8 × 16 = 128 bits: nobody finds a row by trying salts. */
const MIN_SALT = 8

/** Draws a salt. @param randomBytes gives so many unpredictable bytes */
export const drawSalt = (randomBytes: (length: number) => Uint8Array): number[] => {
  const bytes = randomBytes(2 * MIN_SALT)
  return Array.from({ length: MIN_SALT }, (_, index) => (bytes[2 * index] ?? 0) * 256 + (bytes[2 * index + 1] ?? 0))
}

/**
 * Computes the hash that is committed: BLAKE2b-256 of (account, storage index, uids, values, salt, version key).
 * @source subtensor@14bc6f9 pallets/subtensor/src/subnets/weights.rs get_commit_hash
 */
export const saltedHash = ({ netuid, mechanism, hotkey, row, salt, version }: SaltedRow): Hex => {
  const index = storageIndex(netuid, mechanism)
  return toHex(
    blake2b256(
      concatBytes(
        decodeSs58(hotkey),
        Uint8Array.of(index & 255, index >> 8),
        encodeRow(row),
        encodeSalt(salt),
        encodeVersion(version),
      ),
    ),
  )
}
