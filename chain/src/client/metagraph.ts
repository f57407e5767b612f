import { SubnetError } from '@arbor/shared/errors'
import { encodeSs58 } from '@arbor/shared/ss58'
import type { Alpha, Block, Blocks, NetUid, Ss58, Uid } from '@arbor/shared/units'
import { ipText } from './calls.ts'
import { noSubnet } from './errors.ts'
import { toPlain } from './plain.ts'
import { entryOf, type Query, type Reader } from './reader.ts'
import type { AxonInfo, BlockRef, Metagraph, Neuron } from './types.ts'

/** What an account item holds where nobody is. */
const NOBODY = encodeSs58(new Uint8Array(32))
const U16 = 65_535
const U64 = 2n ** 64n - 1n

/** Items with one entry a subnet; vectors are indexed by uid. */
const SUBNET_ITEMS = [
  'NetworksAdded',
  'SubnetworkN',
  'Tempo',
  'MaxAllowedUids',
  'SubnetOwnerHotkey',
  'Active',
  'LastUpdate',
  'ValidatorPermit',
  'Incentive',
  'Dividends',
  'Consensus',
  'ValidatorTrust',
  'Emission',
] as const
/** Runtimes differ in how they keep the schedule of epochs. */
const SCHEDULE_ITEMS = ['LastEpochBlock', 'SubnetEpochIndex', 'LastMechansimStepBlock'] as const

/** Vectors that consensus fills; a subnet before its first epoch may have none. */
const BY_CONSENSUS: readonly string[] = ['Incentive', 'Dividends', 'Consensus', 'ValidatorTrust', 'Emission']

/**
 * Reads a whole subnet at one block, in three round trips of batched keys.
 * @throws CHAIN_NO_SUBNET, CHAIN_METAGRAPH when what the chain holds cannot be a subnet: a hotkey twice, a uid without one, vectors
 * of other lengths than there are uids
 */
export async function readMetagraph(reader: Reader, netuid: NetUid, block: BlockRef): Promise<Metagraph> {
  const read = (queries: readonly Query[]): Promise<unknown[]> => reader.plain(queries, block.hash)
  const [subnetValues, state] = await Promise.all([
    read([
      ...SUBNET_ITEMS.map((item) => entryOf(`SubtensorModule.${item}`, netuid)),
      ...SCHEDULE_ITEMS.map((item) => entryOf(`SubtensorModule.${item}`, netuid)),
      entryOf('SubtensorModule.TaoWeight'),
    ]),
    reader.api('SubnetInfoRuntimeApi.get_subnet_state', [netuid], block.hash),
  ])
  const names = [...SUBNET_ITEMS, ...SCHEDULE_ITEMS, 'TaoWeight'] as const
  const subnet = Object.fromEntries(names.map((name, index) => [name, subnetValues[index] ?? null])) as Record<
    (typeof names)[number],
    unknown
  >
  if (subnet.NetworksAdded !== true) throw noSubnet(netuid, `${block.number}`)
  const refuse = (why: string): SubnetError => badMetagraph(netuid, block, why)

  const uids = Array.from({ length: Number(subnet.SubnetworkN) }, (_, uid) => uid as Uid)
  const slots = await read([
    ...uids.map((uid) => entryOf('SubtensorModule.Keys', netuid, uid)),
    ...uids.map((uid) => entryOf('SubtensorModule.BlockAtRegistration', netuid, uid)),
  ])
  const hotkeys = hotkeysOf(slots.slice(0, uids.length), refuse)
  const perKey = await read([
    ...hotkeys.map((hotkey) => entryOf('SubtensorModule.Owner', hotkey)),
    ...hotkeys.map((hotkey) => entryOf('SubtensorModule.Axons', netuid, hotkey)),
    ...hotkeys.map((hotkey) => entryOf('SubtensorModule.TotalHotkeyAlpha', hotkey, netuid)),
    ...hotkeys.map((hotkey) => entryOf('SubtensorModule.TotalHotkeyAlpha', hotkey, 0)),
  ])
  const totals = totalStakes(toPlain(state), hotkeys)
  const column = (index: number, uid: number): unknown => perKey[index * hotkeys.length + uid]
  const vector = (name: (typeof SUBNET_ITEMS)[number]): readonly unknown[] => {
    const found = subnet[name]
    if (!Array.isArray(found)) throw refuse(`it has no ${name}`)
    if (found.length !== uids.length && !(found.length === 0 && BY_CONSENSUS.includes(name)))
      throw refuse(`${name} has ${found.length} entries for ${uids.length} uids`)
    return found
  }
  const shares = (name: (typeof SUBNET_ITEMS)[number]): ((uid: number) => number) => {
    const found = vector(name)
    return (uid) => Number(found[uid] ?? 0n) / U16
  }
  const number = (value: unknown, what: string): Block => {
    const found = Number(value ?? 0n)
    if (!Number.isSafeInteger(found)) throw refuse(`${what} is ${String(value)}, which is no block`)
    return found as Block
  }
  const [lastUpdate, active, permits] = [vector('LastUpdate'), vector('Active'), vector('ValidatorPermit')]
  const [incentive, dividends] = [shares('Incentive'), shares('Dividends')]
  const [consensus, validatorTrust, emission] = [shares('Consensus'), shares('ValidatorTrust'), vector('Emission')]

  const neurons = hotkeys.map((hotkey, index): Neuron => {
    const uid = index as Uid
    const alpha = asBigint(column(2, uid))
    return {
      uid,
      hotkey,
      coldkey: column(0, uid) as Ss58,
      registeredAt: number(slots[uids.length + uid], `the registration of uid ${uid}`),
      lastUpdate: number(lastUpdate[uid], `the last update of uid ${uid}`),
      active: active[uid] === true,
      validatorPermit: permits[uid] === true,
      axon: axonOf(column(1, uid)),
      alphaStake: alpha as Alpha,
      totalStake: (totals?.[uid] ?? alpha + (asBigint(column(3, uid)) * asBigint(subnet.TaoWeight)) / U64) as Alpha,
      incentive: incentive(uid),
      dividends: dividends(uid),
      consensus: consensus(uid),
      validatorTrust: validatorTrust(uid),
      emission: asBigint(emission[uid]) as Alpha,
    }
  })
  const tempo = Number(subnet.Tempo)
  return {
    netuid,
    block,
    tempo: tempo as Blocks,
    lastEpochBlock: number(subnet.LastEpochBlock ?? subnet.LastMechansimStepBlock, 'the last epoch'),
    // Runtimes without an own counter run an epoch when (block + netuid + 1) % (tempo + 1) = 0.
    // @source subtensor@14bc6f9 pallets/subtensor/src/coinbase/run_coinbase.rs
    epochIndex:
      subnet.SubnetEpochIndex === null
        ? Math.floor((block.number + netuid + 1) / (tempo + 1))
        : Number(subnet.SubnetEpochIndex),
    maxUids: Number(subnet.MaxAllowedUids),
    ownerHotkey: subnet.SubnetOwnerHotkey as Ss58,
    neurons,
  }
}

