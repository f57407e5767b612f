import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { missing } from './errors.ts'

/**
 * Reads a plain file of at most so many bytes; what grew meanwhile is not read further.
 * @param refuse makes the error for what is no plain file, or larger: its size in bytes, null for no plain file
 * @throws DATASET_MISSING when it cannot be read
 */
export const readAtMost = async (
  path: string,
  most: number,
  refuse: (bytes: number | null) => Error,
): Promise<Uint8Array<ArrayBuffer>> => {
  const file = await openFile(path)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw refuse(null)
    if (stats.size > most) throw refuse(stats.size)
    const bytes = new Uint8Array(stats.size)
    const { bytesRead } = await fill(file, bytes)
    return bytes.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

const O_RDONLY_NONBLOCK = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

const openFile = async (path: string): Promise<FileHandle> => {
  try {
    // Without blocking: a pipe would wait for a writer for ever.
    return await open(path, O_RDONLY_NONBLOCK)
  } catch (cause) {
    throw missing(path, cause)
  }
}

const fill = async (file: FileHandle, into: Uint8Array): Promise<{ readonly bytesRead: number }> => {
  let bytesRead = 0
  while (bytesRead < into.length) {
    const part = await file.read(into, bytesRead, into.length - bytesRead, bytesRead)
    if (part.bytesRead === 0) break
    bytesRead += part.bytesRead
  }
  return { bytesRead }
}
