import { canonicalJson } from '@arbor/shared/canonical-json'
import { SubnetError } from '@arbor/shared/errors'
import { printable } from '@arbor/shared/printable'
import type { Block, Blocks, Hex } from '@arbor/shared/units'
import type {
  AuditEntry,
  ForfeitEntry,
  LogEntry,
  MoveEntry,
  RoundEntry,
  RowEntry,
  ScoreEntry,
  StateEntry,
  TermsEntry,
  VerdictEntry,
} from '../log/entry.ts'
import { EMPTY_STATE, foldForfeits } from '../scoring/fold.ts'
import type { ScoreState } from '../scoring/rules.ts'
import { isSettled } from '../weights/machine.ts'
import { type MergesOf, openCheckpoints } from './check-checkpoint.ts'
import { openPendingAudits } from './check-forfeit.ts'
import { type Attempt, HELD, moveAttempt } from './check-move.ts'
import { checkRound, type RoundGroup, type RoundRules } from './check-round.ts'
import { checkRow, type RowSource, scoreRows } from './check-row.ts'
import type { ChainFacts } from './facts.ts'
import { type Mismatch, mismatchOf, type Omission, type Placed } from './findings.ts'
import { heldAt } from './held-at.ts'
import { openSources } from './sources.ts'

/** What a stretch of log came to. */
export interface Replayed {
  readonly mismatch: Mismatch | null
  /** Newest last. */
  readonly attempts: readonly Attempt[]
  readonly omissions: readonly Omission[]
  /** Starts of rounds between the first and the last of the stretch that it does not have. */
  readonly skipped: readonly Block[]
  readonly counts: Readonly<Record<LogEntry['kind'], number>>
  /** Rows whose registrations are the log's word, since the chain has no state of then. */
  readonly rowsByWord: number
  /** Rounds whose start the chain has no state of. */
  readonly roundsByWord: number
  /** Moves that the chain has no state of. */
  readonly movesByWord: number
  /** Merges that the chain has no state of. */
  readonly mergesByWord: number
  readonly state: ScoreState
  /** Earlier logs that the validator says it lost, and at which block it first says so in the stretch. */
  readonly lost: readonly { readonly size: number; readonly root: Hex; readonly since: Block }[]
}

/** Reads a log from a `state` or `terms` entry on, entry by entry, holding one round at a time. */
export interface Replay {
  /** Takes the next entry; after the first mismatch all others are only counted. */
  take(placed: Placed): Promise<void>
  /** Tells whether nothing is to be said any more of rows up to a block. */
  isSettled(upTo: Block): boolean
  end(): Replayed
}

export interface ReplayRules extends RoundRules {
  readonly genesisHash: Hex
  /** Hears each round that was folded; for comparisons and samples. */
  readonly onRound?: (group: RoundGroup, before: ScoreState) => void
  /** Tells what the chain merges in a round; absent where the subnet trains no model. */
  readonly mergesOf?: MergesOf | undefined
}

/** Entries of one round that are held: 4 096 miners, asked six times each, are half of it. */
const MOST_IN_ROUND = 65_536

const tooMany = (placed: Placed): Mismatch =>
  mismatchOf(placed, 'no more entries than a round can have', { expected: MOST_IN_ROUND, found: placed.entry.kind })

/** The most omissions that are kept by name. */
const KEPT_OMISSIONS = 10_000

