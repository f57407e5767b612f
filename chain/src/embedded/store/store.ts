import type { DatabaseSync } from 'node:sqlite'
import { fromHex, toHex } from '@arbor/shared/hex'
import type { Block, Hex } from '@arbor/shared/units'
import { decodeHeader, encodeHeader } from '../header.ts'
import { isStored, type Trie } from '../trie/node.ts'
import type { StoredBlock } from '../types.ts'
import { encodeBody, pruned, readBlock, unknownBlock } from './blocks.ts'
import { notWritten, reading } from './failures.ts'
import { createNodes } from './nodes.ts'
import { createPruning, packIds } from './pruning.ts'
import { type Seed, writeState } from './seed.ts'
import { bytesOf, numberOf, prepareStatements, type Row } from './sql.ts'

/** A block with what it changed. */
export interface ImportedBlock {
  readonly block: StoredBlock
  /** State after the block. */
  readonly trie: Trie
  /** Numbers of the stored nodes that the parent's state has and this one has not. */
  readonly retired: readonly number[]
  /** Keys of the state. */
  readonly keys: number
}

/** What a new block is to the chain. */
export interface Standing {
  /** The best block from now on; else one of a fork. */
  readonly best: boolean
  /** Final at once. */
  readonly final: boolean
}

/** What the chain keeps: blocks, those of forks too, and their states. */
export interface Store {
  /** What the genesis was made with, as text; empty when nobody said so. */
  settings(): string
  setSettings(settings: string): void
  /** Null before genesis. */
  best(): StoredBlock | null
  /** Number of the best block, also where the block itself is damaged; -1 before genesis. */
  bestNumber(): number
  finalizedNumber(): number
  /** States before this block are gone, and so are the blocks, but for their hashes. */
  firstState(): number
  blockAt(number: number): StoredBlock | null
  block(hash: Hex): StoredBlock | null
  hashAt(number: number): Hex | null
  /** Number of a block, also of one of which the hash alone is left. */
  numberOf(hash: Hex): Block | null
  /** @throws CHAIN_STATE_PRUNED, CHAIN_UNKNOWN_BLOCK */
  state(hash: Hex): Trie
  /** Keys of a block's state. */
  keys(hash: Hex): number
  /** Adds a block and its state at once, and lets old ones go. @returns the state as stored @throws CHAIN_NOT_WRITTEN */
  add(imported: ImportedBlock, standing: Standing): Trie
  /** Begins an empty store with a state from elsewhere. @returns its keys @throws CHAIN_NOT_WRITTEN, CHAIN_DATA_CORRUPT */
  seed(seed: Seed): number
  /** Makes the chain that ends with a stored block the best one. @throws CHAIN_NOT_WRITTEN */
  switchTo(tip: Hex): void
  /** Makes blocks final and lets go of forks that left the chain before. @throws CHAIN_NOT_WRITTEN */
  finalize(number: number): void
  /** Bytes of the database. */
  bytes(): number
  close(): void
}

/** What is kept of a block besides itself. */
interface NewRow {
  /** Number of the state's root node; null where the state is gone. */
  readonly root: number | null
  readonly first?: number
  readonly end?: number
  readonly retired?: readonly number[]
  readonly keys: number
}

