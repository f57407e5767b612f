import type { BlockRef, ChainClient } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Ms } from '@arbor/shared/units'
import type { Vote } from '@arbor/subnet-spec/finetune/types'
import type { Logger } from 'pino'
import { startBlockDeadline } from './block-deadline.ts'
import type { KeptVote, TrainingLedger } from './ledger.ts'

export interface VoteDeps {
  readonly chain: Pick<ChainClient, 'best' | 'heads'>
  readonly ledger: Pick<TrainingLedger, 'keepVote' | 'voteIncluded'>
  /** Writes a vote into the hotkey's record, and waits for it. @throws TRAINING_RECORD_REFUSED, TRAINING_NO_SPACE */
  readonly putVote: (vote: Vote, signal: AbortSignal) => Promise<BlockRef>
  readonly clock: Clock
  readonly log: Logger
}

/** Blocks after the last one that counts, by which it is usually known what became of a vote. */
const FINAL_BLOCKS = 3
/** Milliseconds before a vote that the chain refused is sent again: the half of a short block. */
const AGAIN_MS = 1_000 as Ms

/**
 * Votes in a round: what was decided on first is what is sent, also after a kill, so that no two votes of one round are ever seen.
 * A vote that does not get there in time costs this validator's say in the round, and nothing else.
 */
export async function castVote(
  deps: VoteDeps,
  of: { readonly vote: Vote; readonly voteBy: Block },
  signal: AbortSignal,
): Promise<KeptVote> {
  const { ledger, clock, log } = deps
  const kept = ledger.keepVote(of.vote, clock.now())
  if (kept.block !== null) return kept
  const { round, base, accepted } = kept
  // What was sent in time is waited for a little longer.
  using until = startBlockDeadline({ chain: deps.chain, at: (of.voteBy + FINAL_BLOCKS) as Block, parent: signal })
  const isTooLate = async (): Promise<boolean> => (await deps.chain.best()).number >= of.voteBy
  for (;;) {
    try {
      const { number: block } = await deps.putVote({ round, base, accepted }, until.signal)
      ledger.voteIncluded(round, block)
      log.info(
        { event: 'training.vote', round, base, accepted, block },
        `voted for ${accepted.length} updates of round ${round}`,
      )
      return { ...kept, block }
    } catch (error) {
      signal.throwIfAborted()
      const why = error instanceof Error ? error.message : String(error)
      const isOver = until.isOver() || !(error instanceof SubnetError && error.retryable) || (await isTooLate())
      log.warn(
        { event: 'training.no-vote', round, isOver, why },
        `the vote of round ${round} is not on the chain: ${why}`,
      )
      if (isOver) return kept
      await clock.sleep(AGAIN_MS, until.signal).catch(() => signal.throwIfAborted())
      if (await isTooLate()) return kept
    }
  }
}
