import type { RecordKeeper } from '@arbor/chain/client/committed-record'
import type { BlockRef, ChainClient, Metagraph, Neuron } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import { readAnchor } from '@arbor/shared/tree-head'
import type { Block, NetUid } from '@arbor/shared/units'
import {
  encodeUpdateRecord,
  encodeVote,
  isUpdateField,
  isVoteField,
  readUpdateRecord,
  readVote,
} from '@arbor/subnet-spec/finetune/records'
import type { MergeFacts, UpdateCommitment, Vote } from '@arbor/subnet-spec/finetune/types'
import type { Committed, Voter } from './types.ts'

/** What one neuron says in its record on the chain. */
export interface NeuronRecord {
  readonly neuron: Neuron
  /** Block in which the record was set. */
  readonly block: Block
  readonly update: UpdateCommitment | null
  readonly vote: Vote | null
  /** Where it says that it serves its log and its files; a stranger's text, empty where it says nothing. */
  readonly url: string
}

/** What all neurons say, by the state of one block. */
export interface RoundRecords {
  readonly metagraph: Metagraph
  /** Of neurons that have a record, by uid. */
  readonly records: readonly NeuronRecord[]
}

/**
 * Reads all neurons' records at one block, in one round trip beside the metagraph's.
 * @throws TRAINING_STATE_PRUNED where the chain node has thrown that block's state away
 */
export async function readRoundRecords(of: {
  readonly chain: Pick<ChainClient, 'commitments' | 'metagraph'>
  readonly netuid: NetUid
  readonly at: BlockRef
}): Promise<RoundRecords> {
  const { chain, netuid, at } = of
  try {
    const metagraph = await chain.metagraph(netuid, at.hash)
    const hotkeys = metagraph.neurons.map(({ hotkey }) => hotkey)
    const held = await chain.commitments(netuid, hotkeys, at.hash)
    const records = metagraph.neurons.flatMap((neuron, index): NeuronRecord[] => {
      const record = held[index] ?? null
      if (record === null) return []
      const { block, raw } = record
      const url = raw.map(readAnchor).find((anchor) => anchor !== null)?.url ?? ''
      return [{ neuron, block, update: readUpdateRecord(raw), vote: readVote(raw), url }]
    })
    return { metagraph, records }
  } catch (error) {
    if (isGone(error)) throw pruned(at, error)
    throw error
  }
}

/** Takes the commitments of a round, by uid; those that were withdrawn, too. */
export const commitmentsOf = ({ records }: RoundRecords, round: number): readonly Committed[] =>
  records.flatMap(({ neuron: { uid, hotkey }, block, update }) =>
    update?.round === round ? [{ uid, hotkey, commitment: update, block }] : [],
  )

/** Takes those with a permit whose vote is of a round. */
export const votersOf = ({ records }: RoundRecords, round: number): readonly Voter[] =>
  records.flatMap(({ neuron: { uid, hotkey, validatorPermit }, vote, url }) =>
    validatorPermit && vote?.round === round ? [{ uid, hotkey, vote, url }] : [],
  )

/** Puts together what decides a round's merge. */
export const factsOf = (of: {
  readonly round: number
  readonly published: RoundRecords
  readonly voted: RoundRecords
}): MergeFacts => ({
  commitments: commitmentsOf(of.published, of.round),
  votes: of.voted.records.flatMap(({ neuron: { hotkey, validatorPermit, totalStake: stake }, vote }) =>
    validatorPermit && vote !== null ? [{ hotkey, stake, vote }] : [],
  ),
  permitStake: of.voted.metagraph.neurons.reduce(
    (sum, { validatorPermit, totalStake }) => (validatorPermit ? sum + totalStake : sum),
    0n,
  ),
})

/** Commits a miner's update, or withdraws it, and waits until that is final. @throws TRAINING_RECORD_REFUSED, TRAINING_NO_SPACE */
export const putUpdate = (keeper: RecordKeeper, commitment: UpdateCommitment, signal: AbortSignal): Promise<BlockRef> =>
  put(keeper, { isOwn: isUpdateField, fields: encodeUpdateRecord(commitment), signal })

/** Casts a validator's vote, and waits until that is final. @throws TRAINING_RECORD_REFUSED, TRAINING_NO_SPACE */
export const putVote = (keeper: RecordKeeper, vote: Vote, signal: AbortSignal): Promise<BlockRef> =>
  put(keeper, { isOwn: isVoteField, fields: [encodeVote(vote)], signal })

async function put(keeper: RecordKeeper, of: Parameters<RecordKeeper['set']>[0]): Promise<BlockRef> {
  const outcome = await keeper.set(of)
  if (outcome.kind === 'set') return outcome.block
  if (outcome.kind === 'no-space')
    throw new SubnetError({
      code: 'TRAINING_NO_SPACE',
      message: 'the chain lets this hotkey write no more in this epoch; the next round is waited for',
      retryable: true,
    })
  throw new SubnetError({
    code: 'TRAINING_RECORD_REFUSED',
    message: `the chain did not take this hotkey's record: ${outcome.error}; it is tried again while the phase lasts`,
    details: { error: outcome.error },
    retryable: true,
  })
}

/**
 * Tells a chain node's word for state that it has not kept.
 * @source sp-blockchain error.rs: UnknownBlock("State already discarded for …"), which clients match on
 */
const isGone = (error: unknown): boolean =>
  error instanceof SubnetError &&
  (error.code === 'CHAIN_STATE_PRUNED' ||
    (error.code === 'CHAIN_RPC' && /State already discarded|UnknownBlock/.test(error.message)))

const pruned = ({ number, hash }: BlockRef, cause: unknown): SubnetError =>
  new SubnetError({
    code: 'TRAINING_STATE_PRUNED',
    message: `the chain node has thrown the state of block ${number} (${hash}) away, and a round's facts stand in it; those of the next vote are waited for. Where that does not help, use a chain node that keeps more (--keep archive)`,
    details: { block: number },
    cause,
  })

/** Tells that a round's facts are gone; those of the next one are not. */
export const isPruned = (error: unknown): error is SubnetError =>
  error instanceof SubnetError && error.code === 'TRAINING_STATE_PRUNED'
