/** How a flat vector is cut: runs of `chunk` elements in the layout's order, the last one as long as what is left. */
export interface Chunks {
  readonly count: number
  /** First element of a chunk, and how many it has. */
  readonly start: (index: number) => number
  readonly length: (index: number) => number
  /** Entries that are kept of a chunk: k of a full one, of a shorter one its part, rounded up. */
  readonly kept: (index: number) => number
}

/** Cuts a vector of `size` elements. */
export const chunksOf = (of: { readonly size: number; readonly chunk: number; readonly k: number }): Chunks => {
  const { size, chunk, k } = of
  const length = (index: number): number => Math.min(chunk, size - index * chunk)
  return {
    count: Math.ceil(size / chunk),
    start: (index) => index * chunk,
    length,
    kept: (index) => Math.ceil((k * length(index)) / chunk),
  }
}
