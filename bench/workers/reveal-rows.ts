import { createHash } from 'node:crypto'
import type { Uid } from '@arbor/shared/units'
import { encodePayload } from '../../chain/src/timelock/payload.ts'
import { drawSealRandomness, type SealRandomness } from '../../chain/src/timelock/randomness.ts'

/** A row that gives every uid but the first a weight, as the bytes that are sealed. */
export const fullRow = (hotkey: Uint8Array, uids: number, salt: number): Uint8Array =>
  encodePayload({
    hotkey,
    row: Array.from({ length: uids }, (_, uid) => [(uid + 1) as Uid, 1 + ((uid * 7_919 + salt) % 65_535)] as const),
    version: 0n,
  })

/** Randomness that is the same in every run. */
export const randomnessOf = (seed: number): SealRandomness => {
  let drawn = 0
  return drawSealRandomness((length) => {
    drawn += 1
    return createHash('sha512').update(`${seed} ${drawn}`).digest().subarray(0, length)
  })
}
