import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { executeBlock } from '../execute-block.ts'
import { initHashes } from '../hash.ts'
import { decodeHeader, hashHeader } from '../header.ts'
import { toKey } from '../key.ts'
import { createRuntimes } from '../runtime/runtimes.ts'
import { reader } from '../scale.ts'
import { decodeBody } from '../store/blocks.ts'
import { CHAIN_FILE, openDatabase } from '../store/open.ts'
import type { SeedEntry } from '../store/seed.ts'
import { createStore, type Store } from '../store/store.ts'
import type { StoredBlock } from '../types.ts'
import type { ExportHead } from './export.ts'
import { KIND, openRecords, type RecordOf, refused } from './file.ts'

/** Folder within the chain's in which an import is prepared. */
const UNFINISHED = 'importing'

/**
 * Makes the folder of a chain from an export. The state must have the root that its header names, and every block after it
 * is executed; the folder holds the chain only when all of it was right.
 * @throws CHAIN_IMPORT_REFUSED, CHAIN_FOLDER_NOT_EMPTY, CHAIN_FILE
 */
export const importFolder = async (path: string, folder: string): Promise<ExportHead> => {
  if (existsSync(join(folder, CHAIN_FILE))) {
    throw new SubnetError({
      code: 'CHAIN_FOLDER_NOT_EMPTY',
      message: `${folder} holds a chain already; name another folder, or delete that one`,
    })
  }
  await initHashes()
  using records = openRecords(path)
  const isNew = !existsSync(folder)
  const unfinished = join(folder, UNFINISHED)
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  try {
    const head = build(path, records, unfinished)
    renameSync(join(unfinished, CHAIN_FILE), join(folder, CHAIN_FILE))
    rmSync(unfinished, { recursive: true })
    return head
  } catch (error) {
    rmSync(isNew ? folder : unfinished, { recursive: true, force: true })
    throw asRefusal(path, error)
  }
}

const build = (path: string, records: Iterable<RecordOf>, folder: string): ExportHead => {
  // All blocks are kept until the chain is run: then --keep decides.
  const store = createStore(openDatabase(folder), { keep: Infinity })
  try {
    return fill(path, createCursor(path, records), store)
  } finally {
    store.close()
  }
}

const fill = (path: string, from: Cursor, store: Store): ExportHead => {
  const head = readHead(path, from.next(KIND.head))
  const genesis = decodeBlock(from.next(KIND.block))
  const hashes = from.all(KIND.hashes).flatMap(splitHashes)
  const base = decodeBlock(from.next(KIND.block))
  const fail = (why: string): SubnetError => refused(path, why)
  if (hashes[0] !== genesis.hash || genesis.hash !== head.genesis) throw fail('its genesis is another one')
  if (hashes.length !== base.header.number + 1 || hashes.at(-1) !== base.hash || base.hash !== head.base.hash) {
    throw fail('its list of blocks does not end with the block whose state it holds')
  }
  const keys = store.seed({ settings: head.settings, genesis, base, hashes, entries: entries(from) })
  if (keys !== head.keys) throw fail(`it holds ${keys} keys of ${head.keys}`)
  const best = execute(from, store, base)
  if (best.hash !== head.best.hash) throw fail(`it ends with block ${best.header.number}, not ${head.best.number}`)
  if (head.finalized > best.header.number) throw fail('its final block is missing')
  store.finalize(Math.max(head.finalized, base.header.number))
  return head
}

/** Executes what follows the state, as an importing node does. */
const execute = (from: Cursor, store: Store, base: StoredBlock): StoredBlock => {
  const runtimes = createRuntimes({})
  let best = base
  let parentTrie = store.state(base.hash)
  for (const content of from.each(KIND.block)) {
    const block = decodeBlock(content)
    const { trie, retired, keysAdded } = executeBlock({
      runtime: runtimes.of(parentTrie),
      parent: best,
      parentTrie,
      block,
    })
    const keys = store.keys(best.hash) + keysAdded
    parentTrie = store.add({ block, trie, retired, keys }, { best: true, final: false })
    best = block
  }
  from.next(KIND.end)
  return best
}

function* entries(from: Cursor): Generator<SeedEntry> {
  for (const content of from.each(KIND.state)) {
    const source = reader(content)
    while (source.left > 0) yield { hashed: source.u8() === 1, key: toKey(source.vec()), value: source.vec() }
  }
}

/** Records in the order in which an export must hold them. */
interface Cursor {
  /** The next record, which must be of this kind. */
  next(kind: number): Uint8Array
  /** The records that are next, as long as they are of this kind. */
  each(kind: number): Generator<Uint8Array>
  all(kind: number): Uint8Array[]
}

const createCursor = (path: string, records: Iterable<RecordOf>): Cursor => {
  const source = records[Symbol.iterator]()
  let ahead = source.next()
  function* each(kind: number): Generator<Uint8Array> {
    while (ahead.done !== true && ahead.value.kind === kind) {
      const { content } = ahead.value
      ahead = source.next()
      yield content
    }
  }
  return {
    each,
    all: (kind) => [...each(kind)],
    next: (kind) => {
      if (ahead.done === true || ahead.value.kind !== kind) throw refused(path, `a record of kind ${kind} is missing`)
      const { content } = ahead.value
      ahead = source.next()
      return content
    },
  }
}

const readHead = (path: string, content: Uint8Array): ExportHead => {
  const head: unknown = JSON.parse(Buffer.from(content).toString('utf8'))
  const isHead =
    typeof head === 'object' &&
    head !== null &&
    'genesis' in head &&
    'base' in head &&
    'best' in head &&
    'settings' in head
  if (isHead) return head as ExportHead
  throw refused(path, 'its head is not what this Arbor writes')
}

const decodeBlock = (content: Uint8Array): StoredBlock => {
  const source = reader(content)
  const header = decodeHeader(source.vec())
  return { hash: hashHeader(header), header, extrinsics: decodeBody(source.bytes(source.left)) }
}

const splitHashes = (content: Uint8Array): Hex[] =>
  Array.from({ length: Math.floor(content.length / 32) }, (_, index) =>
    toHex(content.subarray(index * 32, index * 32 + 32)),
  )

/** What is wrong within the file is a refusal; what the disk says stays what it is. */
const asRefusal = (path: string, error: unknown): SubnetError => {
  if (error instanceof SubnetError && OURS.has(error.code)) return error
  return refused(path, error instanceof Error ? error.message : String(error), error)
}

const OURS: ReadonlySet<string> = new Set(['CHAIN_IMPORT_REFUSED', 'CHAIN_NOT_WRITTEN', 'CHAIN_FOLDER', 'CHAIN_FILE'])
