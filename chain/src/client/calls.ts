import { toHex } from '@arbor/shared/hex'
import type { Alpha, Hex, NetUid, Rao, Ss58, Uid } from '@arbor/shared/units'
import type { Pulse } from '../timelock/drand.ts'
import type { CallArgs, CallName } from './needs/calls.ts'
import { type SaltedRow, saltedHash } from './salted.ts'
import type { AxonInfo, Call, WeightRow } from './types.ts'

/** Makes a call that Arbor declares to use, with the arguments that it declares. */
const make = <N extends CallName>(name: N, args: CallArgs<N>): Call => {
  const [pallet = '', call = ''] = name.split('.')
  return { pallet, call, args }
}
const dests = (row: WeightRow): Uid[] => row.map(([uid]) => uid)
const values = (row: WeightRow): number[] => row.map(([, weight]) => weight)

/** Sets a validator's weights; signed by its hotkey. */
export const setWeights = (of: { netuid: NetUid; row: WeightRow; version: bigint | number }): Call =>
  make('SubtensorModule.set_weights', {
    netuid: of.netuid,
    dests: dests(of.row),
    weights: values(of.row),
    version_key: of.version,
  })

/** Sets a validator's weights in one mechanism of the subnet; signed by its hotkey. */
export const setMechanismWeights = (of: {
  netuid: NetUid
  mechanism: number
  row: WeightRow
  version: bigint | number
}): Call =>
  make('SubtensorModule.set_mechanism_weights', {
    netuid: of.netuid,
    mecid: of.mechanism,
    dests: dests(of.row),
    weights: values(of.row),
    version_key: of.version,
  })

/** Commits a row by its hash; signed by the hotkey. The same `of` reveals it. */
export const commitWeights = (of: SaltedRow): Call => {
  const hash = { netuid: of.netuid, commit_hash: saltedHash(of) }
  return of.mechanism === 0
    ? make('SubtensorModule.commit_weights', hash)
    : make('SubtensorModule.commit_mechanism_weights', { ...hash, mecid: of.mechanism })
}

/** Opens a committed row, which sets the weights; signed by the hotkey, in the epoch that `pendingCommits` names. */
export const revealWeights = (of: SaltedRow): Call => {
  const opened = {
    netuid: of.netuid,
    uids: dests(of.row),
    values: values(of.row),
    salt: of.salt,
    version_key: of.version,
  }
  return of.mechanism === 0
    ? make('SubtensorModule.reveal_weights', opened)
    : make('SubtensorModule.reveal_mechanism_weights', { ...opened, mecid: of.mechanism })
}

/** Commits a row that the chain itself opens when the beacon's round is there; signed by the hotkey. */
export const commitTimelockedWeights = (of: {
  netuid: NetUid
  mechanism: number
  /** As `sealWeights` makes it. */
  sealed: Uint8Array
  round: bigint
  /** As the chain's CommitRevealWeightsVersion says; 4. */
  version: number
}): Call => {
  const sealed = {
    netuid: of.netuid,
    commit: toHex(of.sealed),
    reveal_round: of.round,
    commit_reveal_version: of.version,
  }
  return of.mechanism === 0
    ? make('SubtensorModule.commit_timelocked_weights', sealed)
    : make('SubtensorModule.commit_timelocked_mechanism_weights', { ...sealed, mecid: of.mechanism })
}

/** Hands in pulses of the chain's beacon, rounds rising; unsigned, since their own signatures prove them. */
export const writePulses = (pulses: readonly Pulse[]): Call =>
  make('Drand.write_pulse', {
    pulses_payload: {
      block_number: 0,
      pulses: pulses.map(({ round, randomness, signature }) => ({
        round,
        randomness: toHex(randomness),
        signature: toHex(signature),
      })),
      public: { Sr25519: toHex(new Uint8Array(32)) },
    },
    signature: null,
  })

