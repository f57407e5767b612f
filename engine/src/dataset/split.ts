import { sha256Of } from './hash.ts'

/**
 * Chooses the documents that are held out: those whose path hashes below the share, so that a document stays on its side when others
 * come and go; at least one, and never all.
 * @param paths at least two
 * @param share in (0, 1)
 * @returns paths
 */
export const heldOutOf = (paths: readonly string[], share: number): ReadonlySet<string> => {
  const ranked = paths
    .map((path) => ({ path, place: Number.parseInt(sha256Of(path).slice(0, 8), 16) / 2 ** 32 }))
    .sort((a, b) => a.place - b.place || (a.path < b.path ? -1 : 1))
  const below = ranked.filter(({ place }) => place < share).length
  const count = Math.min(Math.max(1, below), paths.length - 1)
  return new Set(ranked.slice(0, count).map(({ path }) => path))
}
