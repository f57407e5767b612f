import type { BlockRef } from '@arbor/chain/client/types'
import { transaction } from '@arbor/chain/store/transaction'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Blocks, Hex, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { LedgerPart } from '../ledger-part.ts'
import type { Registration } from '../scores.ts'
import { ROUND_TRANSITIONS, type RoundState } from './machine.ts'
import type { KeptAnswer, Outcome } from './outcome.ts'
import type { VerdictRow } from './verdict-row.ts'

/** A round as its plan fixes it: everything else follows from its block. */
export interface RoundTerms {
  readonly roundBlock: Block
  readonly blockHash: Hex
  readonly round: number
  /** Blocks of a round, and of an epoch. */
  readonly length: Blocks
  readonly tempo: Blocks
  /** Names what is asked and judged by: `specMark`. */
  readonly spec: string
  /** Miners that are asked. */
  readonly miners: number
}

/** A round that is on its way. */
export interface Run extends RoundTerms {
  readonly state: RoundState
  /** 0 for the round's own questions, from 1 on for repeats. */
  readonly pass: number
  /** The newest block whose hash may have been out when the pass's answers were there; null before. */
  readonly after: Block | null
  /** The block that draws; null before, and where none came in time. */
  readonly draw: BlockRef | null
}

/** Names a spec with its version and model: a round goes on by what it began with, or not at all. */
export const specMark = ({ name, version, model }: Pick<SubnetSpec, 'name' | 'version' | 'model'>): string =>
  `${name} ${version} ${model.hash}`

/** How a round goes on. */
export type RoundMove =
  | { readonly state: 'answered'; readonly after: Block }
  | { readonly state: 'drawn'; readonly draw: BlockRef | null }
  /** A further pass asks some miners again; the verdicts of the last one are kept. */
  | { readonly state: 'planned'; readonly pass: number; readonly verdicts: readonly VerdictRow[] }
  | { readonly state: 'dropped'; readonly reason: string }

/** A question whose answer the ledger holds. */
export interface Answered extends Registration {
  readonly outcome: Outcome
}

/** Rounds that are on their way; each method one transaction. */
export interface RunLedger {
  /** Starts a round. A second one of the same block is refused. */
  beginRound(of: RoundTerms & { readonly state: 'planned'; readonly at: UnixMs }): void
  /** The round that is on its way; null when there is none. */
  openRound(): Run | null
  /** Start block of the last round that was begun; null before the first. */
  lastBegunBlock(): Block | null
  /** Blocks that were final when rounds began at them, newest first. */
  knownBlocks(most: number): readonly BlockRef[]
  /** Keeps outcomes of a round's questions; the first of a question counts. */
  keepAnswers(roundBlock: Block, answers: readonly KeptAnswer[]): void
  /** Uids that have an outcome in a pass. */
  answeredUids(of: { readonly roundBlock: Block; readonly pass: number }): ReadonlySet<Uid>
  /** Outcomes of a pass, by uid: at most so many with a uid above one. */
  answersAbove(of: {
    readonly roundBlock: Block
    readonly pass: number
    readonly above: number
    readonly most: number
  }): readonly Answered[]
  /** Verdicts of the passes before this one. */
  passVerdicts(roundBlock: Block): readonly VerdictRow[]
  /** Moves a round on. @throws LEDGER_MOVE where its state does not lead there */
  moveRound(roundBlock: Block, move: RoundMove): void
}

