import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { blobName, PIECE_BYTES, piecesOf } from '@arbor/shared/blob'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex, isHex } from '@arbor/shared/hex'
import { leafHash, verifyInclusion } from '@arbor/shared/merkle'
import type { Hex } from '@arbor/shared/units'
import type { AskPiece, PieceAnswer } from './types.ts'

/** Longest audit path that is looked at: of 2^40 leaves. */
const MOST_PROOF = 40

/**
 * Asks for one leaf of a list, a file's piece or another, and checks that it stands where it was asked for.
 * @param of.size leaves of the list
 * @param of.length bytes of the leaf
 * @throws BLOB_MISMATCH, and what `ask` throws
 */
export async function fetchPiece(of: {
  readonly ask: AskPiece
  /** Root of the list: a file's name. */
  readonly name: Hex
  readonly index: number
  readonly size: number
  readonly length: number
  readonly signal: AbortSignal
}): Promise<Uint8Array> {
  const { name, index, size, length, signal } = of
  const answer = await of.ask({ name, index, signal })
  const bytes = Buffer.from(answer.bytes, 'base64')
  const proof = proofOf(answer)
  if (bytes.length !== length) throw mismatch(name, `piece ${index} has ${bytes.length} bytes, and not ${length}`)
  if (proof === null || !verifyInclusion({ leaf: leafHash(bytes), index, size, proof, root: fromHex(name, 32) }))
    throw mismatch(name, `piece ${index} of ${size} is not proven to be of it`)
  return bytes
}

const proofOf = ({ proof }: PieceAnswer): readonly Uint8Array[] | null =>
  proof.length <= MOST_PROOF && proof.every((hash) => isHex(hash, 32)) ? proof.map((hash) => fromHex(hash)) : null

/** Makes the error of bytes that are not those which were asked for. */
export const mismatch = (name: Hex, why: string): SubnetError =>
  new SubnetError({
    code: 'BLOB_MISMATCH',
    message: `what came as ${name} is something else: ${why}; it is thrown away, and another source is asked`,
    details: { name },
  })

/** Makes the error of a file that cannot be had from a source now. */
export const unavailable = (name: Hex, why: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'BLOB_UNAVAILABLE',
    message: `${name} cannot be had: ${why}; another source is asked, or this one later`,
    details: { name },
    cause,
    retryable: true,
  })

/** A file of which some pieces are there; it outlives the process. */
export interface Partial extends Disposable {
  /** Pieces that are not there yet, ascending. */
  missing(): readonly number[]
  put(index: number, piece: Uint8Array): void
  /** Gives the whole file and removes what was kept of it. @throws BLOB_MISMATCH */
  finish(): Uint8Array
}

/**
 * Opens what an earlier try left of a file: its pieces, each at its place, and a bitmap of those that are there. A piece is written before
 * its bit, so that a kill between them loses one piece; what a lost disk made of them is found by the file's name.
 * @param of.tag sets apart who fetches the same file from where
 */
export function openPartial(of: {
  readonly folder: string
  readonly name: Hex
  readonly bytes: number
  readonly tag: string
}): Partial {
  const { name, bytes } = of
  mkdirSync(of.folder, { recursive: true, mode: 0o700 })
  const stem = join(of.folder, `${name.slice(2).toLowerCase()}-${of.tag}`)
  const [files, bits] = [openKept(`${stem}.part`), openKept(`${stem}.map`)]
  const size = piecesOf(bytes)
  const map = new Uint8Array(Math.ceil(size / 8))
  readSync(bits, map, 0, map.length, 0)
  ftruncateSync(files, bytes)
  const has = (index: number): boolean => ((map[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
  let isOpen = true
  const close = (): void => {
    if (!isOpen) return
    isOpen = false
    closeSync(files)
    closeSync(bits)
  }
  const forget = (): void => {
    close()
    for (const end of ['map', 'part']) rmSync(`${stem}.${end}`, { force: true })
  }
  return {
    missing: () => Array.from({ length: size }, (_, index) => index).filter((index) => !has(index)),
    put: (index, piece) => {
      writeAll(files, piece, index * PIECE_BYTES)
      map[index >> 3] = (map[index >> 3] ?? 0) | (1 << (index & 7))
      writeAll(bits, map.subarray(index >> 3, (index >> 3) + 1), index >> 3)
    },
    finish: () => {
      close()
      const file = readFileSync(`${stem}.part`)
      forget()
      if (file.length !== bytes || blobName(file) !== name.toLowerCase())
        throw mismatch(name, 'its pieces do not make the file of that name')
      return file
    },
    [Symbol.dispose]: close,
  }
}

/** Opens a file for reading and writing, as it is. */
const openKept = (path: string): number => {
  closeSync(openSync(path, 'a', 0o600))
  return openSync(path, 'r+')
}

const writeAll = (handle: number, bytes: Uint8Array, at: number): void => {
  for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done, bytes.length - done, at + done)
}

/** Removes what was begun of files that nobody wants any more. */
export function forgetPartials({ folder, keep }: { readonly folder: string; readonly keep: ReadonlySet<Hex> }): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const file of readdirSync(folder))
    if (!keep.has(`0x${file.slice(0, 64)}`)) rmSync(join(folder, file), { force: true })
}
