import { SubnetError } from '@arbor/shared/errors'
import { encodeSs58 } from '@arbor/shared/ss58'
import type { Alpha, Blocks, Hex, NetUid, Rao, Ss58, Uid } from '@arbor/shared/units'
import { noItem, noSubnet } from './errors.ts'
import { toPlain } from './plain.ts'
import { entryOf, type Reader } from './reader.ts'
import { storageIndex } from './salted.ts'
import type { Hyperparameters, WeightRow } from './types.ts'

const NOBODY = encodeSs58(new Uint8Array(32))

/** Reads a subnet's hyperparameters in one round trip. @throws CHAIN_NO_SUBNET */
export async function readHyperparameters(reader: Reader, netuid: NetUid, at: Hex): Promise<Hyperparameters> {
  const values = (
    await reader.many(
      [
        entryOf('SubtensorModule.NetworksAdded', netuid),
        entryOf('SubtensorModule.Tempo', netuid),
        entryOf('SubtensorModule.WeightsSetRateLimit', netuid),
        entryOf('SubtensorModule.WeightsVersionKey', netuid),
        entryOf('SubtensorModule.MinAllowedWeights', netuid),
        entryOf('SubtensorModule.MaxAllowedValidators', netuid),
        entryOf('SubtensorModule.ImmunityPeriod', netuid),
        entryOf('SubtensorModule.CommitRevealWeightsEnabled', netuid),
        entryOf('SubtensorModule.NetworkRegistrationAllowed', netuid),
        entryOf('SubtensorModule.ServingRateLimit', netuid),
        entryOf('SubtensorModule.Kappa', netuid),
        entryOf('SubtensorModule.StakeThreshold'),
        entryOf('SubtensorModule.ActivityCutoff', netuid),
        entryOf('SubtensorModule.ActivityCutoffFactorMilli', netuid),
      ],
      at,
    )
  ).map(toPlain)
  if (values[0] !== true) throw noSubnet(netuid, at)
  const number = (index: number): number => Number(values[index] ?? 0n)
  const tempo = number(1)
  return {
    tempo: tempo as Blocks,
    weightsRateLimit: number(2) as Blocks,
    weightsVersion: BigInt((values[3] as bigint | null) ?? 0n),
    minAllowedWeights: number(4),
    maxValidators: number(5),
    immunityPeriod: number(6) as Blocks,
    // Newer runtimes cut off after a multiple of the tempo, in thousandths.
    activityCutoff: (typeof values[13] === 'bigint' ? Math.floor((number(13) * tempo) / 1000) : number(12)) as Blocks,
    commitRevealEnabled: values[7] === true,
    registrationAllowed: values[8] === true,
    servingRateLimit: number(9) as Blocks,
    kappa: number(10),
    stakeThreshold: BigInt((values[11] as bigint | null) ?? 0n) as Alpha,
  }
}

/** Lists the subnets that exist, in order. */
export async function readNetuids(reader: Reader, at: Hex): Promise<readonly NetUid[]> {
  const netuids = (await reader.keys('SubtensorModule.NetworksAdded', [], at)).map(([netuid]) =>
    Number(toPlain(netuid)),
  )
  const added = await reader.many(
    netuids.map((netuid) => entryOf('SubtensorModule.NetworksAdded', netuid)),
    at,
  )
  return netuids.filter((_, index) => toPlain(added[index]) === true).sort((a, b) => a - b) as NetUid[]
}

/** Reads one validator's row in a mechanism; empty when it has set none. */
export async function readWeights(
  reader: Reader,
  { netuid, mechanism, uid }: { readonly netuid: NetUid; readonly mechanism: number; readonly uid: Uid },
  at: Hex,
): Promise<WeightRow> {
  const [row] = await reader.many([entryOf('SubtensorModule.Weights', storageIndex(netuid, mechanism), uid)], at)
  return (toPlain(row) as [bigint, bigint][]).map(([to, weight]) => [Number(to) as Uid, Number(weight)] as const)
}

/** Reads who owns a hotkey; null when nobody does. */
export async function readOwner(reader: Reader, hotkey: Ss58, at: Hex): Promise<Ss58 | null> {
  const [owner] = await reader.many([entryOf('SubtensorModule.Owner', hotkey)], at)
  const address = toPlain(owner) as Ss58
  return address === NOBODY ? null : address
}

/** Reads the alpha on a hotkey, of one coldkey or of all. */
export async function readStake(
  reader: Reader,
  { hotkey, netuid, coldkey }: { readonly hotkey: Ss58; readonly netuid: NetUid; readonly coldkey?: Ss58 },
  at: Hex,
): Promise<Alpha> {
  if (coldkey === undefined) {
    const [total] = await reader.many([entryOf('SubtensorModule.TotalHotkeyAlpha', hotkey, netuid)], at)
    return toPlain(total) as Alpha
  }
  const info = await reader.api(
    'StakeInfoRuntimeApi.get_stake_info_for_hotkey_coldkey_netuid',
    [hotkey, coldkey, netuid],
    at,
  )
  if (info === null)
    throw noItem(
      'runtime API',
      'StakeInfoRuntimeApi.get_stake_info_for_hotkey_coldkey_netuid',
      reader.runtime().specVersion,
    )
  const found = toPlain(info) as { readonly stake: bigint } | null
  return (found?.stake ?? 0n) as Alpha
}

/** Reads the price of a new subnet. */
export async function readSubnetCost(reader: Reader, at: Hex): Promise<Rao> {
  const cost = await reader.api('SubnetRegistrationRuntimeApi.get_network_registration_cost', [], at)
  if (cost === null)
    throw noItem(
      'runtime API',
      'SubnetRegistrationRuntimeApi.get_network_registration_cost',
      reader.runtime().specVersion,
    )
  return toPlain(cost) as Rao
}

/** Reads the price of a registration. @throws CHAIN_NO_SUBNET */
export async function readRegistrationCost(reader: Reader, netuid: NetUid, at: Hex): Promise<Rao> {
  const [added, burn] = await reader.many(
    [entryOf('SubtensorModule.NetworksAdded', netuid), entryOf('SubtensorModule.Burn', netuid)],
    at,
  )
  if (toPlain(added) !== true) throw noSubnet(netuid, at)
  return toPlain(burn) as Rao
}

/** Reads an account's free balance. */
export async function readBalance(reader: Reader, account: Ss58, at: Hex): Promise<Rao> {
  const [info] = await reader.many([entryOf('System.Account', account)], at)
  const plain = toPlain(info) as { readonly data?: { readonly free?: bigint } } | null
  const free = plain?.data?.free
  if (free === undefined)
    throw new SubnetError({
      code: 'CHAIN_DECODE',
      message: `the account ${account} has no free balance in this chain's metadata`,
    })
  return free as Rao
}
