import { transaction } from '@arbor/chain/store/transaction'
import type { Block, Hex, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import type { Vote } from '@arbor/subnet-spec/finetune/types'
import type { LedgerPart } from '../ledger-part.ts'
import type { CheckpointEntry } from '../log/entry.ts'
import { type History, historyOf, mergeIn } from './history.ts'
import type { JudgedUpdate } from './judged-update.ts'

/** A merge as the ledger keeps it: what the log tells, and what was measured of the model that it led to. */
export interface RecordedMerge extends Omit<CheckpointEntry, 'kind'> {
  /** The checkpoint that was held before. */
  readonly before: Hex
  /** Loss a token on held-out text, in nats; null where it was not measured. */
  readonly heldOut: number | null
  /** Tokens that the merged updates were trained on. */
  readonly tokens: number
  readonly at: UnixMs
}

/** What the newest update of a miner said of itself: the next one has to go on from there. */
export interface KnownHead {
  readonly round: number
  readonly base: Hex
  readonly states: Hex
}

/** A verdict with the rating that it led to. */
export interface ShownVerdict {
  readonly uid: Uid
  readonly hotkey: Ss58
  readonly reason: string
  readonly value: number
  /** Length of the update's file; 0 where none was committed. */
  readonly bytes: number
  /** On OpenSkill's scale; null where its miner has none. */
  readonly mu: number | null
  readonly sigma: number | null
}

/** A file that everybody may have. */
export interface PublicFile {
  readonly name: Hex
  readonly kind: 'update' | 'checkpoint'
  /** The round of an update; the round that starts from a checkpoint. */
  readonly round: number
  readonly bytes: number
}

/** A vote that was decided on, whether it reached the chain or not. */
export interface KeptVote extends Vote {
  /** Block that holds it; null until that is known. */
  readonly block: Block | null
}

/** What a validator must not forget of a training subnet; each method one transaction. */
export interface TrainingLedger {
  /** Keeps what judging an update came to; the first of a uid counts. */
  keepJudged(roundBlock: Block, judged: JudgedUpdate): void
  judgedUpdates(roundBlock: Block): readonly JudgedUpdate[]
  /** Keeps a vote before it is sent: no other one is ever sent for its round. @returns the one that counts */
  keepVote(vote: Vote, at: UnixMs): KeptVote
  voteOf(round: number): KeptVote | null
  voteIncluded(round: number, block: Block): void
  /** Records a merge and tells the log of it; one that is recorded already stays as it is. @returns whether it was new */
  recordMerge(merge: RecordedMerge): boolean
  lastMerge(): RecordedMerge | null
  /** Keeps what a round's verdicts came to, for whoever draws its curves; those of a round that is known stay. */
  keepShown(round: number, verdicts: readonly ShownVerdict[]): void
  /** Rounds with what they came to, from one on, of what stands before a position of the log. */
  history(of: Parameters<typeof historyOf>[1]): History
  /** The newest merges, newest last. */
  merges(most: number): readonly RecordedMerge[]
  headOf(hotkey: Ss58): KnownHead | null
  keepHead(hotkey: Ss58, head: KnownHead): void
  /** Lets everybody have a file. */
  publishFiles(files: readonly PublicFile[]): void
  publicFiles(): readonly PublicFile[]
  /** Takes files back that are no longer kept. */
  withdrawFiles(names: readonly Hex[]): void
}

/** Rounds of which merges and votes are kept: two weeks of Bittensor's epochs, twice over. */
const KEPT_MERGES = 560

/** Makes the part of a ledger that training needs. */
export function trainingLedger({ db, append }: Pick<LedgerPart, 'db' | 'append'>): TrainingLedger {
  const voteOf = (round: number): KeptVote | null => {
    const row = db.prepare('SELECT * FROM training_votes WHERE round = ?').get(round)
    return row === undefined ? null : voteIn(row)
  }
  const merges = (most: number): readonly RecordedMerge[] =>
    db.prepare('SELECT * FROM training_rounds ORDER BY round DESC LIMIT ?').all(most).map(mergeIn).reverse()
  const logSize = (): number =>
    Number(db.prepare('SELECT coalesce(max(position) + 1, 0) AS v FROM log_entries').get()?.v)
  return {
    keepShown: (round, verdicts) =>
      transaction(db, () => {
        const put = db.prepare(
          'INSERT OR IGNORE INTO training_verdicts (round, uid, hotkey, reason, value, bytes, mu, sigma, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        )
        const position = logSize() - 1 // all that it tells stands before
        for (const { uid, hotkey, reason, value, bytes, mu, sigma } of verdicts)
          put.run(round, uid, hotkey, reason, value, bytes, mu, sigma, position)
      }),
    keepJudged: (roundBlock, judged) =>
      void db
        .prepare('INSERT OR IGNORE INTO training_judged (round_block, uid, judged) VALUES (?, ?, ?)')
        .run(roundBlock, judged.uid, JSON.stringify(judged)),
    judgedUpdates: (roundBlock) =>
      db
        .prepare('SELECT judged FROM training_judged WHERE round_block = ? ORDER BY uid')
        .all(roundBlock)
        .map(({ judged }) => JSON.parse(String(judged)) as JudgedUpdate),
    keepVote: ({ round, base, accepted }, at) =>
      transaction(db, () => {
        db.prepare('INSERT OR IGNORE INTO training_votes (round, base, accepted, at) VALUES (?, ?, ?, ?)').run(
          round,
          base,
          JSON.stringify(accepted),
          at,
        )
        db.prepare('DELETE FROM training_votes WHERE round < ?').run(round - KEPT_MERGES)
        return voteOf(round) ?? { round, base, accepted, block: null }
      }),
    voteOf,
    voteIncluded: (round, block) =>
      void db.prepare('UPDATE training_votes SET block = ? WHERE round = ?').run(block, round),
    recordMerge: (merge) =>
      transaction(db, () => {
        const { round, votedAt, base, merged, checkpoint, before, heldOut, tokens, at } = merge
        const newest = db.prepare('SELECT max(round) AS v FROM training_rounds').get()?.v
        if (newest !== null && newest !== undefined && round <= Number(newest)) return false
        db.prepare(
          'INSERT INTO training_rounds (round, base, before, checkpoint, merged, held_out, tokens, at, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ).run(round, base, before, checkpoint, JSON.stringify({ votedAt, merged }), heldOut, tokens, at, logSize())
        append([{ kind: 'checkpoint', round, votedAt, base, merged, checkpoint }])
        for (const table of ['training_rounds', 'training_verdicts'])
          db.prepare(`DELETE FROM ${table} WHERE round < ?`).run(round - KEPT_MERGES)
        return true
      }),
    history: (of) => historyOf(db, of),
    lastMerge: () => merges(1)[0] ?? null,
    merges,
    headOf: (hotkey) => {
      const row = db.prepare('SELECT round, base, states FROM training_heads WHERE hotkey = ?').get(hotkey)
      if (row === undefined) return null
      return { round: Number(row.round), base: String(row.base) as Hex, states: String(row.states) as Hex }
    },
    keepHead: (hotkey, { round, base, states }) =>
      void db
        .prepare(
          'INSERT INTO training_heads (hotkey, round, base, states) VALUES (?, ?, ?, ?) ON CONFLICT (hotkey) DO UPDATE SET round = excluded.round, base = excluded.base, states = excluded.states WHERE excluded.round > round',
        )
        .run(hotkey, round, base, states),
    publishFiles: (files) =>
      transaction(db, () => {
        const put = db.prepare('INSERT OR IGNORE INTO training_files (name, kind, round, bytes) VALUES (?, ?, ?, ?)')
        for (const { name, kind, round, bytes } of files) put.run(name, kind, round, bytes)
      }),
    publicFiles: () => db.prepare('SELECT * FROM training_files ORDER BY round, name').all().map(fileIn),
    withdrawFiles: (names) =>
      transaction(db, () => {
        const drop = db.prepare('DELETE FROM training_files WHERE name = ?')
        for (const name of names) drop.run(name)
      }),
  }
}

const voteIn = (row: Record<string, unknown>): KeptVote => ({
  round: Number(row.round),
  base: String(row.base) as Hex,
  accepted: JSON.parse(String(row.accepted)) as readonly Uid[],
  block: row.block === null ? null : (Number(row.block) as Block),
})

const fileIn = (row: Record<string, unknown>): PublicFile => ({
  name: String(row.name) as Hex,
  kind: String(row.kind) === 'checkpoint' ? 'checkpoint' : 'update',
  round: Number(row.round),
  bytes: Number(row.bytes),
})
