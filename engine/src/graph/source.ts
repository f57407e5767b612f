import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** Bytes that are read where they are needed, so that weights of gigabytes never come into memory. */
export interface Source {
  readonly size: number
  /** Reads [start, end); callers stay within the size. The result may be a view of a buffer that the next read reuses. */
  read(start: number, end: number): Buffer
}

/** A file opened as a source; close it. */
export interface FileSource extends Source {
  close(): void
}

const WINDOW = 1 << 16

/** Reads a buffer as a source. */
export const bufferSource = (buffer: Buffer): Source => ({
  size: buffer.length,
  read: (start, end) => buffer.subarray(start, end),
})

/** Opens a file as a source: short reads come from a window of 64 KiB, long ones straight from the file. */
export const openSource = (path: string): FileSource => {
  const file = openSync(path, 'r')
  const { size } = fstatSync(file)
  const window = Buffer.allocUnsafe(WINDOW)
  let from = 0
  let until = 0
  return {
    size,
    read: (start, end) => {
      if (end - start > WINDOW) return readFully(file, Buffer.allocUnsafe(end - start), start)
      if (start < from || end > until) {
        from = start
        until = start + readFully(file, window.subarray(0, Math.min(WINDOW, size - start)), start).length
      }
      return window.subarray(start - from, end - from)
    },
    close: () => closeSync(file),
  }
}

/** Fills the buffer, or as much of it as the file still holds. */
const readFully = (file: number, buffer: Buffer, position: number): Buffer => {
  let filled = 0
  while (filled < buffer.length) {
    const count = readSync(file, buffer, filled, buffer.length - filled, position + filled)
    if (count === 0) break
    filled += count
  }
  return buffer.subarray(0, filled)
}
