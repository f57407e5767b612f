import { DatabaseSync } from 'node:sqlite'
import type { WeightRow } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex, NetUid, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import { type AuditLedger, addForfeits, audits, type Forfeit } from './ledger-audits.ts'
import { migrate } from './ledger-schema.ts'
import type { Registration, Score } from './scores.ts'
import { transaction } from './transaction.ts'

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

/** How far a weight row got: computed → submitted → finalised → confirmed (read back equal) or lost; or failed. */
export type WeightState = 'computed' | 'finalised' | 'confirmed' | 'mismatch' | 'failed'

/** One attempt to set weights. */
export interface WeightAttempt {
  readonly id: number
  readonly row: WeightRow
  readonly state: WeightState
  /** Block the row was computed at, included at, read back at. */
  readonly computedAt: Block
  readonly includedAt: Block | null
  readonly readBackAt: Block | null
  /** The chain's error by name, null without one. */
  readonly error: string | null
}

/** What a validator must not forget: one SQLite file, each method one transaction. */
export interface Ledger extends Disposable, AuditLedger {
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
  openAttempt(attempt: { readonly row: WeightRow; readonly computedAt: Block; readonly at: UnixMs }): number
  moveAttempt(id: number, move: { readonly state: WeightState; readonly block?: Block; readonly error?: string }): void
  /** The newest attempt, null before the first. */
  lastAttempt(): WeightAttempt | null
  /** When the last round was recorded, null before the first. */
  lastRoundAt(): UnixMs | null
  close(): void
}

/** About two weeks of Bittensor's rounds (two a 72-minute epoch), and some 40 MB with 256 miners. */
const defaultKeptRounds = 560
/** Attempts to set weights that are kept. */
const keptAttempts = 1_000

/**
 * Opens a validator's ledger, in memory when no file is named.
 * @throws LEDGER_OTHER_CHAIN when the file belongs to another chain, subnet or hotkey; LEDGER_UNREADABLE when it is no ledger
 */
export function openLedger({
  file,
  owner,
  keptRounds = defaultKeptRounds,
}: {
  readonly file?: string
  readonly owner: { readonly genesisHash: Hex; readonly netuid: NetUid; readonly hotkey: Ss58 }
  /** Rounds whose verdicts are kept. */
  readonly keptRounds?: number
}): Ledger {
  const name = file ?? ':memory:'
  const db = open(name)
  claim(db, name, owner)
  return {
    ...rounds(db, keptRounds),
    ...attempts(db),
    ...audits(db),
    close: () => db.close(),
    [Symbol.dispose]: () => db.close(),
  }
}

function open(name: string): DatabaseSync {
  try {
    const db = new DatabaseSync(name)
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON',
    )
    migrate(db)
    return db
  } catch (cause) {
    if (cause instanceof SubnetError) throw cause
    throw new SubnetError({
      code: 'LEDGER_UNREADABLE',
      message: `cannot open the ledger ${name}: ${cause instanceof Error ? cause.message : String(cause)}; name another --data folder or restore it`,
      cause,
    })
  }
}

function claim(db: DatabaseSync, name: string, owner: { genesisHash: Hex; netuid: NetUid; hotkey: Ss58 }): void {
  const mine = `${owner.genesisHash} ${owner.netuid} ${owner.hotkey}`
  db.prepare("INSERT OR IGNORE INTO meta (key, value) VALUES ('owner', ?)").run(mine)
  const held = String(db.prepare("SELECT value FROM meta WHERE key = 'owner'").get()?.value)
  if (held === mine) return
  db.close()
  throw new SubnetError({
    code: 'LEDGER_OTHER_CHAIN',
    message: `the ledger ${name} belongs to chain, subnet and hotkey "${held}", not "${mine}"; name another --data folder`,
  })
}

function rounds(db: DatabaseSync, keptRounds: number) {
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
    recordRound: ({ roundBlock, at, verdicts, scores, forfeits = [] }: Parameters<Ledger['recordRound']>[0]) =>
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

function attempts(db: DatabaseSync) {
  return {
    openAttempt: ({ row, computedAt, at }: Parameters<Ledger['openAttempt']>[0]) => {
      const insert = db.prepare("INSERT INTO weights (row, state, computed_at, at) VALUES (?, 'computed', ?, ?)")
      const id = Number(insert.run(JSON.stringify(row), computedAt, at).lastInsertRowid)
      db.prepare('DELETE FROM weights WHERE id <= ?').run(id - keptAttempts)
      return id
    },
    moveAttempt: (id: number, { state, block, error }: Parameters<Ledger['moveAttempt']>[1]) => {
      db.prepare('UPDATE weights SET state = ?, error = ? WHERE id = ?').run(state, error ?? null, id)
      if (block === undefined) return
      const column = state === 'finalised' ? 'included_at' : 'read_back_at'
      db.prepare(`UPDATE weights SET ${column} = ? WHERE id = ?`).run(block, id)
    },
    lastAttempt: (): WeightAttempt | null => {
      const r = db.prepare('SELECT * FROM weights ORDER BY id DESC LIMIT 1').get()
      if (r === undefined) return null
      return {
        id: Number(r.id),
        row: JSON.parse(String(r.row)) as WeightRow,
        state: String(r.state) as WeightState,
        computedAt: Number(r.computed_at) as Block,
        includedAt: numberOrNull(r.included_at) as Block | null,
        readBackAt: numberOrNull(r.read_back_at) as Block | null,
        error: r.error === null ? null : String(r.error),
      }
    },
  }
}

const numberOrNull = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value))
