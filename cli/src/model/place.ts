import { constants } from 'node:fs'
import { copyFile, link, mkdir, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writePieces } from '@arbor/engine/graph/rewrite'
import { openSource } from '@arbor/engine/graph/source'

/** Files of at least so many bytes share their blocks with the original where the file system can, and are not copied. */
const LARGE = 16 << 20

/**
 * Makes a folder in one step: it is filled under another name and gets its own at the end. What fails, is stopped or is not taken
 * leaves nothing.
 * @param of.takes  whether what was filled gets its name
 * @param of.random names the folder meanwhile
 * @param of.now    milliseconds since 1970
 */
export const placeFolder = async <T>(of: {
  readonly folder: string
  readonly random: string
  readonly now: number
  readonly fill: (temporary: string) => Promise<T>
  readonly takes: (filled: T) => Promise<boolean>
}): Promise<T> => {
  const parent = dirname(of.folder)
  await mkdir(parent, { recursive: true })
  await sweep(parent, of.now)
  const temporary = join(parent, `${PREFIX}${of.random}`)
  await mkdir(temporary)
  try {
    const result = await of.fill(temporary)
    if (await of.takes(result)) await rename(temporary, of.folder)
    return result
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

const PREFIX = '.adding-'
const ABANDONED_MS = 24 * 3_600_000

/** Removes what processes that were killed left behind: folders that nobody added to for a day. */
const sweep = async (parent: string, now: number): Promise<void> => {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(PREFIX)) continue
    const folder = join(parent, name)
    if (now - (await stat(folder)).mtimeMs > ABANDONED_MS) await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Brings a file into a folder. A large one is cloned where the file system shares blocks, linked where it is the same file system,
 * and copied elsewhere; a small one is copied.
 */
export const bringFile = async (of: {
  readonly from: string
  readonly to: string
  readonly signal: AbortSignal
}): Promise<void> => {
  const from = await realpath(of.from)
  await mkdir(dirname(of.to), { recursive: true })
  if ((await stat(from)).size >= LARGE && ((await cloned(from, of.to)) || (await linked(from, of.to)))) return
  const source = openSource(from)
  try {
    await writePieces({ path: of.to, source, pieces: [{ start: 0, end: source.size }], signal: of.signal })
  } finally {
    source.close()
  }
}

const cloned = async (from: string, to: string): Promise<boolean> => {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL)
    return true
  } catch {
    await rm(to, { force: true })
    return false // this file system does not share blocks
  }
}

const linked = async (from: string, to: string): Promise<boolean> => {
  try {
    await link(from, to)
    return true
  } catch {
    return false // another file system
  }
}