/** Takes the hotkeys by uid: each uid below the subnet's size has one, and none has two uids. */
const hotkeysOf = (keys: readonly unknown[], refuse: (why: string) => SubnetError): readonly Ss58[] => {
  const uids = new Map<unknown, number>()
  for (const [uid, hotkey] of keys.entries()) {
    if (typeof hotkey !== 'string' || hotkey === NOBODY) throw refuse(`uid ${uid} of ${keys.length} has no hotkey`)
    const other = uids.get(hotkey)
    if (other !== undefined) throw refuse(`hotkey ${hotkey} has the uids ${other} and ${uid}`)
    uids.set(hotkey, uid)
  }
  return keys as readonly Ss58[]
}

/** Takes the stake weights that the chain itself computed (with children and parents), when they are of the same hotkeys. */
const totalStakes = (state: unknown, hotkeys: readonly Ss58[]): readonly bigint[] | null => {
  if (typeof state !== 'object' || state === null || !('total_stake' in state) || !('hotkeys' in state)) return null
  const { total_stake: totals, hotkeys: keys } = state as { readonly total_stake: unknown; readonly hotkeys: unknown }
  if (!Array.isArray(keys) || !Array.isArray(totals) || totals.length !== hotkeys.length) return null
  const isSame = keys.length === hotkeys.length && hotkeys.every((hotkey, uid) => keys[uid] === hotkey)
  return isSame && totals.every((stake) => typeof stake === 'bigint') ? totals : null
}

const badMetagraph = (netuid: NetUid, { number, hash }: BlockRef, why: string): SubnetError =>
  new SubnetError({
    code: 'CHAIN_METAGRAPH',
    message: `subnet ${netuid} at block ${number} (${hash}) cannot be read as one: ${why}; nothing is decided on it, look at a later block or at another chain node`,
    details: { netuid, block: number, why },
    retryable: true,
  })

const axonOf = (value: unknown): AxonInfo | null => {
  if (value === null || value === undefined) return null
  const axon = value as Record<'ip' | 'port' | 'version' | 'protocol' | 'ip_type', bigint>
  if (axon.ip === 0n || axon.port === 0n) return null
  return {
    ip: ipText(axon.ip, Number(axon.ip_type)),
    port: Number(axon.port),
    version: Number(axon.version),
    protocol: Number(axon.protocol),
  }
}

const asBigint = (value: unknown): bigint => (typeof value === 'bigint' ? value : 0n)
