/** Remembers which miners could not be reached, so that a dead one costs no long wait in each round. */
export interface Breakers {
  /** Open after so many connection faults in a row: then a miner is probed before it is asked. */
  isOpen(key: string): boolean
  /** It was reached: whatever came of the question, the breaker closes. */
  reached(key: string): void
  /** It was not reached. */
  missed(key: string): void
}

/**
 * Creates breakers, one a miner. There is no time in them: an open one lets a question through whenever a probe connects.
 * @param of.threshold connection faults in a row that open a breaker
 * @param of.capacity miners remembered; the one that was missed least recently is forgotten
 */
export const createBreakers = (of: { readonly threshold: number; readonly capacity: number }): Breakers => {
  const misses = new Map<string, number>()
  return {
    isOpen: (key) => (misses.get(key) ?? 0) >= of.threshold,
    reached: (key) => void misses.delete(key),
    missed: (key) => {
      const count = (misses.get(key) ?? 0) + 1
      misses.delete(key)
      misses.set(key, count)
      const [oldest] = misses.keys()
      if (misses.size > of.capacity && oldest !== undefined) misses.delete(oldest)
    },
  }
}
