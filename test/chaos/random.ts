/** A seeded source of choices; the same seed gives the same ones. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** An integer in [from, to]. */
  within(from: number, to: number): number
  pick<T>(of: readonly T[]): T
  chance(share: number): boolean
  /** A source of its own, so that what one part draws changes nothing for another. */
  fork(name: string): Random
}

/** Makes a source. @source splitmix32: Steele, Lea, Flood 2014, with Murmur3's finaliser */
export const random = (seed: number): Random => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
  const within = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    within,
    pick: (of) => of[within(0, of.length - 1)] as (typeof of)[number],
    chance: (share) => next() < share,
    fork: (name) => random(seed ^ hashed(name)),
  }
}

/** FNV-1a of a name, so that forks by name have seeds far apart. */
export const hashed = (text: string): number => {
  let value = 0x811c9dc5
  for (const unit of text) value = Math.imul(value ^ (unit.codePointAt(0) ?? 0), 0x01000193)
  return value >>> 0
}
