import { toHex } from '@arbor/shared/hex'
import type { Hex, NetUid } from '@arbor/shared/units'
import { compactToU8a } from '@polkadot/util'
import { blake, keyOf, le } from './reader.ts'

/** Storage by key. */
export type State = Map<Hex, Hex>

/** The subnet that is made here. */
export const netuid = 7 as NetUid

/** Public key of an account by its number. */
export const account = (index: number): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, at) => (at < 4 ? index >> (8 * at) : 9))

/** SCALE of a list. */
export const list = (items: readonly Uint8Array[]): Uint8Array => Buffer.concat([compactToU8a(items.length), ...items])

/** Writes an item of the subnet. */
export const own = (state: State, name: string, value: Uint8Array): void =>
  void state.set(keyOf(`SubtensorModule.${name}`, le(netuid, 2)), toHex(value))

/** Writes a vector of equal numbers. */
export const vector = (state: State, name: string, length: number, bytes: number, value = 1): void =>
  own(state, name, list(Array.from({ length }, () => le(value, bytes))))

/** Vectors with one entry a uid, and the bytes of an entry. */
export const PER_UID = Object.entries({
  Active: 1,
  LastUpdate: 8,
  ValidatorPermit: 1,
  Incentive: 2,
  Dividends: 2,
  Consensus: 2,
  ValidatorTrust: 2,
  Emission: 8,
})

/** Registers a hotkey at a uid. */
export const put = (state: State, uid: number, hotkey: Uint8Array): void => {
  state.set(keyOf('SubtensorModule.Keys', le(netuid, 2), le(uid, 2)), toHex(hotkey))
  state.set(keyOf('SubtensorModule.BlockAtRegistration', le(netuid, 2), le(uid, 2)), toHex(le(uid + 1, 8)))
  state.set(keyOf('SubtensorModule.Owner', blake(hotkey)), toHex(account(0)))
}

/** Gives a hotkey an address and stake. */
export const furnish = (state: State, hotkey: Uint8Array, alpha: number): void => {
  const axon = [le(4, 8), le(6, 4), le(0x7f000002, 16), le(8091, 2), Uint8Array.of(4, 4, 0, 0)]
  state.set(keyOf('SubtensorModule.Axons', le(netuid, 2), blake(hotkey)), toHex(Buffer.concat(axon)))
  state.set(keyOf('SubtensorModule.TotalHotkeyAlpha', blake(hotkey), le(netuid, 2)), toHex(le(alpha, 8)))
}

/** A subnet of n neurons without any stake. */
export const subnetOf = (n: number): State => {
  const state: State = new Map()
  own(state, 'NetworksAdded', Uint8Array.of(1))
  own(state, 'SubnetworkN', le(n, 2))
  own(state, 'Tempo', le(360, 2))
  own(state, 'MaxAllowedUids', le(4_096, 2))
  own(state, 'SubnetOwnerHotkey', account(1))
  for (const [name, bytes] of PER_UID) vector(state, name, n, bytes)
  for (let uid = 0; uid < n; uid += 1) put(state, uid, account(uid + 1))
  return state
}
