import type { Hex } from '@arbor/shared/units'
import type { PoolGraph } from './graph.ts'
import type { PoolEntry, PoolLimits } from './types.ts'

/**
 * Chooses what must go for the bounds to hold: those that wait for a nonce first, then the least worth, each with the ready
 * ones that need it.
 */
export const overflow = (graph: PoolGraph, limits: PoolLimits): readonly PoolEntry[] => {
  let [count, futures, bytes] = [graph.readyCount + graph.futureCount, graph.futureCount, graph.bytes]
  const holds = (): boolean => count <= limits.count && bytes <= limits.bytes && futures <= limits.future
  if (holds()) return []
  const ranked = [...graph.entries()].sort(
    (a, b) => Number(graph.isReady(a.hash)) - Number(graph.isReady(b.hash)) || byLeast(a, b),
  )
  const victims = new Map<Hex, PoolEntry>()
  for (const root of ranked) {
    if (holds()) break
    for (const entry of graph.subtree(root.hash)) {
      if (victims.has(entry.hash)) continue
      victims.set(entry.hash, entry)
      count -= 1
      bytes -= entry.bytes.length
      if (!graph.isReady(entry.hash)) futures -= 1
    }
  }
  return [...victims.values()]
}

/** The least worth first; of the same worth the newest. @source sc-transaction-pool base_pool.rs enforce_limits */
const byLeast = (a: PoolEntry, b: PoolEntry): number =>
  a.priority < b.priority ? -1 : a.priority > b.priority ? 1 : b.order - a.order
