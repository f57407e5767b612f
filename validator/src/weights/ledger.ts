import type { BlockRef, Sent, WeightRow } from '@arbor/chain/client/types'
import { transaction } from '@arbor/chain/store/transaction'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Blocks, UnixMs } from '@arbor/shared/units'
import type { LedgerPart } from '../ledger-part.ts'
import type { LogEntry } from '../log/entry.ts'
import type { Registration } from '../scores.ts'
import type { WeightAttempt, WeightMove, WeightMoveRow } from './attempt.ts'
import { attemptOf, moveOf, registrationsText } from './attempt-row.ts'
import { isSettled, WEIGHT_TRANSITIONS, type WeightMethod, type WeightState } from './machine.ts'

/** A row as it follows from the ledger's state at a metagraph. */
export interface ComputedRow {
  readonly row: WeightRow
  readonly departed: readonly Registration[]
  /** Holders of the row's uids, in its order. */
  readonly registrations: readonly Registration[]
  /** What goes into the log before the row. */
  readonly entries?: readonly LogEntry[]
}

/** What the weight loop waits for, for whoever asks while no chain answers. */
export interface WeightPlan {
  /** Rule that stands against the next row; null when none does. */
  readonly rule: string | null
  /** First block that may allow it; null when no block alone does. */
  readonly at: Block | null
  readonly why: string
}

/** What a validator must not forget of the rows that it set; each method one transaction. */
export interface WeightLedger {
  /**
   * Computes a row and opens an attempt with it, both in one transaction, so that what the log tells before the row is what it follows
   * from. Writes the `row` entry and the first move.
   * @param attempt.compute reads the ledger; null opens nothing
   */
  openAttempt(attempt: {
    readonly mechanism: number
    readonly method: WeightMethod
    readonly version: bigint
    readonly salt: readonly number[] | null
    readonly block: BlockRef
    readonly tempo: Blocks
    readonly at: UnixMs
    readonly compute: () => ComputedRow | null
  }): WeightAttempt | null
  /** Moves an attempt along `WEIGHT_TRANSITIONS`. @throws WEIGHTS_MOVE for any other move, and for an attempt that is not there */
  moveAttempt(id: number, move: WeightMove & { readonly at: UnixMs }): WeightAttempt
  /** Notes that the bytes of an attempt had to be signed anew; its state stays. */
  signedAttempt(id: number, sent: Sent, at: UnixMs): void
  /** The newest attempt of a mechanism, null before the first. */
  lastAttempt(mechanism?: number): WeightAttempt | null
  /** Attempts that still need something, oldest first. */
  unsettledAttempts(mechanism: number): readonly WeightAttempt[]
  /** The newest attempts of a mechanism, newest first. */
  recentAttempts(mechanism: number, most: number): readonly WeightAttempt[]
  /** What happened to an attempt, oldest first. */
  attemptMoves(id: number): readonly WeightMoveRow[]
  /** Newest block in which the chain applied a row of ours; null before the first. */
  lastIncluded(mechanism: number): Block | null
  /**
   * Tells how many entries of the log may be served; null for all. Where rows are committed, what follows the newest row that the chain
   * opened is withheld until it opens the next: scores and row would tell what the commit hides.
   * @param isCommitted whether the next row will be committed; before the first attempt nothing else tells
   */
  servableEntries(isCommitted: boolean): number | null
  planWeights(mechanism: number, plan: WeightPlan, block: Block, at: UnixMs): void
  weightPlan(mechanism: number): (WeightPlan & { readonly block: Block; readonly decidedAt: UnixMs }) | null
}

/** Settled attempts that are kept: some two weeks with three rows an epoch of 72 minutes. */
const KEPT_ATTEMPTS = 1_000

const SETTLED = Object.keys(WEIGHT_TRANSITIONS).filter((state) => isSettled(state as WeightState))
const IN_SETTLED = SETTLED.map((state) => `'${state}'`).join(', ')

