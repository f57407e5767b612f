import type { ChainClient } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex, NetUid } from '@arbor/shared/units'
import { type RoundRecords, readRoundRecords } from '@arbor/training/records'
import type { TrainingHistory } from './history.ts'

/** Names of models that more than half of the stake with a permit votes for, as the newest records on the chain have it. */
export function confirmedBases({ metagraph, records }: RoundRecords): ReadonlySet<Hex> {
  const permitted = metagraph.neurons.filter(({ validatorPermit }) => validatorPermit)
  const all = permitted.reduce((sum, { totalStake }) => sum + totalStake, 0n)
  const behind = new Map<Hex, bigint>()
  for (const { neuron, vote } of records) {
    if (!neuron.validatorPermit || vote === null) continue
    behind.set(vote.base, (behind.get(vote.base) ?? 0n) + neuron.totalStake)
  }
  return new Set([...behind].filter(([, stake]) => 2n * stake > all).map(([base]) => base))
}

/**
 * Keeps the part of a history whose newest model the votes on the chain confirm.
 * @throws FINETUNE_UNCONFIRMED when they confirm none of it
 */
export async function confirmedHistory(of: {
  readonly chain: Pick<ChainClient, 'commitments' | 'metagraph' | 'finalized'>
  readonly netuid: NetUid
  readonly history: TrainingHistory
}): Promise<TrainingHistory> {
  const { chain, netuid, history } = of
  const bases = confirmedBases(await readRoundRecords({ chain, netuid, at: await chain.finalized() }))
  const newest = history.rounds.findLastIndex(({ checkpoint }) => bases.has(checkpoint))
  if (newest >= 0) return { ...history, rounds: history.rounds.slice(0, newest + 1) }
  throw new SubnetError({
    code: 'FINETUNE_UNCONFIRMED',
    message: `The votes on the chain name ${[...bases].join(', ') || 'no model'}, which this validator's history does not hold; name another validator with --url`,
  })
}
