import type { TreeHead } from '@arbor/shared/tree-head'

/** The newest head of each log that a signer signed. */
export interface History {
  /** Says why a head does not follow those that were signed; null where it does. */
  refusalOf(head: TreeHead): string | null
  add(head: TreeHead): void
}

/** Entries by which a log may grow from one head to the next: half of what is kept whole, so that one stolen signature cannot put a log out of its own reach for good. */
export const MAX_GROWTH = 2 ** 20
/** Entries of the first head that a process signs, at most: what was signed before it began is not known. */
export const MAX_FIRST = 2 ** 32

/** Remembers heads for as long as the process lives; logs are as many as keys and subnets of a policy. */
export const createHistory = (): History => {
  const newest = new Map<string, Pick<TreeHead, 'size' | 'root'>>()
  const keyOf = ({ hotkey, netuid }: TreeHead): string => `${hotkey} ${netuid}`
  return {
    refusalOf: (head) => {
      const { size, root } = head
      const held = newest.get(keyOf(head))
      const most = held === undefined ? MAX_FIRST : held.size + MAX_GROWTH
      if (size > most) return `${size} entries are more than the ${most} that follow those that were signed`
      if (held === undefined || size > held.size || (size === held.size && root === held.root)) return null
      return `${size} entries with this root contradict the ${held.size} that were signed`
    },
    add: (head) => void newest.set(keyOf(head), { size: head.size, root: head.root }),
  }
}
