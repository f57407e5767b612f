import type { BeaconState } from '@arbor/chain/client/beacon'
import { SubnetError } from '@arbor/shared/errors'
import type { Snapshot } from '../chain-view.ts'
import type { WeightDeps } from './deps.ts'
import type { WeightFacts } from './next-allowed.ts'

/** Reads what decides about weights at the snapshot's block. */
export async function readFacts(
  {
    chain,
    netuid,
    mechanism,
    hotkey,
  }: Pick<WeightDeps, 'netuid' | 'mechanism'> & {
    readonly chain: Pick<WeightDeps['chain'], 'weightRules' | 'pendingCommits'>
    readonly hotkey: { readonly address: WeightDeps['hotkey']['address'] }
  },
  snapshot: Snapshot,
): Promise<WeightFacts> {
  const of = { netuid, mechanism, hotkey: hotkey.address }
  const { hash } = snapshot.metagraph.block
  const [rules, pending] = await Promise.all([chain.weightRules(of, hash), chain.pendingCommits(of, hash)])
  return { ...snapshot, mechanism, rules, clock: pending.state, commits: pending.commits }
}

/** Reads the beacon that the chain follows; null where it follows none. */
export async function readBeaconOf(
  chain: Pick<WeightDeps['chain'], 'beacon'>,
  { clock, metagraph }: Pick<WeightFacts, 'clock' | 'metagraph'>,
): Promise<BeaconState | null> {
  if (!clock.enabled || clock.lastStoredRound === null) return null
  try {
    return await chain.beacon(metagraph.block.hash)
  } catch (error) {
    if (error instanceof SubnetError && error.code === 'CHAIN_NO_ITEM') return null
    throw error
  }
}