/** Makes the part of a ledger that holds rounds on their way. */
export function runLedger({ db }: Pick<LedgerPart, 'db'>): RunLedger {
  const keep = db.prepare(
    'INSERT OR IGNORE INTO run_answers (round_block, uid, repeat, hotkey, registered_at, outcome) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const settle = db.prepare(
    'UPDATE run_answers SET outcome = NULL, verdict = ? WHERE round_block = ? AND uid = ? AND repeat = ?',
  )
  const forget = db.prepare('DELETE FROM run_answers WHERE round_block = ?')
  const moves = {
    answered: db.prepare("UPDATE runs SET state = 'answered', after_block = ? WHERE round_block = ?"),
    drawn: db.prepare("UPDATE runs SET state = 'drawn', draw_block = ?, draw_hash = ? WHERE round_block = ?"),
    planned: db.prepare(
      "UPDATE runs SET state = 'planned', pass = ?, after_block = NULL, draw_block = NULL, draw_hash = NULL WHERE round_block = ?",
    ),
    dropped: db.prepare("UPDATE runs SET state = 'dropped', reason = ? WHERE round_block = ?"),
  }
  const apply = (roundBlock: Block, move: RoundMove): void => {
    if (move.state === 'answered') moves.answered.run(move.after, roundBlock)
    else if (move.state === 'drawn') moves.drawn.run(move.draw?.number ?? null, move.draw?.hash ?? null, roundBlock)
    else if (move.state === 'dropped') {
      moves.dropped.run(move.reason, roundBlock)
      forget.run(roundBlock)
    } else {
      for (const verdict of move.verdicts) settle.run(JSON.stringify(verdict), roundBlock, verdict.uid, verdict.repeat)
      moves.planned.run(move.pass, roundBlock)
    }
  }
  return {
    beginRound: ({ roundBlock, blockHash, round, length, tempo, spec, miners, state, at }) =>
      void db
        .prepare(
          'INSERT INTO runs (round_block, round, block_hash, length, tempo, spec, miners, state, pass, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)',
        )
        .run(roundBlock, round, blockHash, length, tempo, spec, miners, state, at),
    openRound: () => {
      const row = db
        .prepare("SELECT * FROM runs WHERE state NOT IN ('recorded', 'dropped') ORDER BY round_block DESC LIMIT 1")
        .get()
      return row === undefined ? null : runOf(row)
    },
    lastBegunBlock: () => numberOrNull(db.prepare('SELECT max(round_block) AS v FROM runs').get()?.v) as Block | null,
    knownBlocks: (most) =>
      db
        .prepare(
          'SELECT round_block, block_hash FROM runs UNION SELECT round_block, block_hash FROM rounds WHERE block_hash IS NOT NULL ORDER BY round_block DESC LIMIT ?',
        )
        .all(most)
        .map((row) => ({ number: Number(row.round_block) as Block, hash: String(row.block_hash) as Hex })),
    keepAnswers: (roundBlock, answers) =>
      transaction(db, () => {
        for (const { uid, repeat, hotkey, registeredAt, outcome } of answers)
          keep.run(roundBlock, uid, repeat, hotkey, registeredAt, JSON.stringify(outcome))
      }),
    answeredUids: ({ roundBlock, pass }) =>
      new Set(
        db
          .prepare('SELECT uid FROM run_answers WHERE round_block = ? AND repeat = ?')
          .all(roundBlock, pass)
          .map(({ uid }) => Number(uid) as Uid),
      ),
    answersAbove: ({ roundBlock, pass, above, most }) =>
      db
        .prepare(
          'SELECT uid, hotkey, registered_at, outcome FROM run_answers WHERE round_block = ? AND repeat = ? AND uid > ? AND outcome IS NOT NULL ORDER BY uid LIMIT ?',
        )
        .all(roundBlock, pass, above, most)
        .map((row) => ({
          uid: Number(row.uid) as Uid,
          hotkey: String(row.hotkey) as Ss58,
          registeredAt: Number(row.registered_at) as Block,
          outcome: JSON.parse(String(row.outcome)) as Outcome,
        })),
    passVerdicts: (roundBlock) =>
      db
        .prepare('SELECT verdict FROM run_answers WHERE round_block = ? AND verdict IS NOT NULL ORDER BY repeat, uid')
        .all(roundBlock)
        .map(({ verdict }) => JSON.parse(String(verdict)) as VerdictRow),
    moveRound: (roundBlock, move) =>
      transaction(db, () => {
        mustLeadTo(db, roundBlock, move.state)
        apply(roundBlock, move)
      }),
  }
}

/** Expects a round's state to lead to another. @throws LEDGER_MOVE */
export function mustLeadTo(db: LedgerPart['db'], roundBlock: Block, to: RoundState): void {
  const row = db.prepare('SELECT state FROM runs WHERE round_block = ?').get(roundBlock)
  const from = row === undefined ? null : (String(row.state) as RoundState)
  if (from !== null && ROUND_TRANSITIONS[from].includes(to)) return
  throw new SubnetError({
    code: 'LEDGER_MOVE',
    message: `the round of block ${roundBlock} is ${from ?? 'not begun'} and cannot become ${to}; this is a fault of Arbor, please report it`,
  })
}

const runOf = (row: Record<string, unknown>): Run => ({
  roundBlock: Number(row.round_block) as Block,
  blockHash: String(row.block_hash) as Hex,
  round: Number(row.round),
  length: Number(row.length) as Blocks,
  tempo: Number(row.tempo) as Blocks,
  spec: String(row.spec),
  miners: Number(row.miners),
  state: String(row.state) as RoundState,
  pass: Number(row.pass),
  after: numberOrNull(row.after_block) as Block | null,
  draw:
    row.draw_block === null ? null : { number: Number(row.draw_block) as Block, hash: String(row.draw_hash) as Hex },
})

const numberOrNull = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value))
