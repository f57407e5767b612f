import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex } from '@arbor/shared/units'
import type { PendingCommits } from './commits.ts'
import type { ErrorName } from './needs/others.ts'

/** What a refused commit or reveal was. */
export interface Attempt {
  readonly netuid: number
  /** Hash of the row that was committed or revealed, for salted ones. */
  readonly hash?: Hex
  /** Round that was sealed for, for timelocked ones. */
  readonly round?: bigint
  /** Block of the hotkey's last commit; its `last_update`. */
  readonly lastCommit?: Block
}

type Explain = (attempt: Attempt, at: PendingCommits) => Omit<ConstructorParameters<typeof SubnetError>[0], 'cause'>

/**
 * Turns the chain's refusal of a commit or reveal into an error that says what to do and when.
 * @param error as a submission names it
 * @param at the hotkey's pending commits after the refusal
 * @returns null when the refusal is about something else
 */
export function explainCommitRefusal(error: string, attempt: Attempt, at: PendingCommits): SubnetError | null {
  const explain = error === RATE_LIMITED ? tooSoon : EXPLAIN[error as ErrorName]
  return explain === undefined ? null : new SubnetError(explain(attempt, at))
}

const commitOf = ({ hash }: Attempt, { commits }: PendingCommits) =>
  commits.find(({ sealed }) => sealed.kind === 'salted' && sealed.hash === hash)

const tooSoon: Explain = ({ lastCommit }, { state, block, commits }) => {
  const last = lastCommit ?? commits.at(-1)?.block ?? null
  const next = last === null ? null : last + state.rateLimit
  return {
    code: 'WEIGHTS_COMMIT_TOO_SOON',
    message: `the last commit was in block ${last ?? 'unknown'}, and the next is taken ${state.rateLimit} blocks later${next === null ? '' : `, at block ${next}`}; now is ${block.number}`,
    details: { next, block: block.number, rateLimit: state.rateLimit },
    retryable: true,
  }
}

/** The pool's own word for a call that comes before its rate limit, without a fee and a block. */
const RATE_LIMITED = 'InvalidTransaction.TxRateLimitExceeded'

const EXPLAIN: Partial<Record<ErrorName, Explain>> = {
  'SubtensorModule.RevealTooEarly': (attempt, at) => {
    const window = commitOf(attempt, at)?.window ?? null
    return {
      code: 'WEIGHTS_REVEAL_TOO_EARLY',
      message:
        window === null
          ? 'the commit may not be revealed yet, and no epoch is coming; wait until the subnet has a tempo'
          : `the commit may be revealed from block ${window.from} to ${window.to}, now is ${at.block.number}; wait for it`,
      details: { from: window?.from ?? null, to: window?.to ?? null, block: at.block.number },
      retryable: true,
    }
  },
  'SubtensorModule.ExpiredWeightCommit': (attempt, at) => ({
    code: 'WEIGHTS_COMMIT_EXPIRED',
    message: `the commit's epoch for revealing is over at block ${at.block.number}; commit the row again`,
    details: { block: at.block.number, hash: attempt.hash ?? null },
  }),
  'SubtensorModule.NoWeightsCommitFound': (_, at) => ({
    code: 'WEIGHTS_NO_COMMIT',
    message: `the hotkey has no open commit at block ${at.block.number}: it was revealed, replaced by a later reveal, or never included; commit the row again`,
    details: { block: at.block.number },
  }),
  'SubtensorModule.InvalidRevealCommitHashNotMatch': (attempt, { commits }) => ({
    code: 'WEIGHTS_REVEAL_MISMATCH',
    message: `no open commit has the hash ${attempt.hash ?? ''}; reveal the row, salt and version key that were committed (${commits.length} open)`,
    details: { hash: attempt.hash ?? null, open: commits.length },
  }),
  'SubtensorModule.TooManyUnrevealedCommits': (_, { commits }) => ({
    code: 'WEIGHTS_COMMITS_FULL',
    message: `${commits.length} commits of the hotkey wait to be revealed; reveal them, or wait until they expire`,
    details: { open: commits.length },
    retryable: true,
  }),
  'SubtensorModule.CommitRevealDisabled': ({ netuid }) => ({
    code: 'WEIGHTS_COMMIT_REVEAL_OFF',
    message: `subnet ${netuid} takes weights openly; set them instead of committing`,
    details: { netuid },
  }),
  'SubtensorModule.CommitRevealEnabled': ({ netuid }, { state }) => ({
    code: 'WEIGHTS_COMMIT_REVEAL_ON',
    message: `subnet ${netuid} takes weights by commit and reveal only, ${state.revealPeriod} epochs apart; commit them`,
    details: { netuid, revealPeriod: state.revealPeriod },
  }),
  'SubtensorModule.CommittingWeightsTooFast': tooSoon,
  'SubtensorModule.IncorrectCommitRevealVersion': (_, { state }) => ({
    code: 'WEIGHTS_COMMIT_VERSION',
    message: `the chain takes timelocked commits of version ${state.version}; state that one, or update Arbor`,
    details: { version: state.version },
  }),
  'SubtensorModule.InvalidRevealRound': ({ round }, { state }) => ({
    code: 'WEIGHTS_REVEAL_ROUND',
    message: `round ${round ?? 'of the commit'} is public already: the chain has rounds up to ${state.lastStoredRound ?? 0}; seal the row for a later round`,
    details: { round: String(round ?? ''), lastStoredRound: String(state.lastStoredRound ?? 0n) },
  }),
}
