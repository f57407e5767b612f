import { lstat, opendir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import { missing, tooLarge } from './errors.ts'
import type { DatasetLimits } from './limits.ts'

/** A file that becomes a document. */
export interface Found {
  /** Relative to the folder, with slashes. */
  readonly path: string
  readonly bytes: number
}

/** What a folder of text holds. */
export interface Walked {
  /** By the bytes of their paths. */
  readonly documents: readonly Found[]
  /** Files that were left out, by why. */
  readonly leftOut: {
    readonly hidden: number
    readonly otherKinds: number
    readonly empty: number
    readonly links: number
  }
}

/**
 * Lists the documents of a folder without reading one. Names that begin with a dot are left out, and links: what a link within the
 * folder leads to is taken by itself.
 * @param of.only endings of names, as '.md'; none for every file
 * @throws DATASET_MISSING   when a folder cannot be read
 * @throws DATASET_TOO_LARGE when there is more than the limits allow
 * @throws DATASET_LINK      when a link leads out of the folder
 * @throws DATASET_BINARY    when a pipe, a socket or a device is among the files
 */
export const walkText = async (of: {
  readonly from: string
  readonly only: readonly string[]
  readonly limits: DatasetLimits
  readonly signal: AbortSignal
}): Promise<Walked> => {
  const { from, only, limits, signal } = of
  const root = await realOf(from)
  const documents: Found[] = []
  const leftOut = { hidden: 0, otherKinds: 0, empty: 0, links: 0 }
  const folders = ['']
  let seen = 0
  let total = 0
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of entriesOf(join(root, folder))) {
      signal.throwIfAborted()
      seen += 1
      if (seen > limits.entries) throw tooLarge(`Files and folders in ${from}`, { found: seen, limit: limits.entries })
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.name.startsWith('.')) leftOut.hidden += 1
      else if (entry.isDirectory()) folders.push(path)
      else if (entry.isSymbolicLink()) leftOut.links += await linkWithin(root, path)
      else if (only.length > 0 && !only.some((ending) => entry.name.endsWith(ending))) leftOut.otherKinds += 1
      else if (!entry.isFile()) throw notPlain(path)
      else {
        const { size } = await statOf(join(root, path))
        if (size > limits.documentBytes)
          throw tooLarge(`Bytes of ${path}`, { found: size, limit: limits.documentBytes })
        total += size
        if (total > limits.totalBytes) throw tooLarge(`Bytes of ${from}`, { found: total, limit: limits.totalBytes })
        if (size === 0) leftOut.empty += 1
        else documents.push({ path, bytes: size })
      }
    }
  }
  return { documents: documents.sort(byPath), leftOut }
}

const byPath = (a: Found, b: Found): number => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))

const realOf = async (folder: string): Promise<string> => {
  try {
    return await realpath(folder)
  } catch (cause) {
    throw missing(folder, cause)
  }
}

async function* entriesOf(folder: string) {
  try {
    yield* await opendir(folder)
  } catch (cause) {
    if (cause instanceof SubnetError) throw cause
    throw missing(folder, cause)
  }
}

const statOf = async (path: string) => {
  try {
    return await lstat(path)
  } catch (cause) {
    throw missing(path, cause)
  }
}

/** Counts a link whose end lies within the folder, or leads nowhere. */
const linkWithin = async (root: string, path: string): Promise<1> => {
  const end = await realpath(join(root, path)).catch(() => null)
  if (end === null || end === root || end.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return 1
  throw new SubnetError({
    code: 'DATASET_LINK',
    message: `${path} is a link out of the folder, to ${end}; put a copy there, or take the link away`,
    details: { path, end },
  })
}

const notPlain = (path: string): SubnetError =>
  new SubnetError({
    code: 'DATASET_BINARY',
    message: `${path} is no plain file; take it out of the folder, or name the kinds of files with --only`,
    details: { path },
  })
