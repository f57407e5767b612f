import type { TreeHead } from '@arbor/shared/tree-head'

/** The newest head of each log that a signer signed. */
export interface History {
  /** Size of the signed head that this one contradicts: of the same size with another root, or a larger one; null where there is none. */
  contradictedBy(head: TreeHead): number | null
  add(head: TreeHead): void
}

/** Remembers heads for as long as the process lives; logs are as many as keys and subnets of a policy. */
export const createHistory = (): History => {
  const newest = new Map<string, Pick<TreeHead, 'size' | 'root'>>()
  const keyOf = ({ hotkey, netuid }: TreeHead): string => `${hotkey} ${netuid}`
  return {
    contradictedBy: (head) => {
      const held = newest.get(keyOf(head))
      if (held === undefined || held.size < head.size) return null
      return held.size === head.size && held.root === head.root ? null : held.size
    },
    add: (head) => void newest.set(keyOf(head), { size: head.size, root: head.root }),
  }
}
