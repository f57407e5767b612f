import type { ChainClient } from '@arbor/chain/client/types'
import type { Alpha, Hex, NetUid, Ss58 } from '@arbor/shared/units'

/** Everything that a subnet's alpha can be in, at one block. */
export interface Books {
  /** Alpha that exists outside the pool, as the chain counts it. */
  readonly issued: Alpha
  /** Alpha on each hotkey, over all its stakers. */
  readonly stakes: ReadonlyMap<Ss58, Alpha>
  readonly pending: Alpha
  readonly burned: Alpha
  readonly dust: Alpha
}

/** Where the alpha issued between two blocks went. */
export interface Paid {
  readonly miners: Alpha
  readonly validators: Alpha
  readonly owner: Alpha
  readonly pending: Alpha
  readonly burned: Alpha
  readonly dust: Alpha
}

/** The chain's counters of alpha on its way to somebody. */
const pendingItems = ['PendingServerEmission', 'PendingValidatorEmission', 'PendingRootAlphaDivs', 'PendingOwnerCut']

/** Reads a subnet's books from storage at one block. */
export async function readBooks({
  chain,
  netuid,
  hotkeys,
  at,
}: {
  readonly chain: ChainClient
  readonly netuid: NetUid
  readonly hotkeys: readonly Ss58[]
  readonly at: Hex
}): Promise<Books> {
  const read = async (item: string, ...keys: readonly unknown[]): Promise<bigint> =>
    BigInt(String((await chain.read('SubtensorModule', item, [...keys, netuid], at)) ?? 0))
  const [issued, burned, dust, ...pending] = await Promise.all(
    ['SubnetAlphaOut', 'SubnetAlphaBurned', 'SubnetAlphaDust', ...pendingItems].map((item) => read(item)),
  )
  const stakes = await Promise.all(
    hotkeys.map(async (hotkey) => [hotkey, (await read('TotalHotkeyAlpha', hotkey)) as Alpha] as const),
  )
  return {
    issued: (issued ?? 0n) as Alpha,
    burned: (burned ?? 0n) as Alpha,
    dust: (dust ?? 0n) as Alpha,
    pending: pending.reduce((sum, amount) => sum + amount, 0n) as Alpha,
    stakes: new Map(stakes),
  }
}

/** What a hotkey's stake grew by. */
export const grown = (before: Books, after: Books, hotkey: Ss58): Alpha =>
  ((after.stakes.get(hotkey) ?? 0n) - (before.stakes.get(hotkey) ?? 0n)) as Alpha

/**
 * Sorts what was issued between two blocks by who holds it now. Nothing is computed as a remainder:
 * the sum equals what was issued only if the chain lost and made no rao.
 */
export function paidBetween({
  before,
  after,
  owner,
  validators,
}: {
  readonly before: Books
  readonly after: Books
  readonly owner: Ss58
  readonly validators: ReadonlySet<Ss58>
}): Paid {
  const total = (of: (hotkey: Ss58) => boolean): Alpha =>
    [...after.stakes.keys()].filter(of).reduce((sum, hotkey) => sum + grown(before, after, hotkey), 0n) as Alpha
  return {
    owner: total((hotkey) => hotkey === owner),
    validators: total((hotkey) => hotkey !== owner && validators.has(hotkey)),
    miners: total((hotkey) => hotkey !== owner && !validators.has(hotkey)),
    pending: (after.pending - before.pending) as Alpha,
    burned: (after.burned - before.burned) as Alpha,
    dust: (after.dust - before.dust) as Alpha,
  }
}
