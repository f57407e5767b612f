import type { ChainClient } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, NetUid } from '@arbor/shared/units'
import { type ChainFacts, isPruned } from './facts.ts'

/** The blocks of one epoch of a subnet. */
export interface EpochSpan {
  readonly epoch: number
  /** The first block whose state counts it. */
  readonly first: Block
  /** The last one: the consensus that ends the epoch runs on top of its state. */
  readonly last: Block
  /** Epochs between a commit and its reveal where rows are committed; null where they are open. */
  readonly revealPeriod: number | null
  /** False where the chain has no state of then any more, and the span was counted back by the tempo. */
  readonly exact: boolean
}

interface Clock {
  readonly epoch: number
  readonly lastEpochBlock: number
  readonly tempo: number
  readonly revealPeriod: number | null
}

/**
 * Finds an epoch's blocks: counted back by the tempo, and searched for where the tempo was another one meanwhile.
 * @param of.epoch the newest one that ended when absent
 * @throws AUDIT_EPOCH when it has not ended, or never was
 */
export async function findEpoch(of: {
  readonly chain: Pick<ChainClient, 'commitReveal'>
  readonly facts: ChainFacts
  readonly netuid: NetUid
  readonly epoch: number | undefined
}): Promise<EpochSpan> {
  const { facts } = of
  const newest = await clockAt(of, facts.head.number)
  if (newest === null) throw new Error('the state of the newest final block is gone')
  const epoch = of.epoch ?? newest.epoch - 1
  if (epoch < 0 || epoch >= newest.epoch) throw notEnded(epoch, newest, facts.head.number)
  const after = await firstOf(of, epoch + 1, newest)
  const from = await firstOf(of, epoch, newest)
  const last = (after.block - 1) as Block
  const then = await clockAt(of, last)
  return {
    epoch,
    first: from.block,
    last,
    revealPeriod: (then ?? newest).revealPeriod,
    exact: after.exact && from.exact,
  }
}

/** Finds the first block of an epoch. */
async function firstOf(
  of: Parameters<typeof findEpoch>[0],
  epoch: number,
  newest: Clock,
): Promise<{ readonly block: Block; readonly exact: boolean }> {
  const guess = Math.max(0, newest.lastEpochBlock - (newest.epoch - epoch) * newest.tempo) as Block
  const isFirst = await beginsAt(of, guess, epoch)
  if (isFirst === null) return { block: guess, exact: false }
  if (isFirst) return { block: guess, exact: true }
  let [low, high] = [0, of.facts.head.number as number] // the epoch of `low` is less than `epoch`, that of `high` is not
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2) as Block
    const clock = await clockAt(of, middle)
    // What is gone lies before all that is there.
    if (clock === null || clock.epoch < epoch) low = middle
    else high = middle
  }
  return { block: high as Block, exact: (await beginsAt(of, high as Block, epoch)) === true }
}

/** Tells whether an epoch's first block is this one; null where the chain has no state of it. */
async function beginsAt(of: Parameters<typeof findEpoch>[0], block: Block, epoch: number): Promise<boolean | null> {
  const here = await clockAt(of, block)
  const before = block === 0 ? null : await clockAt(of, (block - 1) as Block)
  if (here === null || (before === null && block > 0)) return null
  return here.epoch === epoch && (before === null || before.epoch < epoch)
}

async function clockAt({ chain, facts, netuid }: Parameters<typeof findEpoch>[0], block: Block): Promise<Clock | null> {
  const hash = await facts.blockHash(block)
  if (hash === null) return null
  try {
    const { epoch, epochDue, schedule, enabled, revealPeriod } = await chain.commitReveal(netuid, hash)
    const { lastEpochBlock, tempo } = schedule
    return { epoch: epoch - (epochDue ? 1 : 0), lastEpochBlock, tempo, revealPeriod: enabled ? revealPeriod : null }
  } catch (error) {
    if (isPruned(error)) return null
    throw error
  }
}

const notEnded = (epoch: number, now: Clock, head: Block): SubnetError =>
  new SubnetError({
    code: 'AUDIT_EPOCH',
    message:
      epoch < 0
        ? `no epoch has ended yet at block ${head}; wait for block ${now.lastEpochBlock + now.tempo}`
        : `epoch ${epoch} has not ended at block ${head}, which is in epoch ${now.epoch}; audit one before that, or wait`,
    details: { epoch, now: now.epoch, head },
    retryable: true,
  })
