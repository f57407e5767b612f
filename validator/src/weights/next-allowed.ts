import type { CommitRevealState, PendingCommit } from '@arbor/chain/client/commits'
import type { WeightRow } from '@arbor/chain/client/types'
import type { WeightRules } from '@arbor/chain/client/weight-rules'
import { nextEpoch } from '@arbor/chain/timelock/schedule'
import type { Block } from '@arbor/shared/units'
import type { Snapshot } from '../chain-view.ts'
import type { WeightMethod } from './machine.ts'

/** Everything that decides whether weights may go now, true at one finalised block. */
export interface WeightFacts extends Snapshot {
  readonly mechanism: number
  readonly rules: WeightRules
  /** Rules and clock of commit-reveal. */
  readonly clock: CommitRevealState
  /** Our own commits that the chain has not opened. */
  readonly commits: readonly PendingCommit[]
}

/** What would be sent: a row in the open, its commit, or the opening of a salted one. */
export type WeightStep =
  | {
      readonly kind: 'set' | 'commit'
      readonly method: WeightMethod
      readonly version: bigint
      readonly row?: WeightRow
    }
  | { readonly kind: 'reveal'; readonly commit: PendingCommit; readonly version: bigint; readonly row?: WeightRow }

/** A rule of the chain that may stand against it. */
export type ChainRule =
  | 'registered'
  | 'pause'
  | 'stake'
  | 'rate-limit'
  | 'commit-reveal'
  | 'mechanism'
  | 'commits-full'
  | 'reveal-expired'
  | 'reveal-window'
  | 'no-epochs'
  | 'version'
  | 'permit'
  | 'row-length'
  | 'row-share'

/** Whether weights may go in the next block, or which rule forbids it until when. */
export type NextAllowed = { readonly allowed: true } | Forbidden

export interface Forbidden {
  readonly allowed: false
  readonly rule: ChainRule
  /** First block that may allow it; null when no block alone does. */
  readonly at: Block | null
  /** Before this block the subnet's owner cannot change the rule: the freeze before an epoch; null when he can. */
  readonly frozenUntil: Block | null
  /** What the chain would answer now, by its own name. */
  readonly refusal: string
  /** Where it would: when it is offered, or when the chain opens the commit. */
  readonly when: 'sending' | 'opening'
  readonly why: string
  /** What an operator can do; null when there is nothing but to wait. */
  readonly todo: string | null
}

/**
 * Tells which rule forbids to send weights into the block after the facts', in the order in which the chain checks.
 * @source subtensor@14bc6f9 pallets/subtensor/src/subnets/weights.rs; docs/weights.md, "When the chain allows it"
 */
export function nextAllowed(facts: WeightFacts, step: WeightStep): NextAllowed {
  const checks = step.kind === 'set' ? SET : step.kind === 'commit' ? COMMIT : REVEAL
  for (const check of checks) {
    const found = check(facts, step)
    if (found !== null)
      return { allowed: false, at: null, when: 'sending', todo: null, ...found, ...frozen(facts, found) }
  }
  return { allowed: true }
}

type Found = Pick<Forbidden, 'rule' | 'refusal' | 'why'> & Partial<Forbidden>
type Check = (facts: WeightFacts, step: WeightStep) => Found | null

/** Rules that a subnet's owner sets. */
const OWNERS: ReadonlySet<ChainRule> = new Set(['version', 'commit-reveal', 'mechanism', 'row-length', 'row-share'])

/** Finds the end of the freeze in which a rule cannot change. */
const frozen = ({ rules, clock }: WeightFacts, { rule }: Found): { readonly frozenUntil: Block | null } => {
  const epoch = nextEpoch(clock.schedule)
  const near = epoch !== null && epoch - (clock.schedule.block + 1) < rules.freezeBlocks
  return { frozenUntil: near && OWNERS.has(rule) ? epoch : null }
}

const next = ({ metagraph }: WeightFacts): Block => (metagraph.block.number + 1) as Block
const isOwner = ({ me, metagraph }: WeightFacts): boolean => me !== undefined && me.hotkey === metagraph.ownerHotkey
/** A row of nothing but the validator itself is exempt from some rules. */
const isSelf = ({ me }: WeightFacts, { row }: WeightStep): boolean => row?.length === 1 && row[0]?.[0] === me?.uid

