import { guarded } from '@arbor/chain/store/guard'
import type { StoreKind, StoreOwner } from '@arbor/chain/store/kind'
import { openStore } from '@arbor/chain/store/open'
import { transaction } from '@arbor/chain/store/transaction'
import type { Block, Hex } from '@arbor/shared/units'
import type { StateNames } from '@arbor/subnet-spec/finetune/states'

const TRAINING: StoreKind = {
  name: 'training journal',
  mark: 'ArbT',
  table: 'rounds',
  migrations: [
    `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
     CREATE TABLE rounds (
       round INTEGER PRIMARY KEY, base TEXT NOT NULL, name TEXT, bytes INTEGER, carried TEXT, committed_in INTEGER
     ) STRICT;
     CREATE TABLE states (
       round INTEGER NOT NULL REFERENCES rounds ON DELETE CASCADE, idx INTEGER NOT NULL, params TEXT NOT NULL, first TEXT NOT NULL,
       second TEXT NOT NULL, carried TEXT NOT NULL, steps INTEGER NOT NULL, step INTEGER NOT NULL, PRIMARY KEY (round, idx)
     ) STRICT, WITHOUT ROWID;`,
  ],
  remedy:
    'move it away with the files beside it: the miner then begins anew, with zeros for what it carries from round to round',
}

/** A round as far as it came. */
export interface JournalRound {
  readonly round: number
  /** Checkpoint that it trained from. */
  readonly base: Hex
  /** States that were saved, from the first on. */
  readonly states: readonly StateNames[]
  /** The update, once it was written, and what its encoding carries on; null before. */
  readonly update: { readonly name: Hex; readonly bytes: number; readonly carried: Hex } | null
  /** Block that has its commitment; null while none has. */
  readonly committedIn: Block | null
}

/** What a training miner must not forget when it is killed. */
export interface Journal {
  /** Finds a round; null when nothing of it was written, or it was forgotten. */
  round(round: number): JournalRound | null
  /** Finds the newest round before another one whose update was committed; null when there is none. */
  committedBefore(round: number): JournalRound | null
  /** Begins a round anew, and forgets all but the two newest before it: one of those may be the last that was committed. */
  begin(of: { readonly round: number; readonly base: Hex }): void
  addState(round: number, index: number, state: StateNames): void
  /** Notes the update; one of another name than that which was committed is not committed. */
  written(round: number, update: NonNullable<JournalRound['update']>): void
  /** Notes the block that has its commitment; null takes that back: it came too late to count. */
  committed(round: number, block: Block | null): void
  /** Names all files that it speaks of. */
  names(): ReadonlySet<Hex>
  close(): void
}

/**
 * Opens the journal in a file.
 * @throws STORE_* when it cannot be used, or belongs to another chain or hotkey
 */
export const openJournal = (of: {
  readonly file: string
  readonly owner: Pick<StoreOwner, 'genesisHash' | 'netuid' | 'hotkey'>
}): Journal => {
  const database = openStore({ ...of, kind: TRAINING })
  const all = database.prepare('SELECT round, base, name, bytes, carried, committed_in FROM rounds ORDER BY round')
  const one = database.prepare('SELECT round, base, name, bytes, carried, committed_in FROM rounds WHERE round = ?')
  const newest = database.prepare('SELECT max(round) AS round FROM rounds WHERE round < ? AND committed_in IS NOT NULL')
  const states = database.prepare('SELECT * FROM states WHERE round = ? ORDER BY idx')
  const drop = database.prepare('DELETE FROM rounds WHERE round = ?')
  const insert = database.prepare('INSERT INTO rounds (round, base) VALUES (?, ?)')
  const insertState = database.prepare('INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const write = database.prepare(`
    UPDATE rounds SET committed_in = CASE WHEN name = ?1 THEN committed_in END, name = ?1, bytes = ?2, carried = ?3 WHERE round = ?4`)
  const commit = database.prepare('UPDATE rounds SET committed_in = ? WHERE round = ?')
  const read = (row: Record<string, unknown> | undefined): JournalRound | null =>
    row === undefined ? null : roundOf(row, states.all(Number(row.round)).map(stateOf))
  const rounds = (): readonly JournalRound[] => all.all().flatMap((row) => read(row) ?? [])
  const methods: Journal = {
    round: (round) => read(one.get(round)),
    committedBefore: (round) => read(one.get(Number(newest.get(round)?.round ?? -1))),
    begin: ({ round, base }) => {
      const before = rounds().filter((each) => each.round < round)
      const kept = new Set([before.at(-1)?.round, before.findLast((each) => each.committedIn !== null)?.round])
      transaction(database, () => {
        for (const each of rounds()) if (!kept.has(each.round)) drop.run(each.round)
        insert.run(round, base)
      })
    },
    addState: (round, index, { params, first, second, carried, steps, step }) => {
      insertState.run(round, index, params, first, second, carried, steps, step)
    },
    written: (round, { name, bytes, carried }) => {
      write.run(name, bytes, carried, round)
    },
    committed: (round, block) => {
      commit.run(block, round)
    },
    names: () => new Set(rounds().flatMap(namesIn)),
    close: () => database.close(),
  }
  return guarded(methods, { kind: TRAINING, file: of.file })
}

/** Names the files of a round. */
const namesIn = ({ states, update }: JournalRound): readonly Hex[] => [
  ...states.flatMap(({ params, first, second, carried }) => [params, first, second, carried]),
  ...(update === null ? [] : [update.name, update.carried]),
]

const roundOf = (row: Record<string, unknown>, states: readonly StateNames[]): JournalRound => ({
  round: Number(row.round),
  base: String(row.base) as Hex,
  states,
  update:
    row.name === null
      ? null
      : { name: String(row.name) as Hex, bytes: Number(row.bytes), carried: String(row.carried) as Hex },
  committedIn: row.committed_in === null ? null : (Number(row.committed_in) as Block),
})

const stateOf = (row: Record<string, unknown>): StateNames => ({
  params: String(row.params) as Hex,
  first: String(row.first) as Hex,
  second: String(row.second) as Hex,
  carried: String(row.carried) as Hex,
  steps: Number(row.steps),
  step: Number(row.step),
})
