import type { Alpha, Block, Blocks, NetUid, Ss58, Uid } from '@arbor/shared/units'
import { ipText } from './calls.ts'
import { noSubnet } from './errors.ts'
import { toPlain } from './plain.ts'
import { entryOf, type Query, type Reader } from './reader.ts'
import type { AxonInfo, BlockRef, Metagraph, Neuron } from './types.ts'

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

/** Reads a whole subnet at one block, in three round trips of batched keys. @throws CHAIN_NO_SUBNET */
export async function readMetagraph(reader: Reader, netuid: NetUid, block: BlockRef): Promise<Metagraph> {
  const read = async (queries: readonly Query[]): Promise<unknown[]> =>
    (await reader.many(queries, block.hash)).map(toPlain)
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

  const uids = Array.from({ length: Number(subnet.SubnetworkN) }, (_, uid) => uid as Uid)
  const slots = await read([
    ...uids.map((uid) => entryOf('SubtensorModule.Keys', netuid, uid)),
    ...uids.map((uid) => entryOf('SubtensorModule.BlockAtRegistration', netuid, uid)),
  ])
  const hotkeys = slots.slice(0, uids.length) as Ss58[]
  const perKey = await read([
    ...hotkeys.map((hotkey) => entryOf('SubtensorModule.Owner', hotkey)),
    ...hotkeys.map((hotkey) => entryOf('SubtensorModule.Axons', netuid, hotkey)),
    ...hotkeys.map((hotkey) => entryOf('SubtensorModule.TotalHotkeyAlpha', hotkey, netuid)),
    ...hotkeys.map((hotkey) => entryOf('SubtensorModule.TotalHotkeyAlpha', hotkey, 0)),
  ])
  const totals = totalStakes(toPlain(state), hotkeys)
  const column = (index: number, uid: number): unknown => perKey[index * hotkeys.length + uid]
  const list = (name: (typeof SUBNET_ITEMS)[number], uid: number): unknown => (subnet[name] as unknown[])[uid]
  const share = (name: (typeof SUBNET_ITEMS)[number], uid: number): number => Number(list(name, uid) ?? 0n) / U16

  const neurons = uids.map((uid): Neuron => {
    const alpha = asBigint(column(2, uid))
    return {
      uid,
      hotkey: hotkeys[uid] as Ss58,
      coldkey: column(0, uid) as Ss58,
      registeredAt: Number(slots[uids.length + uid]) as Block,
      lastUpdate: Number(list('LastUpdate', uid) ?? 0n) as Block,
      active: list('Active', uid) === true,
      validatorPermit: list('ValidatorPermit', uid) === true,
      axon: axonOf(column(1, uid)),
      alphaStake: alpha as Alpha,
      totalStake: (totals?.[uid] ?? alpha + (asBigint(column(3, uid)) * asBigint(subnet.TaoWeight)) / U64) as Alpha,
      incentive: share('Incentive', uid),
      dividends: share('Dividends', uid),
      consensus: share('Consensus', uid),
      validatorTrust: share('ValidatorTrust', uid),
      emission: asBigint(list('Emission', uid)) as Alpha,
    }
  })
  const tempo = Number(subnet.Tempo)
  return {
    netuid,
    block,
    tempo: tempo as Blocks,
    lastEpochBlock: Number(subnet.LastEpochBlock ?? subnet.LastMechansimStepBlock ?? 0n) as Block,
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

/** Takes the stake weights that the chain itself computed (with children and parents), when they are of the same hotkeys. */
const totalStakes = (state: unknown, hotkeys: readonly Ss58[]): readonly bigint[] | null => {
  if (typeof state !== 'object' || state === null || !('total_stake' in state) || !('hotkeys' in state)) return null
  const { total_stake: totals, hotkeys: keys } = state as { readonly total_stake: bigint[]; readonly hotkeys: string[] }
  return keys.length === hotkeys.length && keys.every((key, uid) => key === hotkeys[uid]) ? totals : null
}

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
