import type { WeightRow } from '@arbor/chain/client/types'
import type { Block, Uid } from '@arbor/shared/units'
import type { Logger } from 'pino'
import type { WeightAttempt } from './attempt.ts'
import type { Forbidden } from './next-allowed.ts'
import type { Refusal } from './outcome.ts'

/** What one pass of the weight loop came to, or one attempt in it. */
export type WeightOutcome =
  | { readonly kind: 'waiting'; readonly next: Forbidden }
  /** A commit of this epoch waits to be opened; no other is made before the next epoch. */
  | { readonly kind: 'pending'; readonly attempt: WeightAttempt; readonly block: Block; readonly next: Block | null }
  /** The last tries were refused or lost; the next one waits longer each time. */
  | { readonly kind: 'backing-off'; readonly until: Block; readonly tries: number; readonly error: string }
  | { readonly kind: 'nothing-scored' }
  | { readonly kind: 'unchanged'; readonly row: WeightRow; readonly again: Block }
  | { readonly kind: 'committed'; readonly attempt: WeightAttempt; readonly block: Block }
  /** `masked` uids changed hands after the commit: the chain gives them none of the row's weight. */
  | {
      readonly kind: 'confirmed'
      readonly attempt: WeightAttempt
      readonly block: Block
      readonly masked: readonly Uid[]
    }
  | { readonly kind: 'mismatch'; readonly attempt: WeightAttempt; readonly held: WeightRow; readonly block: Block }
  /** The blocks that may hold its bytes cannot be read: what the chain holds at block `until` or later decides. */
  | { readonly kind: 'unseen'; readonly attempt: WeightAttempt; readonly until: Block }
  | { readonly kind: 'failed'; readonly attempt: WeightAttempt; readonly refusal: Refusal }
  | { readonly kind: 'lost' | 'expired' | 'superseded'; readonly attempt: WeightAttempt; readonly why: string }

type Told = { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly text: string } & Readonly<
  Record<string, unknown>
>

/** Logs an outcome as `weights.<kind>`. */
export function report(log: Logger, outcome: WeightOutcome): void {
  const { level, text, ...fields } = describe(outcome)
  log[level]({ event: `weights.${outcome.kind}`, ...fields }, text)
}

const about = ({ id, mechanism, method, row }: WeightAttempt) => ({ attempt: id, mechanism, method, row })

function describe(outcome: WeightOutcome): Told {
  switch (outcome.kind) {
    case 'waiting': {
      const { rule, at, why, todo, frozenUntil } = outcome.next
      return { level: 'debug', text: todo === null ? why : `${why}: ${todo}`, rule, at, frozenUntil }
    }
    case 'pending':
      return { level: 'debug', text: pendingText(outcome), attempt: outcome.attempt.id, at: outcome.next }
    case 'backing-off': {
      const { until, tries, error } = outcome
      const text = `${tries} tries in a row came to nothing, the last by ${error}; the next is at block ${until}`
      return { level: 'debug', text, at: until, error }
    }
    case 'nothing-scored':
      return { level: 'debug', text: 'no miner has a score yet' }
    case 'unchanged':
      return {
        level: 'debug',
        text: `the chain holds these weights already; they are sent again at block ${outcome.again}`,
        at: outcome.again,
      }
    case 'committed': {
      const { attempt, block } = outcome
      const text = `weights committed, and ${opensText(attempt, block)}`
      const { committedAt, opens, commitHash } = attempt
      return { level: 'info', text, ...about(attempt), committedAt, opens, commitHash }
    }
    case 'confirmed': {
      const { attempt, block, masked } = outcome
      const text =
        masked.length === 0 ? 'weights read back as set' : `weights read back as set, but for uids ${masked.join(', ')}`
      const fields = masked.length === 0 ? {} : { masked }
      return { level: 'info', text, ...about(attempt), includedAt: attempt.includedAt, block, ...fields }
    }
    case 'mismatch': {
      const { attempt, held, block } = outcome
      return { level: 'error', text: 'the chain holds other weights than were set', ...about(attempt), held, block }
    }
    case 'unseen': {
      const { attempt, until } = outcome
      return { level: 'warn', text: unseenText(outcome), attempt: attempt.id, at: until, ...attempt.sent }
    }
    case 'failed': {
      const { attempt, refusal } = outcome
      return {
        level: refusal.cure === 'report' ? 'error' : 'warn',
        text: `the weights were not set: ${refusal.error}; ${refusal.means}`,
        ...about(attempt),
        error: refusal.error,
        refusal: refusal.kind,
        retryable: refusal.cure === 'wait' || refusal.cure === 'anew',
      }
    }
    case 'lost':
    case 'expired':
    case 'superseded':
      return {
        level: outcome.kind === 'superseded' ? 'info' : 'warn',
        text: `weights ${outcome.kind}: ${outcome.why}`,
        ...about(outcome.attempt),
        error: outcome.why,
      }
  }
}

/** Says what an attempt waits for whose bytes nobody saw. */
export const unseenText = ({ attempt, until }: Extract<WeightOutcome, { kind: 'unseen' }>): string =>
  `no block that may hold attempt ${attempt.id} can be read; what the chain holds at block ${until} decides`

const pendingText = ({ attempt, block, next }: Extract<WeightOutcome, { kind: 'pending' }>): string =>
  `the commit of block ${attempt.committedAt} is ${opensText(attempt, block)}; the next row is committed ${next === null ? 'when an epoch begins' : `from block ${next} on`}`

/** Says when a commit is opened, counted from a block. */
export const opensText = ({ opens }: Pick<WeightAttempt, 'opens'>, block: Block): string => {
  if (opens === null) return 'opened in an epoch to come'
  const blocks = opens.from - block
  return blocks > 0 ? `revealed in ${blocks} blocks, from block ${opens.from} on` : 'revealed in this epoch'
}

/** Warns of uids whose new holders get, or would have got, weight that was meant for others. */
export function warnOfChangedHands(
  log: Logger,
  { attempt, uids, what }: { readonly attempt: WeightAttempt; readonly uids: readonly Uid[]; readonly what: string },
): void {
  if (uids.length === 0) return
  log.warn(
    { event: 'weights.changed-hands', attempt: attempt.id, uids },
    `uids ${uids.join(', ')} changed hands: ${what}`,
  )
}
