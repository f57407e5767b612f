/** A value as `base + Σ slope × size`. */
export interface Fit {
  readonly base: number
  readonly slopes: Readonly<Record<string, number>>
}

/** Sizes and the value that was found there. */
export interface Point {
  readonly sizes: Readonly<Record<string, number>>
  readonly value: number
}

/**
 * Fits by least squares. A slope that comes out negative is noise: it is left out, and the rest fitted again; so is a
 * negative base. @throws Error when there are fewer points than numbers to find
 */
export const fit = (points: readonly Point[], names: readonly string[], withBase = true): Fit => {
  const columns = [...(withBase ? [null] : []), ...names]
  const rows = points.map(({ sizes }) => columns.map((name) => (name === null ? 1 : (sizes[name] ?? 0))))
  const solution = solve(
    normal(
      rows,
      points.map(({ value }) => value),
    ),
  )
  const found = columns.map((name, at) => [name, solution[at] ?? 0] as const)
  const worst = found.filter(([, value]) => value < 0).sort(([, a], [, b]) => a - b)[0]
  if (worst !== undefined) {
    const [name] = worst
    if (name === null) return fit(points, names, false)
    const { base, slopes } = fit(
      points,
      names.filter((other) => other !== name),
      withBase,
    )
    return { base, slopes: { ...slopes, [name]: 0 } }
  }
  return {
    base: found.find(([name]) => name === null)?.[1] ?? 0,
    slopes: Object.fromEntries(found.flatMap(([name, value]) => (name === null ? [] : [[name, value]]))),
  }
}

/** Builds the normal equations [AᵀA | Aᵀb]. */
const normal = (rows: readonly (readonly number[])[], values: readonly number[]): number[][] => {
  const width = rows[0]?.length ?? 0
  if (rows.length < width) throw new Error(`${rows.length} points cannot fix ${width} numbers; measure at more sizes`)
  const sum = (pick: (row: readonly number[], at: number) => number): number =>
    rows.reduce((total, row, at) => total + pick(row, at), 0)
  return Array.from({ length: width }, (_, i) => [
    ...Array.from({ length: width }, (_, j) => sum((row) => (row[i] ?? 0) * (row[j] ?? 0))),
    sum((row, at) => (row[i] ?? 0) * (values[at] ?? 0)),
  ])
}

/** Solves by Gauss and Jordan with the largest pivot. A column without a pivot gets 0. */
const solve = (matrix: number[][]): number[] => {
  const width = matrix.length
  for (let at = 0; at < width; at += 1) {
    const pivot = matrix.slice(at).reduce((best, row) => (magnitude(row, at) > magnitude(best, at) ? row : best))
    const index = matrix.indexOf(pivot)
    const first = matrix[at] ?? []
    matrix[at] = pivot
    matrix[index] = first
    const head = pivot[at] ?? 0
    if (Math.abs(head) < 1e-9) continue
    for (const row of matrix) {
      if (row === pivot) continue
      const factor = (row[at] ?? 0) / head
      for (let column = at; column <= width; column += 1)
        row[column] = (row[column] ?? 0) - factor * (pivot[column] ?? 0)
    }
  }
  return matrix.map((row, at) => (Math.abs(row[at] ?? 0) < 1e-9 ? 0 : (row[width] ?? 0) / (row[at] ?? 1)))
}

const magnitude = (row: readonly number[], at: number): number => Math.abs(row[at] ?? 0)
