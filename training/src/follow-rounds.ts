import type { BlockRef, ChainClient } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Blocks, NetUid } from '@arbor/shared/units'
import { mergePlan } from '@arbor/subnet-spec/finetune/merge-plan'
import { phasesOf, roundAt } from '@arbor/subnet-spec/finetune/phases'
import type { Phases, PhaseTerms } from '@arbor/subnet-spec/finetune/types'
import { roundBlocks } from '@arbor/subnet-spec/rounds'
import { patiently } from './patience.ts'
import { commitmentsOf, factsOf, type RoundRecords, readRoundRecords, votersOf } from './records.ts'
import type { RoundEvent } from './types.ts'

export interface FollowDeps {
  readonly chain: Pick<ChainClient, 'blockHash' | 'commitments' | 'finalized' | 'heads' | 'metagraph'>
  readonly netuid: NetUid
  readonly clock: Clock
  /** Hears of reads that failed and are tried again. */
  readonly warn: (fields: object, message: string) => void
  readonly terms: PhaseTerms
  /** Blocks of a round: those of an epoch over `roundsPerEpoch`. */
  readonly length: Blocks
  readonly roundsPerEpoch: number
}

/** What reading one round takes. */
export interface ReadDeps {
  readonly chain: Pick<ChainClient, 'blockHash' | 'commitments' | 'metagraph'>
  readonly netuid: NetUid
}

export type VotedEvent = Extract<RoundEvent, { readonly kind: 'voted' }>

/**
 * Follows the rounds from one on: start, published and voted of each, in order and once, as soon as their block is final. Blocks that went
 * by meanwhile are read by their hash, so that no event is missed after a pause, be it of the line, of the caller or of the process.
 * @param of.from round to begin with; null for the one of the newest final block
 * @throws TRAINING_STATE_PRUNED, TRAINING_TEMPO
 */
export async function* followRounds(
  deps: FollowDeps,
  of: { readonly from: number | null; readonly signal: AbortSignal },
): AsyncGenerator<RoundEvent, void> {
  const { terms, length, chain } = deps
  const heads = finalHeads(deps, of.signal)
  const read = <T>(work: () => Promise<T>): Promise<T> => patiently({ ...deps, signal: of.signal }, work)
  try {
    const first = of.from ?? roundAt({ block: await read(() => heads.atLeast(0 as Block)), length })
    for (let round = first; ; round += 1) {
      const phases = phasesOf({ terms, length, round })
      const isPast = (due: Block, over: Block): Promise<boolean> => read(async () => (await heads.atLeast(due)) > over)
      const begun = await isPast(phases.start, phases.publishBy)
      yield { kind: 'start', phases, block: await read(() => blockAt(chain, phases.start)), isPast: begun }
      const published = await isPast(phases.publishBy, phases.voteBy)
      const { block, read: records } = await read(() => publishedAt(deps, phases))
      if (!published) mustHaveLength(deps, records)
      yield { kind: 'published', phases, block, commitments: commitmentsOf(records, round), isPast: published }
      const voted = await isPast(phases.voteBy, phases.end)
      const { state: _, ...event } = await read(() => readVoted(deps, phases))
      yield { ...event, isPast: voted }
    }
  } finally {
    heads.close()
  }
}

/** Reads the state in which a round's commitments stand, and no vote for it yet. @throws TRAINING_STATE_PRUNED */
export async function publishedAt(
  { chain, netuid }: ReadDeps,
  { publishBy }: Phases,
): Promise<{ readonly block: BlockRef; readonly read: RoundRecords }> {
  const block = await blockAt(chain, publishBy)
  return { block, read: await readRoundRecords({ chain, netuid, at: block }) }
}

/**
 * Reads what decides a round's merge, and decides it. The block of its last vote must be final. `state` is that before its votes: it still
 * holds those of earlier rounds.
 * @throws TRAINING_STATE_PRUNED
 */
export async function readVoted(
  deps: ReadDeps,
  phases: Phases,
): Promise<VotedEvent & { readonly state: RoundRecords }> {
  const { chain, netuid } = deps
  const { round } = phases
  const block = await blockAt(chain, phases.voteBy)
  const [{ read: published }, voted] = await Promise.all([
    publishedAt(deps, phases),
    readRoundRecords({ chain, netuid, at: block }),
  ])
  const plan = mergePlan({ round, facts: factsOf({ round, published, voted }) })
  return { kind: 'voted', phases, block, plan, voters: votersOf(voted, round), isPast: true, state: published }
}

/** @throws TRAINING_TEMPO when rounds have another length than this process began with */
function mustHaveLength({ length, roundsPerEpoch }: FollowDeps, { metagraph }: RoundRecords): void {
  const { tempo, block } = metagraph
  if (roundBlocks({ tempo, roundsPerEpoch }) === length) return
  throw new SubnetError({
    code: 'TRAINING_TEMPO',
    message: `the subnet's tempo is ${tempo} blocks at block ${block.number}, and rounds of ${length} blocks do not come of it: its owner changed it; start again, so that rounds are counted anew`,
    details: { tempo, length, block: block.number },
  })
}

/** Names a block that is final. @throws TRAINING_NO_BLOCK */
export async function blockAt(chain: Pick<ChainClient, 'blockHash'>, number: Block): Promise<BlockRef> {
  const hash = await chain.blockHash(number)
  if (hash !== null) return { number, hash }
  throw new SubnetError({
    code: 'TRAINING_NO_BLOCK',
    message: `the chain node does not give the hash of block ${number}, which is final; it may be behind: wait, or use another chain node`,
    details: { block: number },
    retryable: true,
  })
}

interface FinalHeads {
  /** Waits until a block is final, and gives the newest that is. */
  atLeast(block: Block): Promise<Block>
  close(): void
}

/** Follows the finalised head. Only the newest counts: what lies before it is read by its number. */
function finalHeads({ chain }: FollowDeps, signal: AbortSignal): FinalHeads {
  let open: { readonly heads: AsyncIterator<BlockRef>; readonly stop: AbortController } | null = null
  const close = (): void => {
    open?.stop.abort(new Error('heads are followed anew'))
    open?.heads.return?.().catch(() => undefined)
    open = null
  }
  const next = async (): Promise<Block> => {
    if (open === null) {
      const stop = new AbortController()
      open = { heads: chain.heads('finalized', AbortSignal.any([signal, stop.signal]))[Symbol.asyncIterator](), stop }
    }
    const { done, value } = await open.heads.next()
    signal.throwIfAborted()
    if (done === true) throw noHeads()
    return value.number
  }
  const atLeast = async (block: Block): Promise<Block> => {
    let newest = (await chain.finalized()).number
    signal.throwIfAborted()
    try {
      while (newest < block) newest = Math.max(newest, await next()) as Block
      return newest
    } catch (error) {
      close()
      throw error
    }
  }
  return { atLeast, close }
}

const noHeads = (): SubnetError =>
  new SubnetError({
    code: 'TRAINING_NO_HEADS',
    message: 'the chain gives no more heads; they are followed anew',
    retryable: true,
  })
