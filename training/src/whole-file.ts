import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** How a file is called that is not finished. */
export const UNFINISHED = '.new'

/** Writes a file beside its place, waits for the disk, and only then puts it there: a kill leaves the old one or the new one, whole. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const beside = `${path}${UNFINISHED}`
  try {
    withFile(beside, 'w', (file) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
      fsyncSync(file)
    })
    renameSync(beside, path)
    withFile(dirname(path), 'r', fsyncSync)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}

const withFile = (path: string, flags: string, use: (file: number) => void): void => {
  const file = openSync(path, flags, 0o600)
  try {
    use(file)
  } finally {
    closeSync(file)
  }
}