export function startReplay(rules: ReplayRules, facts: ChainFacts): Replay {
  let mismatch: Mismatch | null = null
  let state: ScoreState | null = null
  /** Whether more was told than by what the log is to be read. */
  let begun = false
  let group: Writable<RoundGroup> | null = null
  let lengths: readonly Blocks[] = []
  const audits = openPendingAudits({ spec: rules.spec, lengths: () => lengths })
  const sources = openSources(rules)
  const checkpoints = openCheckpoints(rules.mergesOf)
  const attempts = new Map<number, Attempt>()
  let firstAttempt: number | null = null
  const omissions: Omission[] = []
  const skipped: Block[] = []
  let lastRound: RoundEntry | null = null
  const counts: Record<string, number> = {}
  const lost: Replayed['lost'][number][] = []
  const byWord = { rows: 0, rounds: 0, moves: 0 }

  const take = async (placed: Placed): Promise<Mismatch | null> => {
    const { entry } = placed
    if (entry.kind !== 'terms' && entry.kind !== 'state') {
      if (state === null)
        return mismatchOf(placed, 'the state that later rows need', { expected: 'state', found: entry.kind })
      begun = true
    }
    if (group !== null && !IN_ROUND.has(entry.kind))
      return mismatchOf(placed, 'a round in one piece', { expected: [...IN_ROUND], found: entry.kind })
    if (group === null && entry.kind !== 'audit' && entry.kind !== 'forfeit') {
      const unsettled = audits.settle(state ?? EMPTY_STATE)
      if (unsettled !== null) return unsettled
    }
    switch (entry.kind) {
      case 'terms':
        return takeTerms(placed as Placed<TermsEntry>)
      case 'state':
        return takeState(placed as Placed<StateEntry>)
      case 'round':
        group = { begin: { position: placed.position, entry }, verdicts: [], forfeits: [], scores: [], end: null }
        return null
      case 'verdict':
        return inRound(placed, (open) => open.verdicts.push(placed as Placed<VerdictEntry>))
      case 'score':
        return inRound(placed, (open) => open.scores.push(placed as Placed<ScoreEntry>))
      case 'round-end':
        return inRound(placed, (open) => {
          open.end = { position: placed.position, entry }
        })
      case 'audit':
        return audits.take(placed as Placed<AuditEntry>)
      case 'forfeit':
        return takeForfeit(placed as Placed<ForfeitEntry>)
      case 'row':
        return takeRow(placed as Placed<RowEntry>)
      case 'move':
        return takeMove(placed as Placed<MoveEntry>)
      case 'source':
        return sources.take({ position: placed.position, entry })
      case 'checkpoint':
        return checkpoints.check({ position: placed.position, entry })
    }
  }

  const takeTerms = (placed: Placed<TermsEntry>): Mismatch | null => {
    const { genesisHash, netuid, hotkey, spec, lost: gone, block } = placed.entry
    // Terms are told again and again, and with them what was lost once.
    if (gone !== undefined && !lost.some(({ size, root }) => size === gone.size && root === gone.root))
      lost.push({ ...gone, since: block })
    if (placed.position === 0) state = EMPTY_STATE
    const expected = { genesisHash: rules.genesisHash, netuid: rules.netuid, hotkey: rules.self }
    const foreign = same(placed, 'chain, subnet and hotkey of the log', expected, { genesisHash, netuid, hotkey })
    if (foreign === null) mustShareSpec(spec, rules.spec)
    return foreign
  }

  const takeState = (placed: Placed<StateEntry>): Mismatch | null => {
    const { kind: _, block: __, ...found } = placed.entry
    const before = state
    state = found
    // What an audit begins at is the log's word; every later one follows from it.
    return before === null || (counts.state === 1 && !begun)
      ? null
      : same(placed, 'the state that follows from the entries before it', before, found)
  }

  const inRound = async (placed: Placed, add: (open: Writable<RoundGroup>) => unknown): Promise<Mismatch | null> => {
    if (group === null || state === null)
      return mismatchOf(placed, 'a round around it', { expected: 'round', found: placed.entry.kind })
    if (group.verdicts.length + group.scores.length > MOST_IN_ROUND) return tooMany(placed)
    add(group)
    const { end } = group
    if (end === null) return null
    const whole: RoundGroup = { ...group, end }
    group = null
    const { start } = whole.begin.entry
    const { endedAt } = end.entry
    if (endedAt > facts.head.number)
      return mismatchOf(placed, 'a block that is final', { expected: facts.head.number, found: endedAt })
    const [hash, metagraph, atEnd] = await Promise.all([
      facts.blockHash(start.number),
      start.number > facts.head.number ? ('pruned' as const) : facts.metagraph(start.number),
      facts.tempo(endedAt),
    ])
    if (metagraph === 'pruned') byWord.rounds += 1
    const checked = checkRound(
      whole,
      state,
      { hash, metagraph: metagraph === 'pruned' ? null : metagraph, endTempo: atEnd === 'pruned' ? null : atEnd },
      rules,
    )
    rules.onRound?.(whole, state)
    skipped.push(...skippedBetween(lastRound, whole.begin.entry, KEPT_OMISSIONS - skipped.length))
    lastRound = whole.begin.entry
    state = checked.state
    lengths = [...new Set([...lengths, whole.begin.entry.length])].slice(-2)
    for (const omission of checked.omissions) if (omissions.length < KEPT_OMISSIONS) omissions.push(omission)
    return checked.mismatch
  }

  const takeForfeit = (placed: Placed<ForfeitEntry>): Mismatch | null => {
    if (group !== null) {
      if (group.forfeits.length > MOST_IN_ROUND) return tooMany(placed)
      group.forfeits.push(placed)
      return null
    }
    state = foldForfeits(state ?? EMPTY_STATE, [placed.entry.forfeit])
    return audits.check(placed)
  }

  const takeRow = async (placed: Placed<RowEntry>): Promise<Mismatch | null> => {
    const { entry } = placed
    if (entry.block.number > facts.head.number)
      return mismatchOf(placed, 'a block that is final', { expected: facts.head.number, found: entry.block.number })
    if (attempts.has(entry.attempt))
      return mismatchOf(placed, 'an attempt of its own', { expected: 'a new number', found: entry.attempt })
    const [hash, metagraph] = await Promise.all([
      facts.blockHash(entry.block.number),
      facts.metagraph(entry.block.number),
    ])
    const shaken = sources.check(placed, metagraph === 'pruned' ? null : metagraph)
    const combined: RowSource | null = sources.rows()
    const source = combined ?? scoreRows(state ?? EMPTY_STATE, rules.spec)
    const known = combined === null ? (state?.scores ?? []) : sources.known()
    const of = { source, spec: rules.spec, known, hash, metagraph: metagraph === 'pruned' ? null : metagraph }
    const checked = checkRow(placed, of)
    if (!checked.byChain) byWord.rows += 1
    firstAttempt ??= entry.attempt
    const { row: recomputed } = checked
    const { byChain } = checked
    attempts.set(entry.attempt, { placed, recomputed, byChain, state: 'computed', sentAt: null, appliedAt: null })
    return shaken ?? checked.mismatch
  }

  const takeMove = async (placed: Placed<MoveEntry>): Promise<Mismatch | null> => {
    const { entry } = placed
    const attempt = attempts.get(entry.attempt)
    if (attempt === undefined) {
      const isOlder = firstAttempt === null || entry.attempt < firstAttempt // its row lies before the stretch
      return isOlder ? null : mismatchOf(placed, 'an attempt with a row', { expected: 'row', found: entry.attempt })
    }
    const moved = moveAttempt(attempt, placed)
    attempts.set(entry.attempt, moved.attempt)
    if (moved.mismatch !== null || entry.block === null || !HELD.has(entry.state)) return moved.mismatch
    return checkHeld(placed, moved.attempt, entry.block)
  }

  /** Looks whether the chain held a row where the log says so. */
  const checkHeld = async (placed: Placed<MoveEntry>, attempt: Attempt, block: Block): Promise<Mismatch | null> => {
    if (block > facts.head.number)
      return mismatchOf(placed, 'a block that is final', { expected: facts.head.number, found: block })
    const held = await heldAt(facts, { ...rules, attempt, block })
    if (held === 'pruned') byWord.moves += 1
    if (held === 'pruned' || held.isSame) return null
    return mismatchOf(placed, 'the row that the chain holds at its block', {
      expected: held.row,
      found: attempt.placed.entry.row,
    })
  }

  return {
    take: async (placed) => {
      counts[placed.entry.kind] = (counts[placed.entry.kind] ?? 0) + 1
      if (mismatch !== null) return
      try {
        mismatch = await take(placed)
      } catch (error) {
        if (!(error instanceof SubnetError) || !/^(SPEC|UNIT|SS58|HEX)_/.test(error.code)) throw error
        mismatch = mismatchOf(placed, 'values that the spec can use', { expected: error.message, found: placed.entry })
      }
    },
    isSettled: (upTo) =>
      [...attempts.values()].every(({ placed, state: at }) => isSettled(at) || placed.entry.block.number > upTo),
    end: () => ({
      mismatch,
      attempts: [...attempts.values()],
      omissions,
      skipped,
      counts: { ...NONE, ...counts },
      rowsByWord: byWord.rows,
      roundsByWord: byWord.rounds,
      movesByWord: byWord.moves,
      mergesByWord: checkpoints.byWord(),
      state: state ?? EMPTY_STATE,
      lost,
    }),
  }
}

