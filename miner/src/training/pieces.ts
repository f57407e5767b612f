import { type ProvenList, pieceAt, piecesOf, pieceTree, provenList } from '@arbor/shared/blob'
import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import { leafHash } from '@arbor/shared/merkle'
import type { Hex } from '@arbor/shared/units'
import type { PieceSource } from '@arbor/subnet-spec/define'
import type { AskedPiece } from '@arbor/subnet-spec/finetune/attacks/types'
import { encodeState, type StateNames, statesTree } from '@arbor/subnet-spec/finetune/states'
import type { BlobStore } from '@arbor/training/types'

/** What a miner serves of one round, once nobody can copy it any more. */
export interface ServedRound {
  readonly round: number
  readonly update: Hex
  readonly states: readonly StateNames[]
}

/** Files of the miner's own, piece by piece. */
export interface OwnPieces extends PieceSource {
  /** Serves a round from now on, beside the newest of those before it. */
  serve(round: ServedRound): void
  /** Finds what a name stands for, and how many pieces it has; null for what is not served. */
  find(name: Hex): Pick<AskedPiece, 'of' | 'pieces'> | null
  /** Bytes and pieces that were served since the last call. */
  take(): { readonly bytes: number; readonly pieces: number }
}

/** Rounds that are served: a segment's first state can be proven by the last state of the round before. */
const ROUNDS = 2
/** Bytes of files that are held in memory with their trees: a state of a small model is asked for piece after piece. */
const CACHE_BYTES = 64 << 20

interface OpenFile {
  readonly tree: ProvenList
  readonly pieces: number
  /** Bytes that it holds. */
  readonly bytes: number
  at(index: number): Uint8Array
}

/** Creates what answers the task `piece`: updates, rows of the states' tree, and the states' files. */
export const createPieces = (store: Pick<BlobStore, 'read'>): OwnPieces => {
  let rounds: readonly (ServedRound & { readonly root: Hex; readonly files: ReadonlySet<Hex> })[] = []
  const open = new Map<Hex, OpenFile>()
  const sent = { bytes: 0, pieces: 0 }

  const kindOf = (name: Hex): AskedPiece['of'] | null => {
    if (rounds.some(({ update }) => update === name)) return 'update'
    if (rounds.some(({ root }) => root === name)) return 'states'
    return rounds.some(({ files }) => files.has(name)) ? 'state' : null
  }
  const openFile = (name: Hex): OpenFile => {
    const kept = open.get(name)
    const file = kept ?? read(name)
    open.delete(name) // a map hands out its keys in order of insertion: the first is the one used least recently
    open.set(name, file)
    let held = 0
    for (const each of open.values()) held += each.bytes
    for (const [oldest, { bytes }] of open) {
      if (held <= CACHE_BYTES || oldest === name) break
      open.delete(oldest)
      held -= bytes
    }
    return file
  }
  const read = (name: Hex): OpenFile => {
    const rows = rounds.find(({ root }) => root === name)?.states.map(encodeState)
    if (rows !== undefined) return rowsOf(rows)
    const file = kindOf(name) === null ? null : store.read(name)
    if (file === null) throw unserved(name)
    const tree = pieceTree(file)
    return { tree, pieces: piecesOf(file.length), bytes: file.length, at: (index) => pieceAt(file, index) }
  }
  return {
    serve: (round) => {
      const files = new Set(
        round.states.flatMap(({ params, first, second, carried }) => [params, first, second, carried]),
      )
      const older = rounds.filter((each) => each.round < round.round)
      rounds = [...older, { ...round, root: statesTree(round.states).root, files }].slice(-ROUNDS)
      for (const name of open.keys()) if (kindOf(name) === null) open.delete(name)
    },
    find: (name) => {
      const of = kindOf(name)
      return of === null ? null : { of, pieces: openFile(name).pieces }
    },
    take: () => {
      const taken = { ...sent }
      sent.bytes = 0
      sent.pieces = 0
      return taken
    },
    piece: async ({ name, index }) => {
      const file = openFile(name)
      if (index >= file.pieces) throw unserved(name)
      const bytes = file.at(index)
      sent.bytes += bytes.length
      sent.pieces += 1
      return { bytes: Buffer.from(bytes).toString('base64'), proof: file.tree.proof(index).map(toHex) }
    },
  }
}

/** Opens the list of a round's states, whose leaves are rows and no pieces of 64 KiB. */
const rowsOf = (rows: readonly Uint8Array[]): OpenFile => ({
  tree: provenList(rows.map(leafHash)),
  pieces: rows.length,
  bytes: rows.reduce((sum, row) => sum + row.length, 0),
  at: (index) => rows[index] ?? new Uint8Array(0),
})

/** Says that a piece is not served. */
export const unserved = (name: Hex): SubnetError =>
  new SubnetError({
    code: 'MINER_NO_PIECE',
    message: `No piece ${name} is served: it is no file of this miner's last rounds, or its round is still open to commitments`,
    details: { name },
  })
