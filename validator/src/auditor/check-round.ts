import type { Metagraph } from '@arbor/chain/client/types'
import { canonicalJson } from '@arbor/shared/canonical-json'
import type { Block, Blocks, Hex, NetUid, Ss58 } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { roundBlocks } from '@arbor/subnet-spec/rounds'
import { forfeitOf } from '../forfeit.ts'
import type { Forfeit } from '../ledger-audits.ts'
import type { ForfeitEntry, RoundEndEntry, RoundEntry, ScoreEntry, VerdictEntry } from '../log/entry.ts'
import { askedAt } from '../plan.ts'
import { foldRound, forfeitKey } from '../scoring/fold.ts'
import type { RoundOutcome, ScoreState } from '../scoring/rules.ts'
import { checkVerdict } from './check-verdict.ts'
import { type Mismatch, mismatchOf, type Omission, type Placed } from './findings.ts'

/** A round as the log has it, from its `round` entry to its `round-end`. */
export interface RoundGroup {
  readonly begin: Placed<RoundEntry>
  readonly verdicts: readonly Placed<VerdictEntry>[]
  readonly forfeits: readonly Placed<ForfeitEntry>[]
  readonly scores: readonly Placed<ScoreEntry>[]
  readonly end: Placed<RoundEndEntry>
}

/** Whose rounds they are, and by which rules. */
export interface RoundRules {
  readonly self: Ss58
  readonly netuid: NetUid
  readonly spec: SubnetSpec
}

/** What the chain says of a round's start; null where the state of then is gone. */
export interface RoundFacts {
  /** Null when the chain has no such block. */
  readonly hash: Hex | null
  readonly metagraph: Metagraph | null
  /** Tempo at the block where the round ended. */
  readonly endTempo: Blocks | null
}

/** A round that was folded again. */
export interface CheckedRound {
  readonly mismatch: Mismatch | null
  readonly state: ScoreState
  readonly omissions: readonly Omission[]
}

/** Checks a round against the chain and the spec, folds it into the state, and compares scores and forfeits with what the log says. */
export function checkRound(group: RoundGroup, state: ScoreState, facts: RoundFacts, rules: RoundRules): CheckedRound {
  const { verdicts } = group
  const folded = foldRound(state, outcomeOf(group), rules.spec)
  const mismatch =
    checkStart(group, state, facts, rules) ??
    first(verdicts, (verdict) => checkVerdict(verdict, { group, facts, rules })) ??
    checkOnce(verdicts) ??
    checkForfeits(group, state, rules) ??
    checkScores(group, folded.changed) ??
    checkEnd(group)
  return { mismatch, state: folded.state, omissions: omissionsOf(group, facts.metagraph, rules.self) }
}

/** Takes of a round what scores follow from. */
export const outcomeOf = ({ begin, verdicts, forfeits, end }: RoundGroup): RoundOutcome => ({
  roundBlock: begin.entry.start.number,
  length: begin.entry.length,
  endedAt: end.entry.endedAt,
  verdicts: verdicts.map(({ entry }) => entry),
  forfeits: forfeits.map(({ entry }) => entry.forfeit),
})

function checkStart({ begin }: RoundGroup, state: ScoreState, facts: RoundFacts, rules: RoundRules): Mismatch | null {
  const { round, start, length } = begin.entry
  const lengths = [facts.metagraph?.tempo ?? null, facts.endTempo].flatMap((tempo) =>
    tempo === null || tempo < 1 ? [] : [roundBlocks({ tempo, roundsPerEpoch: rules.spec.roundsPerEpoch })],
  )
  const [expected] = lengths
  if (expected !== undefined && !lengths.includes(length))
    return mismatchOf(begin, 'the length of a round, by tempo and spec', { expected, found: length })
  if (length < 1 || round * length !== start.number)
    return mismatchOf(begin, 'the block at which the round starts', { expected: round * length, found: start.number })
  if (facts.hash !== start.hash)
    return mismatchOf(begin, "the hash of the round's start block", { expected: facts.hash, found: start.hash })
  const before = state.rounds[0]
  if (before !== undefined && start.number <= before)
    return mismatchOf(begin, 'rounds in their order', { expected: `after block ${before}`, found: start.number })
  return null
}

