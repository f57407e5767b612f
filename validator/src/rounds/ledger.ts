import type { Block, Hex, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import { addForfeits, type Forfeit } from '../ledger-audits.ts'
import type { LedgerPart } from '../ledger-part.ts'
import type { Registration, Score } from '../scores.ts'
import { transaction } from '../transaction.ts'

/** One miner's outcome in one round. */
export interface VerdictRow extends Registration {
  readonly round: number
  readonly roundBlock: Block
  readonly task: string
  readonly seed: Hex
  readonly reason: string
  readonly value: number
  readonly sigma: number
  /** Milliseconds from the request's last byte to the answer's last; null without an answer. */
  readonly totalMs: number | null
  /** What judging it took; absent where there was nothing to judge. */
  readonly checkMs?: number | undefined
  /** Tokens of the check's prefill. */
  readonly prefilled?: number | undefined
  /** Id of its receipt. */
  readonly receipt?: string | undefined
}

/** What a validator must not forget of its rounds; each method one transaction. */
export interface RoundLedger {
  /** Start block of the last round that was recorded, null before the first. */
  lastRoundBlock(): Block | null
  /** Start blocks of the newest rounds that were recorded, newest first. */
  recentRounds(most: number): readonly Block[]
  scores(): readonly Score[]
  /** Records a round's verdicts and the scores they lead to; a round is recorded once, a second time is refused. */
  recordRound(round: {
    readonly roundBlock: Block
    readonly at: UnixMs
    readonly verdicts: readonly VerdictRow[]
    readonly scores: readonly Score[]
    readonly forfeits?: readonly Forfeit[]
  }): void
  verdictCounts(): ReadonlyMap<Ss58, ReadonlyMap<string, number>>
  /** When the last round was recorded, null before the first. */
  lastRoundAt(): UnixMs | null
}

/** Makes the part of a ledger that rounds need. @param of.keptRounds rounds whose verdicts are kept */
export function roundLedger({ db, keptRounds }: LedgerPart & { readonly keptRounds: number }): RoundLedger {
  const addVerdict = db.prepare(
    'INSERT INTO verdicts (round_block, round, hotkey, uid, registered_at, task, seed, reason, value, sigma, total_ms, check_ms, prefilled, receipt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const putScore = db.prepare(
    'INSERT OR REPLACE INTO scores (hotkey, uid, registered_at, average, sigma, samples, last_round_block) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const addRound = db.prepare('INSERT INTO rounds (round_block, at) VALUES (?, ?)')
  const oldest = db.prepare('SELECT round_block AS v FROM rounds ORDER BY round_block DESC LIMIT 1 OFFSET ?')
  const dropVerdicts = db.prepare('DELETE FROM verdicts WHERE round_block < ?')
  const dropRounds = db.prepare('DELETE FROM rounds WHERE round_block < ?')
  const dropScores = db.prepare('DELETE FROM scores WHERE last_round_block < ?')
  const dropForfeits = db.prepare('DELETE FROM forfeits WHERE until_block < ?')
  /** Forgets rounds beyond those kept, and scores that no kept round has touched. */
  const forget = (): void => {
    const from = numberOrNull(oldest.get(keptRounds - 1)?.v)
    if (from === null) return
    for (const drop of [dropVerdicts, dropRounds, dropScores, dropForfeits]) drop.run(from)
  }
  return {
    lastRoundBlock: () => numberOrNull(db.prepare('SELECT max(round_block) AS v FROM rounds').get()?.v) as Block | null,
    recentRounds: (most: number) =>
      db
        .prepare('SELECT round_block FROM rounds ORDER BY round_block DESC LIMIT ?')
        .all(most)
        .map((r) => Number(r.round_block) as Block),
    lastRoundAt: () => numberOrNull(db.prepare('SELECT max(at) AS v FROM rounds').get()?.v) as UnixMs | null,
    scores: () =>
      db
        .prepare('SELECT * FROM scores ORDER BY uid, registered_at')
        .all()
        .map((r) => ({
          hotkey: String(r.hotkey) as Ss58,
          uid: Number(r.uid) as Uid,
          registeredAt: Number(r.registered_at) as Block,
          average: Number(r.average),
          sigma: Number(r.sigma),
          samples: Number(r.samples),
          lastRoundBlock: Number(r.last_round_block) as Block,
        })),
    recordRound: ({ roundBlock, at, verdicts, scores, forfeits = [] }: Parameters<RoundLedger['recordRound']>[0]) =>
      transaction(db, () => {
        addRound.run(roundBlock, at)
        for (const v of verdicts) {
          addVerdict.run(
            roundBlock,
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
          )
        }
        addForfeits(db, forfeits)
        forget()
        for (const s of scores)
          putScore.run(s.hotkey, s.uid, s.registeredAt, s.average, s.sigma, s.samples, s.lastRoundBlock)
      }),
    verdictCounts: () => {
      const counts = new Map<Ss58, Map<string, number>>()
      for (const r of db.prepare('SELECT hotkey, reason, count(*) AS n FROM verdicts GROUP BY hotkey, reason').all()) {
        const hotkey = String(r.hotkey) as Ss58
        counts.set(hotkey, (counts.get(hotkey) ?? new Map()).set(String(r.reason), Number(r.n)))
      }
      return counts
    },
  }
}

const numberOrNull = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value))
