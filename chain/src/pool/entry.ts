import { toHex } from '@arbor/shared/hex'
import type { Block, Hex } from '@arbor/shared/units'
import type { Validity } from '../embedded/types.ts'
import type { PoolEntry } from './types.ts'

/** Makes what the pool holds of an extrinsic that the runtime called valid at block `best`. */
export const toEntry = (of: {
  readonly hash: Hex
  readonly bytes: Uint8Array
  readonly validity: Extract<Validity, { valid: true }>
  readonly order: number
  readonly best: Block
}): PoolEntry => ({
  hash: of.hash,
  bytes: of.bytes,
  priority: of.validity.priority,
  requires: of.validity.requires,
  provides: of.validity.provides,
  validTill: BigInt(of.best) + of.validity.longevity,
  order: of.order,
  sender: senderOf(of.validity.provides) ?? of.hash,
  checkedAt: of.best,
})

/** Characters of a tag that frame_system's CheckNonce makes: 0x, AccountId32, u32 nonce. */
const NONCE_TAG_LENGTH = 2 + 64 + 8

const senderOf = (provides: readonly Hex[]): string | undefined =>
  provides.find((tag) => tag.length === NONCE_TAG_LENGTH)?.slice(2, 66)

/** Writes the tag that an extrinsic of this account and nonce provides. @source frame-system check_nonce.rs */
export const nonceTag = (account: Uint8Array, nonce: number): Hex => {
  const tag = new Uint8Array(36)
  tag.set(account)
  new DataView(tag.buffer).setUint32(32, nonce, true)
  return toHex(tag)
}
