/** Lengths of one row of a cache, in tokens: now, and at its longest. */
export interface RowLength {
  readonly now: number
  readonly final: number
}

/** Rows that share a cache, or will; those that changed look for others to join. */
export interface Part {
  readonly rows: readonly RowLength[]
  readonly changed: boolean
}

/**
 * Padding that a cache may hold, in tokens. A step costs one pass over the weights and about 15 µs for each token of cache (SmolLM2,
 * fp32, one core), padding included; so many cost what a pass of its own would, about 31 ms.
 */
export const PADDING = 2048

/** Counts the tokens of cache that rows take together when all have grown to their longest. */
export const cells = (rows: readonly RowLength[]): number => {
  const length = Math.max(0, ...rows.map(({ now }) => now))
  return rows.length * Math.max(0, ...rows.map(({ now, final }) => length + final - now))
}

/** Counts the tokens of padding when rows share a cache. */
export const padding = (rows: readonly RowLength[]): number => {
  const length = Math.max(0, ...rows.map(({ now }) => now))
  return rows.reduce((sum, { now }) => sum + length - now, 0)
}

/**
 * Decides which parts share a cache: each that changed joins the one with which it pads least, within the bounds of padding and of
 * tokens of cache; where none fits, it stays by itself.
 * @param bound tokens of cache that all may take together
 * @returns the indices of the parts of each cache
 */
export const plan = (parts: readonly Part[], bound: number): number[][] => {
  const groups: number[][] = parts.map((_, index) => [index])
  const rowsOf = (group: readonly number[]): RowLength[] => group.flatMap((index) => parts[index]?.rows ?? [])
  let total = groups.reduce((sum, group) => sum + cells(rowsOf(group)), 0)
  for (const [index, part] of parts.entries()) {
    if (!part.changed) continue
    const own = groups.findIndex((group) => group.includes(index))
    const from = groups[own] ?? []
    let target: number | undefined
    let least = PADDING
    for (const [place, group] of groups.entries()) {
      if (place === own) continue
      const together = rowsOf([...group, ...from])
      const added = cells(together) - cells(rowsOf(group)) - cells(rowsOf(from))
      const pads = padding(together)
      if (pads > least || total + added > bound) continue
      least = pads
      target = place
    }
    if (target === undefined) continue
    const joined = [...(groups[target] ?? []), ...from]
    total += cells(rowsOf(joined)) - cells(rowsOf(groups[target] ?? [])) - cells(rowsOf(from))
    groups[target] = joined
    groups.splice(own, 1)
  }
  return groups
}