/** Announces where a neuron can be reached; signed by its hotkey. */
export const serveAxon = (of: { netuid: NetUid; axon: AxonInfo }): Call => {
  const { value, type } = ipNumber(of.axon.ip)
  return make('SubtensorModule.serve_axon', {
    netuid: of.netuid,
    version: of.axon.version,
    ip: value,
    port: of.axon.port,
    ip_type: type,
    protocol: of.axon.protocol,
    placeholder1: 0,
    placeholder2: 0,
  })
}

/** Registers a hotkey in a subnet for the current price; signed by the coldkey that will own it. */
export const burnedRegister = (of: { netuid: NetUid; hotkey: Ss58 }): Call =>
  make('SubtensorModule.burned_register', { netuid: of.netuid, hotkey: of.hotkey })

/** Registers a hotkey only while the price is at most the limit; signed by the coldkey. */
export const registerLimit = (of: { netuid: NetUid; hotkey: Ss58; limitRao: Rao }): Call =>
  make('SubtensorModule.register_limit', { netuid: of.netuid, hotkey: of.hotkey, limit_price: of.limitRao })

/** Creates a subnet owned by the signing coldkey. */
export const registerNetwork = (of: { hotkey: Ss58 }): Call =>
  make('SubtensorModule.register_network', { hotkey: of.hotkey })

/** Starts a subnet's emission; signed by its owner coldkey. */
export const startCall = (of: { netuid: NetUid }): Call => make('SubtensorModule.start_call', { netuid: of.netuid })

/** Stakes TAO on a hotkey in a subnet; signed by the coldkey. */
export const addStake = (of: { hotkey: Ss58; netuid: NetUid; amount: Rao }): Call =>
  make('SubtensorModule.add_stake', { hotkey: of.hotkey, netuid: of.netuid, amount_staked: of.amount })

/** Takes alpha back from a hotkey as TAO; signed by the coldkey. */
export const removeStake = (of: { hotkey: Ss58; netuid: NetUid; amount: Alpha }): Call =>
  make('SubtensorModule.remove_stake', { hotkey: of.hotkey, netuid: of.netuid, amount_unstaked: of.amount })

/** Writes plain bytes as a field of a record; at most 128. */
export const rawField = (bytes: Uint8Array): Readonly<Record<string, Hex>> => ({ [`Raw${bytes.length}`]: toHex(bytes) })

/** Publishes at most 128 bytes under the signing hotkey. */
export const setCommitment = (of: { netuid: NetUid; bytes: Uint8Array }): Call =>
  setRecord({ netuid: of.netuid, fields: [rawField(of.bytes)] })

/** Publishes a record of several fields under the signing hotkey, in place of the one before. */
export const setRecord = (of: { netuid: NetUid; fields: readonly unknown[] }): Call =>
  make('Commitments.set_commitment', { netuid: of.netuid, info: { fields: of.fields } })

/** Transfers TAO without closing the sender's account. */
export const transferKeepAlive = (of: { to: Ss58; amount: Rao }): Call =>
  make('Balances.transfer_keep_alive', { dest: { Id: of.to }, value: of.amount })

/** Dispatches all calls or none. */
export const batchAll = (calls: readonly Call[]): Call => make('Utility.batch_all', { calls })

/** Dispatches a call as root; signed by the sudo key. */
export const sudo = (call: Call): Call => make('Sudo.sudo', { call })

/** Sets a hyperparameter, as adminSet('tempo', { netuid, tempo }); signed by the subnet's owner or wrapped in sudo. */
export const adminSet = (parameter: string, args: Call['args']): Call => ({
  pallet: 'AdminUtils',
  call: `sudo_set_${parameter}`,
  args,
})

/** Reads dotted IPv4 or IPv6 text as the chain's number and type. */
export function ipNumber(ip: string): { readonly value: bigint; readonly type: 4 | 6 } {
  if (!ip.includes(':')) return { value: ip.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n), type: 4 }
  const [head = '', tail] = ip.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...left, ...Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0'), ...right]
  return { value: groups.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n), type: 6 }
}

/** Writes the chain's number as dotted IPv4 or IPv6 text. */
export function ipText(value: bigint, type: number): string {
  if (type === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16))
  return groups.join(':')
}
