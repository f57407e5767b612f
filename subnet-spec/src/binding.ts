import { concatBytes, toBytes } from '@arbor/shared/bytes'
import { blake2b256 } from '@arbor/shared/hashing'
import { fromHex, toHex } from '@arbor/shared/hex'
import { decodeSs58 } from '@arbor/shared/ss58'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'

/** Who is asked, and on which chain. */
export interface BindingOf {
  readonly genesisHash: Hex
  readonly netuid: NetUid
  /** The miner's hotkey. */
  readonly hotkey: Ss58
}

/**
 * Computes the 32 bytes that an answer in Arbor's protocol is made under. The request's hash covers session, counter, receiver,
 * path and body, so no two questions share them; both sides compute them, and they never travel.
 * It is BLAKE2b-256 over "arbor/binding/1", genesis hash (32 bytes), netuid (u16 little-endian), the miner's public key (32 bytes)
 * and the request's hash (32 bytes).
 */
export const bindingOf = (of: BindingOf & { readonly requestHash: Uint8Array }): Hex =>
  bind('arbor/binding/1', of, of.requestHash)

/**
 * Computes the same for Bittensor's protocol, whose requests have no hash: the text that the asker signed stands in its place, under
 * the tag "arbor/binding/10".
 * @param of.signedText nonce, both hotkeys, uuid and the body's hash, as the dendrite signs them
 */
export const bittensorBindingOf = (of: BindingOf & { readonly signedText: string }): Hex =>
  bind('arbor/binding/10', of, toBytes(of.signedText))

const bind = (tag: string, { genesisHash, netuid, hotkey }: BindingOf, request: Uint8Array): Hex => {
  const number = new Uint8Array(2)
  new DataView(number.buffer).setUint16(0, netuid, true)
  return toHex(blake2b256(concatBytes(toBytes(tag), fromHex(genesisHash, 32), number, decodeSs58(hotkey), request)))
}