function checkOnce(verdicts: readonly Placed<VerdictEntry>[]): Mismatch | null {
  const seen = new Set<string>()
  for (const verdict of verdicts) {
    const key = `${verdict.entry.uid} ${verdict.entry.repeat}`
    if (seen.has(key))
      return mismatchOf(verdict, 'one verdict for each question', { expected: 1, found: `uid, repeat ${key} twice` })
    seen.add(key)
  }
  // Who is asked again was asked before: what that came to is not to be left out.
  const alone = verdicts.find(({ entry }) => entry.repeat > 0 && !seen.has(`${entry.uid} 0`))
  return alone === undefined
    ? null
    : mismatchOf(alone, "the verdict of the round's own question before a repeat's", {
        expected: { uid: alone.entry.uid, repeat: 0 },
        found: null,
      })
}

/**
 * Compares a round's forfeits with those that follow from its verdicts. A registration has one at a block: of several causes any may be told,
 * and none is told where an audit of users' answers came first.
 */
function checkForfeits(
  { begin, verdicts, forfeits }: RoundGroup,
  state: ScoreState,
  { spec }: RoundRules,
): Mismatch | null {
  const { start, length } = begin.entry
  const due = verdicts.flatMap(({ entry }): Forfeit[] => {
    // Whoever stands on the way can write what no miner signs: such an answer costs its round only.
    if (!entry.signed || entry.receipt === null) return []
    const forfeit = forfeitOf({ ...entry, spec, kind: 'planned', atBlock: start.number, length })
    return forfeit === null ? [] : [forfeit]
  })
  const told = new Set(state.forfeits.map(forfeitKey))
  for (const placed of forfeits) {
    const { forfeit } = placed.entry
    const causes = due.filter((each) => forfeitKey(each) === forfeitKey(forfeit))
    if (!causes.some((cause) => canonicalJson(cause) === canonicalJson(forfeit)))
      return mismatchOf(placed, 'a forfeit that follows from a verdict of its round', {
        expected: causes[0] ?? null,
        found: forfeit,
      })
    told.add(forfeitKey(forfeit))
  }
  const untold = due.find((forfeit) => !told.has(forfeitKey(forfeit)))
  return untold === undefined
    ? null
    : mismatchOf(begin, 'the forfeits that follow from its verdicts', { expected: untold, found: null })
}

function checkScores({ scores, end }: RoundGroup, changed: RoundScores): Mismatch | null {
  for (const [index, score] of changed.entries()) {
    const placed = scores[index]
    const expected: ScoreEntry = { kind: 'score', ...score }
    if (placed === undefined) return mismatchOf(end, 'a score for each miner with a verdict', { expected, found: null })
    if (!isSameScore(expected, placed.entry))
      return mismatchOf(placed, 'the score that follows from the verdicts', { expected, found: placed.entry })
  }
  const extra = scores[changed.length]
  return extra === undefined
    ? null
    : mismatchOf(extra, 'scores of miners with a verdict alone', { expected: null, found: extra.entry })
}

/** Entries were read by their schema, so that they have these parts and no others. */
const isSameScore = (a: ScoreEntry, b: ScoreEntry): boolean =>
  a.hotkey === b.hotkey &&
  a.uid === b.uid &&
  a.registeredAt === b.registeredAt &&
  a.average === b.average &&
  a.sigma === b.sigma &&
  a.samples === b.samples &&
  a.lastRoundBlock === b.lastRoundBlock

type RoundScores = ReturnType<typeof foldRound>['changed']

function checkEnd({ begin, end }: RoundGroup): Mismatch | null {
  const { round, start } = begin.entry
  const { entry } = end
  if (entry.round !== round || entry.roundBlock !== start.number)
    return mismatchOf(end, 'the round that ends', {
      expected: { round, roundBlock: start.number },
      found: { round: entry.round, roundBlock: entry.roundBlock },
    })
  if (entry.endedAt < start.number)
    return mismatchOf(end, 'a round that ends after its start', { expected: start.number, found: entry.endedAt })
  return null
}

/** Lists the miners that served at the round's start and have no verdict. */
function omissionsOf(group: RoundGroup, metagraph: Metagraph | null, self: Ss58): readonly Omission[] {
  const judged = new Set(group.verdicts.map(({ entry }) => entry.uid))
  const roundBlock: Block = group.begin.entry.start.number
  return (metagraph?.neurons ?? [])
    .filter((neuron) => neuron.hotkey !== self && askedAt(neuron) !== null && !judged.has(neuron.uid))
    .map(({ hotkey, uid }) => ({ roundBlock, hotkey, uid }))
}

const first = <T>(items: readonly T[], check: (item: T) => Mismatch | null): Mismatch | null => {
  for (const item of items) {
    const found = check(item)
    if (found !== null) return found
  }
  return null
}
