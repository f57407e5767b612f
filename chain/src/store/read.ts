import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

/** How long one process waits for another's write. */
export const BUSY_MS = 5_000

/**
 * Connects to a file to read it, while another process may be writing it.
 * @param of.untouched leave nothing beside the file either, where nobody has it open: SQLite would make its shared memory there. For a
 *   short look only: what a process writes that comes later is not seen.
 */
export const connectReading = (of: { readonly file: string; readonly untouched?: boolean }): DatabaseSync => {
  if (of.untouched !== true || isOpen(of.file)) return new DatabaseSync(of.file, { readOnly: true, timeout: BUSY_MS })
  const url = pathToFileURL(of.file)
  url.searchParams.set('immutable', '1')
  return new DatabaseSync(url, { readOnly: true })
}

/** A write-ahead file with something in it must be read too, whether a process has it open or one was killed. */
const isOpen = (file: string): boolean =>
  statSync(`${file}-shm`, { throwIfNoEntry: false }) !== undefined ||
  (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
