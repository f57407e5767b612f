import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { SubnetError } from '@arbor/shared/errors'

/**
 * A file of records: a line that names the format, then records of one byte kind, four bytes length (little endian) and
 * content, and at the end SHA-256 of all before it.
 */
const MAGIC = Buffer.from('arbor chain export 1\n')
const HASH_BYTES = 32
const HEAD_BYTES = 5
/** No record that this program writes is longer: a runtime has at most 50 MiB. */
const LONGEST_RECORD = 128 * 2 ** 20
const CHUNK_BYTES = 2 ** 20

/** Kinds of records, in the order in which they come. */
export const KIND = { head: 1, hashes: 2, state: 3, block: 4, end: 5 } as const

/** One record. */
export interface RecordOf {
  readonly kind: number
  readonly content: Uint8Array
}

/**
 * Writes records to a file that is there wholly or not at all.
 * @throws CHAIN_FILE when the disk refuses
 */
export const writeRecords = (path: string, records: Iterable<RecordOf>): number => {
  const partial = `${path}.partial`
  try {
    const bytes = writeAll(partial, records)
    renameSync(partial, path)
    return bytes
  } catch (cause) {
    rmSync(partial, { force: true })
    if (cause instanceof SubnetError) throw cause
    throw new SubnetError({ code: 'CHAIN_FILE', message: `${path} cannot be written: ${reason(cause)}`, cause })
  }
}

const writeAll = (path: string, records: Iterable<RecordOf>): number => {
  const file = openSync(path, 'w')
  try {
    const hash = createHash('sha256')
    let bytes = 0
    const put = (part: Uint8Array): void => {
      for (let done = 0; done < part.length; ) done += writeSync(file, part, done)
      bytes += part.length
    }
    const hashed = (part: Uint8Array): void => {
      hash.update(part)
      put(part)
    }
    hashed(MAGIC)
    for (const { kind, content } of records) {
      const head = Buffer.alloc(HEAD_BYTES)
      head.writeUInt8(kind)
      head.writeUInt32LE(content.length, 1)
      hashed(head)
      hashed(content)
    }
    put(hash.digest())
    fsyncSync(file)
    return bytes
  } finally {
    closeSync(file)
  }
}

/**
 * Opens a file of records, after looking whether it is what was written.
 * @throws CHAIN_IMPORT_REFUSED when it is no export, cut off or changed; CHAIN_FILE when it cannot be read
 */
export const openRecords = (path: string): Iterable<RecordOf> & Disposable => {
  const file = openFile(path)
  try {
    const end = verifyFile(path, file)
    return {
      *[Symbol.iterator]() {
        for (let at = MAGIC.length; at < end; ) {
          const head = readAt(file, at, HEAD_BYTES)
          const length = head.readUInt32LE(1)
          if (length > LONGEST_RECORD || at + HEAD_BYTES + length > end) throw refused(path, 'a record is too long')
          yield { kind: head.readUInt8(), content: readAt(file, at + HEAD_BYTES, length) }
          at += HEAD_BYTES + length
        }
      },
      [Symbol.dispose]: () => closeSync(file),
    }
  } catch (error) {
    closeSync(file)
    throw error
  }
}

const openFile = (path: string): number => {
  try {
    return openSync(path, 'r')
  } catch (cause) {
    throw new SubnetError({ code: 'CHAIN_FILE', message: `${path} cannot be read: ${reason(cause)}`, cause })
  }
}

/** @returns where the records end */
const verifyFile = (path: string, file: number): number => {
  const hash = createHash('sha256')
  let tail = Buffer.alloc(0)
  let end = 0
  for (let at = 0; ; ) {
    const chunk = Buffer.alloc(CHUNK_BYTES)
    const count = readSync(file, chunk, 0, CHUNK_BYTES, at)
    if (at === 0 && Buffer.compare(chunk.subarray(0, MAGIC.length), MAGIC) !== 0) {
      throw refused(path, 'it is no export of a chain of version 1')
    }
    if (count === 0) break
    at += count
    const both = Buffer.concat([tail, chunk.subarray(0, count)])
    const safe = Math.max(0, both.length - HASH_BYTES)
    hash.update(both.subarray(0, safe))
    tail = both.subarray(safe)
    end += safe
  }
  if (Buffer.compare(hash.digest(), tail) === 0) return end
  throw refused(path, 'its checksum is wrong, so it is cut off or was changed')
}

const readAt = (file: number, at: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  for (let done = 0; done < length; ) {
    const count = readSync(file, bytes, done, length - done, at + done)
    if (count === 0) throw refused('the file', 'it became shorter while it was read')
    done += count
  }
  return bytes
}

/** Says why a file is not imported. */
export const refused = (path: string, why: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'CHAIN_IMPORT_REFUSED',
    message: `${path} was not imported: ${why}; nothing was changed. Export the chain again, or copy the file again`,
    cause,
  })

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