const registered: Check = ({ me, metagraph: { netuid } }) =>
  me !== undefined
    ? null
    : {
        rule: 'registered',
        refusal: 'InvalidTransaction.HotKeyAccountNotExists',
        why: `the hotkey is not registered in subnet ${netuid}`,
        todo: `arbor register --netuid ${netuid}`,
      }

/** Blocks that a failed free call costs its hotkey. @source chain/pallets/subtensor/src/defaults.rs FREE_FAILURE_PAUSE */
const PAUSE = 5

const pause: Check = (facts) => {
  const { failedAt } = facts.rules
  if (failedAt === null || next(facts) - failedAt >= PAUSE) return null
  const at = (failedAt + PAUSE) as Block
  const why = `a call of the hotkey failed in block ${failedAt}, which costs it ${PAUSE} blocks`
  return { rule: 'pause', refusal: TOO_FAST, at, why }
}

const TOO_FAST = 'InvalidTransaction.TxRateLimitExceeded'

const stake: Check = (facts) => {
  const { me, hyperparameters, metagraph } = facts
  if (me === undefined || isOwner(facts) || me.totalStake >= hyperparameters.stakeThreshold) return null
  return {
    rule: 'stake',
    refusal: 'InvalidTransaction.StakeTooLow',
    why: `stake ${me.totalStake} is below the threshold ${hyperparameters.stakeThreshold}`,
    todo: `arbor stake add --netuid ${metagraph.netuid}`,
  }
}

const rateLimit: Check = (facts) => {
  const last = facts.rules.lastUpdate ?? 0
  const limit = Math.max(1, facts.hyperparameters.weightsRateLimit) // the pool takes one in a block at most
  if (last === 0 || next(facts) - last >= limit) return null
  const why = `weights were set or committed in block ${last}, and may be once in ${limit} blocks`
  return { rule: 'rate-limit', refusal: TOO_FAST, at: (last + limit) as Block, why }
}

const openOnly: Check = ({ clock, metagraph: { netuid } }) =>
  clock.enabled
    ? {
        rule: 'commit-reveal',
        refusal: 'SubtensorModule.CommitRevealEnabled',
        why: `subnet ${netuid} takes committed weights only`,
      }
    : null

const committedOnly: Check = ({ clock, metagraph: { netuid } }) =>
  clock.enabled
    ? null
    : {
        rule: 'commit-reveal',
        refusal: 'SubtensorModule.CommitRevealDisabled',
        why: `subnet ${netuid} takes weights in the open only`,
      }

const mechanism: Check = ({ mechanism: id, rules, metagraph: { netuid } }) =>
  id < rules.mechanisms
    ? null
    : {
        rule: 'mechanism',
        refusal: 'SubtensorModule.MechanismDoesNotExist',
        why: `subnet ${netuid} has ${rules.mechanisms} mechanisms, and none of number ${id}`,
        todo: 'name one of them by --mechanism',
      }

/** Commits that a hotkey may have open. @source subtensor@14bc6f9 TooManyUnrevealedCommits */
const MOST_COMMITS = 10

const commitsFull: Check = (facts, step) => {
  const epoch = epochOfNext(facts)
  const { clock, commits } = facts
  const open = commits.filter(({ sealed, epoch: of }) =>
    step.kind === 'commit' && step.method === 'timelocked'
      ? sealed.kind === 'timelocked' && of === epoch // each epoch has a queue of its own
      : sealed.kind === 'salted' && of + clock.revealPeriod >= epoch,
  )
  if (open.length < MOST_COMMITS) return null
  const why = `${open.length} commits of the hotkey wait to be opened, and more than ${MOST_COMMITS} may not`
  return {
    rule: 'commits-full',
    refusal: 'SubtensorModule.TooManyUnrevealedCommits',
    at: nextEpoch(clock.schedule),
    why,
  }
}

/** Epoch that a commit of the next block belongs to. */
export const epochOfNext = (facts: WeightFacts): number => {
  const { clock } = facts
  // One that is due already is counted; otherwise one that begins in the next block comes first in it.
  return clock.epoch + (!clock.epochDue && nextEpoch(clock.schedule) === next(facts) ? 1 : 0)
}