/**
 * Expects the rules by which the log was written: by others, none of its rows follows.
 * @throws AUDIT_SPEC
 */
function mustShareSpec(found: TermsEntry['spec'], { name, version, model }: RoundRules['spec']): void {
  if (found.name === name && found.version === version && found.model === model.hash) return
  throw new SubnetError({
    code: 'AUDIT_SPEC',
    message: `the log is of the subnet ${printable(found.name)}, version ${found.version}, model ${found.model}; this audit has ${name}, version ${version}, model ${model.hash}: name the log's own with --spec, in the release that has its version`,
    details: { found: found.version, expected: version },
  })
}

const same = (placed: Placed, what: string, expected: unknown, found: unknown): Mismatch | null =>
  canonicalJson(expected) === canonicalJson(found) ? null : mismatchOf(placed, what, { expected, found })

/** Lists the starts of rounds between two; where their length changed on the way, those of the new one. */
function skippedBetween(before: RoundEntry | null, { start, length }: RoundEntry, most: number): readonly Block[] {
  if (before === null || length < 1) return []
  const starts: Block[] = []
  const first = Math.ceil((before.start.number + before.length) / length) * length
  for (let at = first; at < start.number && starts.length < most; at += length) starts.push(at as Block)
  return starts
}

/** What may stand between a round's beginning and its end. */
const IN_ROUND: ReadonlySet<LogEntry['kind']> = new Set(['verdict', 'forfeit', 'score', 'round-end'])

const NONE: Readonly<Record<LogEntry['kind'], number>> = {
  terms: 0,
  state: 0,
  round: 0,
  verdict: 0,
  score: 0,
  'round-end': 0,
  audit: 0,
  forfeit: 0,
  row: 0,
  move: 0,
  source: 0,
  checkpoint: 0,
}

type Writable<Group extends RoundGroup> = {
  readonly begin: Group['begin']
  readonly verdicts: Placed<VerdictEntry>[]
  readonly forfeits: Placed<ForfeitEntry>[]
  readonly scores: Placed<ScoreEntry>[]
  end: Group['end'] | null
}
