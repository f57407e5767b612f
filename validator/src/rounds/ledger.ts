import { transaction } from '@arbor/chain/store/transaction'
import type { Block, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import { addForfeits, type Forfeit, forfeitIn } from '../ledger-audits.ts'
import type { LedgerPart } from '../ledger-part.ts'
import type { Score } from '../scores.ts'
import { FRESH_ROUNDS, foldRound } from '../scoring/fold.ts'
import type { FoldTerms, ScoreState } from '../scoring/rules.ts'
import { mustLeadTo, type RoundTerms, type RunLedger, runLedger } from './runs.ts'
import { type VerdictRow, verdictEntry } from './verdict-row.ts'

/** A round's end: what is recorded in one transaction. */
export interface RecordedRound {
  readonly state: 'recorded'
  readonly run: RoundTerms
  /** Newest finalised block. */
  readonly endedAt: Block
  readonly at: UnixMs
  readonly verdicts: readonly VerdictRow[]
  readonly forfeits: readonly Forfeit[]
  readonly terms: FoldTerms
}

/** What a validator must not forget of its rounds; each method one transaction. */
export interface RoundLedger extends RunLedger {
  /** Start block of the last round that was recorded, null before the first. */
  lastRoundBlock(): Block | null
  /** Start blocks of the newest rounds that were recorded, newest first. */
  recentRounds(most: number): readonly Block[]
  scores(): readonly Score[]
  /** All that the next row follows from, but the chain. */
  scoreState(): ScoreState
  /** Records verdicts, forfeits and the scores that follow, and tells the log of them. @throws LEDGER_MOVE where the round's state does not lead there */
  recordRound(round: RecordedRound): void
  verdictCounts(): ReadonlyMap<Ss58, ReadonlyMap<string, number>>
  /** The newest verdicts of a hotkey, newest first. */
  lastVerdicts(hotkey: Ss58, most: number): readonly Pick<VerdictRow, 'roundBlock' | 'reason' | 'value' | 'totalMs'>[]
  /** When the last round was recorded, null before the first. */
  lastRoundAt(): UnixMs | null
}

/** Makes the part of a ledger that rounds need. @param of.keptRounds rounds whose verdicts are kept */
export function roundLedger({
  db,
  append,
  log,
  keptRounds,
}: LedgerPart & { readonly keptRounds: number }): RoundLedger {
  const addVerdict = db.prepare(
    'INSERT INTO verdicts (round_block, round, hotkey, uid, registered_at, task, seed, reason, value, sigma, total_ms, check_ms, prefilled, receipt, repeat, answer_hash, drawn_at, signed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const putScore = db.prepare(
    'INSERT OR REPLACE INTO scores (hotkey, uid, registered_at, average, sigma, samples, last_round_block) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const dropScore = db.prepare('DELETE FROM scores WHERE hotkey = ? AND uid = ? AND registered_at = ?')
  const write = ({ run, endedAt, at, verdicts, forfeits, terms }: RecordedRound): void => {
    const { roundBlock, blockHash, round, length, tempo, miners } = run
    const { state, changed, dropped } = foldRound(
      scoreState(),
      { roundBlock, length, endedAt, verdicts, forfeits },
      terms,
    )
    db.prepare('INSERT INTO rounds (round_block, at, block_hash, ended_at) VALUES (?, ?, ?, ?)').run(
      roundBlock,
      at,
      blockHash,
      endedAt,
    )
    for (const verdict of verdicts) addVerdict.run(...valuesOf(verdict))
    for (const { hotkey, uid, registeredAt } of dropped) dropScore.run(hotkey, uid, registeredAt)
    for (const s of changed)
      putScore.run(s.hotkey, s.uid, s.registeredAt, s.average, s.sigma, s.samples, s.lastRoundBlock)
    db.prepare('DELETE FROM forfeits WHERE until_block <= ?').run(roundBlock)
    const added = addForfeits(db, forfeits)
    append([{ kind: 'round', round, start: { number: roundBlock, hash: blockHash }, length, miners }])
    append(verdicts.map(verdictEntry))
    append(added.map((forfeit) => ({ kind: 'forfeit', forfeit })))
    append(changed.map((score) => ({ kind: 'score', ...score })))
    append([{ kind: 'round-end', round, roundBlock, endedAt, at }])
    if (log.isStateDue({ block: roundBlock, every: tempo })) append([{ kind: 'state', block: endedAt, ...state }])
  }
  const scores = (): readonly Score[] =>
    db.prepare('SELECT * FROM scores ORDER BY uid, registered_at').all().map(scoreOf)
  const scoreState = (): ScoreState => {
    const newest = db
      .prepare('SELECT round_block, ended_at FROM rounds ORDER BY round_block DESC LIMIT ?')
      .all(FRESH_ROUNDS)
    return {
      scores: scores(),
      forfeits: db.prepare('SELECT * FROM forfeits ORDER BY uid, at_block, registered_at, hotkey').all().map(forfeitIn),
      rounds: newest.map((row) => Number(row.round_block) as Block),
      endedAt: numberOrNull(newest[0]?.ended_at) as Block | null,
    }
  }
  return {
    ...runLedger({ db }),
    scores,
    scoreState,
    lastRoundBlock: () => numberOrNull(db.prepare('SELECT max(round_block) AS v FROM rounds').get()?.v) as Block | null,
    recentRounds: (most) =>
      db
        .prepare('SELECT round_block FROM rounds ORDER BY round_block DESC LIMIT ?')
        .all(most)
        .map((row) => Number(row.round_block) as Block),
    lastRoundAt: () => numberOrNull(db.prepare('SELECT max(at) AS v FROM rounds').get()?.v) as UnixMs | null,
    recordRound: (recorded) =>
      transaction(db, () => {
        const { roundBlock } = recorded.run
        mustLeadTo(db, roundBlock, recorded.state)
        write(recorded)
        db.prepare("UPDATE runs SET state = 'recorded' WHERE round_block = ?").run(roundBlock)
        db.prepare('DELETE FROM run_answers WHERE round_block = ?').run(roundBlock)
        forgetBeyond(db, keptRounds)
      }),
    verdictCounts: () => {
      const counts = new Map<Ss58, Map<string, number>>()
      for (const r of db.prepare('SELECT hotkey, reason, count(*) AS n FROM verdicts GROUP BY hotkey, reason').all()) {
        const hotkey = String(r.hotkey) as Ss58
        counts.set(hotkey, (counts.get(hotkey) ?? new Map()).set(String(r.reason), Number(r.n)))
      }
      return counts
    },
    lastVerdicts: (hotkey, most) =>
      db
        .prepare(
          'SELECT round_block, reason, value, total_ms FROM verdicts WHERE hotkey = ? ORDER BY round_block DESC, repeat DESC LIMIT ?',
        )
        .all(hotkey, most)
        .map((row) => ({
          roundBlock: Number(row.round_block) as Block,
          reason: String(row.reason),
          value: Number(row.value),
          totalMs: numberOrNull(row.total_ms),
        })),
  }
}

/** Forgets verdicts and runs of rounds beyond those kept; scores are forgotten by the fold. */
function forgetBeyond(db: LedgerPart['db'], keptRounds: number): void {
  const oldest = db.prepare('SELECT round_block AS v FROM rounds ORDER BY round_block DESC LIMIT 1 OFFSET ?')
  const from = numberOrNull(oldest.get(keptRounds - 1)?.v)
  if (from === null) return
  for (const table of ['verdicts', 'rounds', 'runs']) db.prepare(`DELETE FROM ${table} WHERE round_block < ?`).run(from)
}

const valuesOf = (v: VerdictRow) => [
  v.roundBlock,
  v.round,
  v.hotkey,
  v.uid,
  v.registeredAt,
  v.task,
  v.seed,
  v.reason,
  v.value,
  v.sigma,
  v.totalMs,
  v.checkMs ?? null,
  v.prefilled ?? null,
  v.receipt ?? null,
  v.repeat,
  v.answerHash,
  v.drawnAt,
  v.signed ? 1 : 0,
]

const scoreOf = (r: Record<string, unknown>): Score => ({
  hotkey: String(r.hotkey) as Ss58,
  uid: Number(r.uid) as Uid,
  registeredAt: Number(r.registered_at) as Block,
  average: Number(r.average),
  sigma: Number(r.sigma),
  samples: Number(r.samples),
  lastRoundBlock: Number(r.last_round_block) as Block,
})

const numberOrNull = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value))