const version: Check = ({ hyperparameters: { weightsVersion } }, step) =>
  weightsVersion <= step.version
    ? null
    : {
        rule: 'version',
        refusal: 'SubtensorModule.IncorrectWeightVersionKey',
        when: step.kind === 'commit' ? 'opening' : 'sending',
        why: `the subnet asks for weights of version ${weightsVersion}, and the spec has ${step.version}`,
        todo: 'update the spec',
      }

const permit: Check = (facts, step) => {
  const { me, clock } = facts
  if (me?.validatorPermit === true || isOwner(facts) || isSelf(facts, step)) return null
  const at = nextEpoch(clock.schedule)
  return {
    rule: 'permit',
    refusal: 'SubtensorModule.NeuronNoValidatorPermit',
    when: step.kind === 'commit' ? 'opening' : 'sending',
    at,
    why: `no validator permit yet: permits are given at each epoch, by stake; the next ${at === null ? 'never comes' : `is at block ${at}`}`,
    todo: 'stake more than the least validator that has one',
  }
}

const noEpochs: Check = ({ clock, metagraph: { netuid } }) =>
  nextEpoch(clock.schedule) !== null
    ? null
    : {
        rule: 'no-epochs',
        refusal: 'SubtensorModule.RevealTooEarly',
        when: 'opening',
        why: `subnet ${netuid} has tempo 0 and runs no epochs, so nothing that is committed would be opened`,
      }

const rowLength: Check = (facts, step) => {
  const { hyperparameters, metagraph } = facts
  const least = Math.min(metagraph.neurons.length, hyperparameters.minAllowedWeights)
  if (step.row === undefined || isSelf(facts, step) || step.row.length >= least) return null
  return {
    rule: 'row-length',
    refusal: 'SubtensorModule.WeightVecLengthIsLow',
    when: step.kind === 'commit' ? 'opening' : 'sending',
    why: `the row has ${step.row.length} weights, and the subnet asks for ${least}`,
  }
}

const U16 = 65_535

const rowShare: Check = (facts, step) => {
  const limit = facts.rules.maxWeight
  if (step.row === undefined || limit === U16 || isSelf(facts, step)) return null
  const values = step.row.map(([, weight]) => weight)
  const sum = values.reduce((total, value) => total + value, 0)
  if (Math.max(0, ...values) * U16 <= limit * sum) return null
  return {
    rule: 'row-share',
    refusal: 'SubtensorModule.MaxWeightExceeded',
    when: step.kind === 'commit' ? 'opening' : 'sending',
    why: `one miner has ${((100 * Math.max(...values)) / sum).toFixed(1)} % of the row, and the subnet allows ${((100 * limit) / U16).toFixed(1)} %`,
  }
}

const revealExpired: Check = (facts, step) => {
  if (step.kind !== 'reveal') return null
  if (epochOfNext(facts) <= step.commit.epoch + facts.clock.revealPeriod) return null
  const why = 'the epoch in which the commit had to be opened is over'
  return { rule: 'reveal-expired', refusal: 'SubtensorModule.ExpiredWeightCommit', why }
}

const revealWindow: Check = (facts, step) => {
  if (step.kind !== 'reveal') return null
  if (epochOfNext(facts) >= step.commit.epoch + facts.clock.revealPeriod) return null
  const at = step.commit.window?.from ?? null
  return {
    rule: 'reveal-window',
    refusal: 'SubtensorModule.RevealTooEarly',
    at,
    why: `the commit of block ${step.commit.block} is opened ${at === null ? 'when the subnet runs epochs' : `from block ${at} on`}`,
  }
}

/** The pool first, then the call: in each the chain's own order. */
const SET: readonly Check[] = [
  ...[registered, pause, stake, openOnly, rateLimit],
  ...[mechanism, version, permit, rowLength, rowShare],
]
const COMMIT: readonly Check[] = [
  ...[registered, pause, stake, rateLimit],
  ...[mechanism, committedOnly, commitsFull],
  ...[noEpochs, version, permit, rowLength, rowShare],
]
const REVEAL: readonly Check[] = [
  ...[registered, pause, stake],
  ...[committedOnly, revealExpired, revealWindow],
  ...[mechanism, version, permit, rowLength, rowShare],
]