/** Wraps an open database. @param keep newest blocks whose state is kept; those that are not final stay in any case */
export const createStore = (
  database: DatabaseSync,
  { keep, cacheBytes }: { readonly keep: number; readonly cacheBytes?: number },
): Store => {
  const sql = prepareStatements(database)
  const nodes = createNodes({
    rows: {
      read: (id) => {
        const row = reading(() => sql.readNode.get(id))
        return row === undefined ? undefined : bytesOf(row, 'body')
      },
      write: (id, body) => void sql.writeNode.run(id, body),
    },
    nextId: reading(() => numberOf(sql.lastNode.get(), 'id') ?? 0) + 1,
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
  })
  const pruning = createPruning(sql, keep)
  const read = <Result>(statement: () => Row | undefined, take: (row: Row) => Result): Result | null =>
    reading(() => {
      const row = statement()
      return row === undefined ? null : take(row)
    })
  const bestHash = (): Hex | null =>
    read(
      () => sql.getMeta.get('best'),
      (row) => toHex(bytesOf(row, 'value')),
    )
  const blockRow = (hash: Hex): Row | undefined => reading(() => sql.block.get(fromHex(hash)))
  const numberOfHash = (hash: Hex): Block | null =>
    reading(() => numberOf(sql.numberOf.get(fromHex(hash)), 'number')) as Block | null

  /** A block is one transaction: after kill -9 it is there wholly or not at all. */
  const transaction = <Result>(what: string, write: () => Result): Result => {
    try {
      database.exec('BEGIN IMMEDIATE')
      const result = write()
      database.exec('COMMIT')
      return result
    } catch (cause) {
      // SQLite itself rolls back on some errors, a full disk among them.
      if (database.isTransaction) database.exec('ROLLBACK')
      throw notWritten(what, cause)
    }
  }
  const addRow = (block: StoredBlock, row: NewRow): void => {
    const { first = 0, end = 0, retired = [] } = row
    const { header, extrinsics } = block
    const [head, body] = [encodeHeader(header), encodeBody(extrinsics)]
    sql.addBlock.run(fromHex(block.hash), header.number, head, body, row.root, first, end, packIds(retired), row.keys)
  }
  const setBest = (hash: Uint8Array, number: number): void => {
    sql.setHash.run(number, hash)
    sql.setMeta.run('best', hash)
  }
  return {
    settings: () =>
      read(
        () => sql.getMeta.get('settings'),
        (row) => Buffer.from(bytesOf(row, 'value')).toString(),
      ) ?? '',
    setSettings: (settings) => void sql.setMeta.run('settings', Buffer.from(settings)),
    best: () => {
      const hash = bestHash()
      return hash === null ? null : readBlock(blockRow(hash))
    },
    bestNumber: () => reading(() => numberOf(sql.lastNumber.get(), 'number')) ?? -1,
    finalizedNumber: () => pruning.meta('finalized'),
    firstState: () => pruning.meta('firstState'),
    blockAt: (number) => readBlock(reading(() => sql.blockAt.get(number))),
    block: (hash) => readBlock(blockRow(hash)),
    hashAt: (number) =>
      read(
        () => sql.hashAt.get(number),
        (row) => toHex(bytesOf(row, 'hash')),
      ),
    numberOf: numberOfHash,
    state: (hash) => {
      const row = blockRow(hash)
      const root = numberOf(row, 'root')
      if (row !== undefined && root !== null) {
        const { stateRoot } = decodeHeader(bytesOf(row, 'header'))
        return root === 0 ? undefined : { id: root, reference: fromHex(stateRoot), source: nodes }
      }
      const number = numberOfHash(hash)
      throw number === null ? unknownBlock(hash) : pruned(number, pruning.meta('firstState'))
    },
    keys: (hash) => numberOf(blockRow(hash), 'keys') ?? 0,
    add: ({ block, trie, retired, keys }, { best, final }) => {
      const { header } = block
      const written = transaction(`Block ${header.number}`, () => {
        const made = nodes.write(trie)
        addRow(block, { root: made.root, first: made.first, end: made.end, retired, keys })
        if (best) setBest(fromHex(block.hash), header.number)
        if (best && final) pruning.finalize(header.number)
        pruning.advance(header.number)
        return made
      })
      return written.settle()
    },
    seed: (seed) =>
      transaction(`The state of block ${seed.base.header.number}`, () => {
        sql.setMeta.run('settings', Buffer.from(seed.settings))
        const { trie, keys } = writeState({ nodes, drop: (id) => void sql.dropNode.run(id), seed })
        seed.hashes.forEach((hash, number) => void sql.setHash.run(number, fromHex(hash)))
        const root = trie === undefined || !isStored(trie) ? 0 : trie.id
        if (seed.genesis.hash !== seed.base.hash) addRow(seed.genesis, { root: null, keys: 0 })
        addRow(seed.base, { root, keys })
        setBest(fromHex(seed.base.hash), seed.base.header.number)
        pruning.begin(seed.base.header.number)
        return keys
      }),
    switchTo: (tip) =>
      transaction(`The switch to block ${tip}`, () => {
        const tipBlock = readBlock(blockRow(tip)) ?? unknown(tip)
        setBest(fromHex(tip), tipBlock.header.number)
        pruning.cutNumbers(tipBlock.header.number)
        let { parentHash, number } = tipBlock.header
        for (;;) {
          number = (number - 1) as Block
          const held = reading(() => sql.hashAt.get(number))
          if (held !== undefined && toHex(bytesOf(held, 'hash')) === parentHash) return
          sql.setHash.run(number, fromHex(parentHash))
          parentHash = (readBlock(blockRow(parentHash)) ?? unknown(parentHash)).header.parentHash
        }
      }),
    finalize: (number) => transaction(`The finality of block ${number}`, () => pruning.finalize(number)),
    bytes: () => numberOf(sql.size.get(), 'bytes') ?? 0,
    close: () => database.close(),
  }
}

const unknown = (hash: Hex): never => {
  throw unknownBlock(hash)
}