/** Makes the part of a ledger that weights need. @param part.keptAttempts settled attempts that are kept */
export function weightLedger({
  db,
  append,
  keptAttempts = KEPT_ATTEMPTS,
}: LedgerPart & { readonly keptAttempts?: number }): WeightLedger {
  const insert = db.prepare(
    `INSERT INTO attempts (mechanism, method, row, version, registrations, salt, state, computed_at, block_hash, at)
     VALUES (?, ?, ?, ?, ?, ?, 'computed', ?, ?, ?)`,
  )
  const addMove = db.prepare(
    'INSERT INTO attempt_moves (attempt, state, block, extrinsic, error, at) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const one = db.prepare('SELECT * FROM attempts WHERE id = ?')
  const change = db.prepare(
    `UPDATE attempts SET state = ?, error = iif(? = 'confirmed', NULL, coalesce(?, error)), sent_hash = coalesce(?, sent_hash), sent_birth = coalesce(?, sent_birth),
     sent_until = coalesce(?, sent_until), commit_hash = coalesce(?, commit_hash), round = coalesce(?, round), opens_from = coalesce(?, opens_from),
     opens_to = coalesce(?, opens_to), inherited = coalesce(?, inherited), committed_at = coalesce(?, committed_at),
     included_at = coalesce(?, included_at), read_back_at = coalesce(?, read_back_at) WHERE id = ?`,
  )
  const get = (id: number): WeightAttempt => {
    const found = one.get(id)
    if (found === undefined) throw badMove(id, 'nothing', 'anything')
    return attemptOf(found)
  }
  const newest = db.prepare('SELECT * FROM attempts WHERE mechanism = ? ORDER BY id DESC LIMIT ?')
  return {
    openAttempt: ({ mechanism, method, version, salt, block, tempo, at, compute }) =>
      transaction(db, () => {
        const computed = compute()
        if (computed === null) return null
        const { row, departed, registrations, entries = [] } = computed
        const salted = salt === null ? null : JSON.stringify(salt)
        const id = Number(
          insert.run(
            ...[mechanism, method, JSON.stringify(row), String(version), registrationsText(registrations), salted],
            ...[block.number, block.hash, at],
          ).lastInsertRowid,
        )
        append([
          ...entries,
          { kind: 'row', attempt: id, mechanism, block, tempo, method, version: Number(version), row, departed },
        ])
        db.prepare('UPDATE attempts SET log_position = (SELECT max(position) FROM log_entries) WHERE id = ?').run(id)
        move(id, 'computed', block.number, null, null, at)
        db.prepare(
          `DELETE FROM attempts WHERE state IN (${IN_SETTLED}) AND id <= (SELECT max(id) FROM attempts) - ?`,
        ).run(keptAttempts)
        return get(id)
      }),
    moveAttempt: (id, { state, block, error, sent, commitHash, round, opens, inherited, at }) =>
      transaction(db, () => {
        const before = get(id)
        if (!WEIGHT_TRANSITIONS[before.state].includes(state)) throw badMove(id, before.state, state)
        const where = (...states: readonly WeightState[]): Block | null =>
          states.includes(state) ? (block ?? null) : null
        change.run(
          ...[state, state, error ?? null, sent?.hash ?? null, sent?.birth ?? null, sent?.lastBlock ?? null],
          ...[commitHash ?? null, round === undefined ? null : String(round), opens?.from ?? null, opens?.to ?? null],
          inherited === undefined ? null : JSON.stringify(inherited),
          ...[where('committed'), where('included', 'finalised'), where('confirmed', 'mismatch'), id],
        )
        move(id, state, block ?? null, sent?.hash ?? null, error ?? null, at)
        return get(id)
      }),
    signedAttempt: (id, sent, at) =>
      transaction(db, () => {
        const { state } = get(id)
        db.prepare('UPDATE attempts SET sent_hash = ?, sent_birth = ?, sent_until = ? WHERE id = ?').run(
          ...[sent.hash, sent.birth, sent.lastBlock, id],
        )
        addMove.run(id, state, null, sent.hash, null, at)
      }),
    lastAttempt: (mechanism = 0) => newest.all(mechanism, 1).map(attemptOf)[0] ?? null,
    unsettledAttempts: (mechanism) =>
      db
        .prepare(`SELECT * FROM attempts WHERE mechanism = ? AND state NOT IN (${IN_SETTLED}) ORDER BY id`)
        .all(mechanism)
        .map(attemptOf),
    recentAttempts: (mechanism, most) => newest.all(mechanism, most).map(attemptOf),
    attemptMoves: (id) => db.prepare('SELECT * FROM attempt_moves WHERE attempt = ? ORDER BY id').all(id).map(moveOf),
    lastIncluded: (mechanism) => {
      const found = db
        .prepare(
          "SELECT max(included_at) AS v FROM attempts WHERE mechanism = ? AND state IN ('finalised', 'confirmed')",
        )
        .get(mechanism)?.v
      return found === null || found === undefined ? null : (Number(found) as Block)
    },
    servableEntries: (isCommitted) => {
      const method = db.prepare('SELECT method FROM attempts ORDER BY id DESC LIMIT 1').get()?.method
      if (!isCommitted && (method === undefined || method === 'open')) return null
      const opened = db.prepare('SELECT max(log_position) AS v FROM attempts WHERE included_at IS NOT NULL').get()?.v
      return opened === null || opened === undefined ? 0 : Number(opened) + 1
    },
    planWeights: (mechanism, plan, block, at) => {
      db.prepare('INSERT OR REPLACE INTO weight_plans (mechanism, block, plan, at) VALUES (?, ?, ?, ?)').run(
        ...[mechanism, block, JSON.stringify(plan), at],
      )
    },
    weightPlan: (mechanism) => {
      const found = db.prepare('SELECT * FROM weight_plans WHERE mechanism = ?').get(mechanism)
      if (found === undefined) return null
      const plan = JSON.parse(String(found.plan)) as WeightPlan
      return { ...plan, block: Number(found.block) as Block, decidedAt: Number(found.at) as UnixMs }
    },
  }

  /** Writes a move to the history and to the log. */
  function move(
    ...[attempt, state, block, extrinsic, error, at]: [
      attempt: number,
      state: WeightState,
      block: Block | null,
      extrinsic: string | null,
      error: string | null,
      at: UnixMs,
    ]
  ): void {
    addMove.run(attempt, state, block, extrinsic, error, at)
    append([{ kind: 'move', attempt, state, block }])
  }
}

const badMove = (id: number, from: string, to: string): SubnetError =>
  new SubnetError({
    code: 'WEIGHTS_MOVE',
    message: `attempt ${id} cannot go from ${from} to ${to}; report this, with the output of arbor validator status`,
    details: { id, from, to },
  })
