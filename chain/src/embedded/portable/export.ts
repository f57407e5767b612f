import { concatBytes, toBytes } from '@arbor/shared/bytes'
import { fromHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { encodeHeader } from '../header.ts'
import { keyBytes } from '../key.ts'
import { vec } from '../scale.ts'
import { encodeBody, unknownBlock } from '../store/blocks.ts'
import type { Store } from '../store/store.ts'
import { trieEntries } from '../trie/read.ts'
import type { StoredBlock } from '../types.ts'
import { verifyHead } from '../verify.ts'
import { KIND, type RecordOf, writeRecords } from './file.ts'

/** What an export says of itself. */
export interface ExportHead {
  readonly genesis: Hex
  /** What the genesis was made with: the chain must be run with the same preset, patch and block time. */
  readonly settings: string
  /** The state in the file is that after this block; all later ones follow with their extrinsics. */
  readonly base: { readonly number: number; readonly hash: Hex }
  readonly best: { readonly number: number; readonly hash: Hex }
  readonly finalized: number
  /** Keys of the state in the file. */
  readonly keys: number
}

/** Blocks below the final one that come with an export: clients read states of up to 256 blocks ago. */
const BLOCKS_BEFORE = 256
const STATE_CHUNK_BYTES = 2 ** 20
const HASHES_AT_ONCE = 32_768

/** Writes a chain to a file. @throws CHAIN_FILE, CHAIN_DATA_CORRUPT */
export const exportStore = (store: Store, path: string): ExportHead & { readonly bytes: number } => {
  const best = verifyHead(store)
  const number = Math.max(store.firstState(), store.finalizedNumber() - BLOCKS_BEFORE)
  const base = blockAt(store, number)
  const head: ExportHead = {
    genesis: blockAt(store, 0).hash,
    settings: store.settings(),
    base: { number, hash: base.hash },
    best: { number: best.header.number, hash: best.hash },
    finalized: store.finalizedNumber(),
    keys: store.keys(base.hash),
  }
  return { ...head, bytes: writeRecords(path, records(store, head)) }
}

function* records(store: Store, head: ExportHead): Generator<RecordOf> {
  yield { kind: KIND.head, content: toBytes(JSON.stringify(head)) }
  yield { kind: KIND.block, content: encodeBlock(blockAt(store, 0)) }
  for (let from = 0; from <= head.base.number; from += HASHES_AT_ONCE) {
    const count = Math.min(HASHES_AT_ONCE, head.base.number + 1 - from)
    const hashes = Array.from({ length: count }, (_, index) => fromHex(hashAt(store, from + index)))
    yield { kind: KIND.hashes, content: concatBytes(...hashes) }
  }
  yield { kind: KIND.block, content: encodeBlock(blockAt(store, head.base.number)) }
  yield* stateRecords(store, head.base.hash)
  for (let number = head.base.number + 1; number <= head.best.number; number += 1) {
    yield { kind: KIND.block, content: encodeBlock(blockAt(store, number)) }
  }
  yield { kind: KIND.end, content: new Uint8Array() }
}

/** Entries are: whether the trie keeps the value by its hash, key, value. */
function* stateRecords(store: Store, hash: Hex): Generator<RecordOf> {
  let parts: Uint8Array[] = []
  let bytes = 0
  for (const [key, { value = new Uint8Array(), hashed }] of trieEntries(store.state(hash))) {
    const entry = concatBytes(Uint8Array.of(Number(hashed)), vec(keyBytes(key)), vec(value))
    parts.push(entry)
    bytes += entry.length
    if (bytes < STATE_CHUNK_BYTES) continue
    yield { kind: KIND.state, content: concatBytes(...parts) }
    parts = []
    bytes = 0
  }
  if (parts.length > 0) yield { kind: KIND.state, content: concatBytes(...parts) }
}

const encodeBlock = ({ header, extrinsics }: StoredBlock): Uint8Array =>
  concatBytes(vec(encodeHeader(header)), encodeBody(extrinsics))

const blockAt = (store: Store, number: number): StoredBlock => {
  const block = store.blockAt(number)
  if (block === null) throw unknownBlock(`number ${number}`)
  return block
}

const hashAt = (store: Store, number: number): Hex => {
  const hash = store.hashAt(number)
  if (hash === null) throw unknownBlock(`number ${number}`)
  return hash
}
