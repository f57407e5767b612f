import { hash } from 'node:crypto'

/**
 * The Merkle tree of RFC 6962 §2.1 over a list that only grows. A node (level, position) is the root of the full subtree over the
 * leaves position · 2^level … (position + 1) · 2^level − 1; level 0 holds the leaves' hashes.
 */

/** Gives the hash of a full subtree that the tree holds. */
export type NodeAt = (level: number, position: number) => Uint8Array

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => hash('sha256', Buffer.concat(parts), 'buffer')

/** Root of no leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = sha256()

/** Hashes an entry as a leaf: SHA-256 of a zero byte and its bytes. @source RFC 6962 §2.1 */
export const leafHash = (bytes: Uint8Array): Uint8Array => sha256(Uint8Array.of(0), bytes)

/** Hashes two subtrees as one: SHA-256 of a one and both hashes. @source RFC 6962 §2.1 */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(Uint8Array.of(1), left, right)

/** Largest power of two that is less than `n`; n ≥ 2. */
const splitOf = (n: number): number => {
  let split = 1
  while (split * 2 < n) split *= 2
  return split
}

/** One full subtree of a tree, largest first. */
export interface Peak {
  readonly level: number
  readonly position: number
}

/** Names the full subtrees that a tree of this size consists of, from the left: one for each bit of the size. */
export const peaksOf = (size: number): readonly Peak[] => {
  const peaks: Peak[] = []
  let level = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) peaks.unshift({ level, position: rest - 1 })
    level += 1
  }
  return peaks
}

const fold = (hashes: readonly Uint8Array[]): Uint8Array =>
  hashes.length === 0 ? EMPTY_ROOT : hashes.reduceRight((right, left) => nodeHash(left, right))

/** Computes the root of the first `size` leaves from O(log n) nodes. */
export const rootOf = (size: number, nodeAt: NodeAt): Uint8Array =>
  fold(peaksOf(size).map(({ level, position }) => nodeAt(level, position)))

/** Computes the root of the leaves from `start`, a multiple of each power of two that is not above `size`'s largest. */
const rangeRoot = (start: number, size: number, nodeAt: NodeAt): Uint8Array =>
  fold(peaksOf(size).map(({ level, position }) => nodeAt(level, position + start / 2 ** level)))

/** Proves that a leaf stands at an index in the tree of this size: the audit path, nearest first. @source RFC 6962 §2.1.1 */
export const inclusionProof = (of: {
  readonly index: number
  readonly size: number
  readonly nodeAt: NodeAt
}): readonly Uint8Array[] => {
  const path: Uint8Array[] = []
  let [start, size] = [0, of.size]
  while (size > 1) {
    const split = splitOf(size)
    if (of.index < start + split) {
      path.unshift(rangeRoot(start + split, size - split, of.nodeAt))
      size = split
    } else {
      path.unshift(rangeRoot(start, split, of.nodeAt))
      start += split
      size -= split
    }
  }
  return path
}

/** Checks an inclusion proof; false for whatever does not fit. @source RFC 9162 §2.1.3.2 */
export const verifyInclusion = (of: {
  readonly leaf: Uint8Array
  readonly index: number
  readonly size: number
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}): boolean => {
  if (!isIndex(of.index) || !isIndex(of.size) || of.index >= of.size || !of.proof.every(isHash)) return false
  const sides = sidesOf({ at: of.index, last: of.size - 1, steps: of.proof.length })
  if (sides === null) return false
  const root = of.proof.reduce(
    (sum, step, i) => (sides[i] === 'left' ? nodeHash(step, sum) : nodeHash(sum, step)),
    of.leaf,
  )
  return isSame(root, of.root)
}

/**
 * Says on which side of the path from a node to the root each step of a proof lies, from below.
 * @param of.at position of the node in its level
 * @param of.last position of the level's last node
 * @returns null when the path has another number of steps
 */
const sidesOf = (of: {
  readonly at: number
  readonly last: number
  readonly steps: number
}): readonly ('left' | 'right')[] | null => {
  const sides: ('left' | 'right')[] = []
  let { at, last } = of
  while (last > 0) {
    if (sides.length === of.steps) return null
    const isLeft = at % 2 === 1 || at === last
    sides.push(isLeft ? 'left' : 'right')
    while (isLeft && at % 2 === 0) {
      at /= 2 // a last node without a sibling is its own parent
      last = Math.floor(last / 2)
    }
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  return sides.length === of.steps ? sides : null
}

/** Proves that the tree of `to` leaves begins with that of `from`. @source RFC 6962 §2.1.2 */
export const consistencyProof = (of: {
  readonly from: number
  readonly to: number
  readonly nodeAt: NodeAt
}): readonly Uint8Array[] => {
  if (of.from === 0 || of.from >= of.to) return []
  const path: Uint8Array[] = []
  let [start, size, whole] = [0, of.to, true]
  while (of.from !== start + size) {
    const split = splitOf(size)
    if (of.from <= start + split) {
      path.unshift(rangeRoot(start + split, size - split, of.nodeAt))
      size = split
    } else {
      path.unshift(rangeRoot(start, split, of.nodeAt))
      start += split
      size -= split
      whole = false
    }
  }
  if (!whole) path.unshift(rangeRoot(start, size, of.nodeAt))
  return path
}

/** Checks a consistency proof; false for whatever does not fit. The empty tree is the beginning of each. @source RFC 9162 §2.1.4.2 */
export const verifyConsistency = (of: {
  readonly from: number
  readonly to: number
  readonly fromRoot: Uint8Array
  readonly toRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}): boolean => {
  const { from, to, fromRoot, toRoot } = of
  if (!isIndex(from) || !isIndex(to) || from > to || !of.proof.every(isHash)) return false
  if (from === to) return of.proof.length === 0 && isSame(fromRoot, toRoot)
  if (from === 0) return of.proof.length === 0 && isSame(fromRoot, EMPTY_ROOT)
  // Where `from` is itself a full subtree, its root is the first step and is not sent.
  const steps = isPowerOfTwo(from) ? [fromRoot, ...of.proof] : of.proof
  let [at, last] = [from - 1, to - 1]
  while (at % 2 === 1) {
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  const [first, ...rest] = steps
  if (first === undefined) return false
  const sides = sidesOf({ at, last, steps: rest.length })
  if (sides === null) return false
  let [old, now] = [first, first]
  for (const [index, step] of rest.entries()) {
    const isLeft = sides[index] === 'left'
    if (isLeft) old = nodeHash(step, old)
    now = isLeft ? nodeHash(step, now) : nodeHash(now, step)
  }
  return isSame(old, fromRoot) && isSame(now, toRoot)
}

const isIndex = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
const isHash = (value: Uint8Array): boolean => value.length === 32
const isPowerOfTwo = (value: number): boolean => peaksOf(value).length === 1
const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && Buffer.compare(a, b) === 0

/** A tree that grows, of which only the peaks are held: O(log n) hashes. */
export interface GrowingTree {
  readonly size: number
  /** Adds a leaf's hash; `onNode` hears each full subtree that it completes, the leaf itself excepted. */
  add(leaf: Uint8Array, onNode?: (level: number, position: number, hash: Uint8Array) => void): void
  root(): Uint8Array
}

/**
 * Creates a tree, or goes on from one.
 * @param of.peaks hashes of `peaksOf(size)`, largest subtree first
 */
export const createTree = (
  of: { readonly size: number; readonly peaks: readonly Uint8Array[] } = { size: 0, peaks: [] },
): GrowingTree => {
  const peaks = [...of.peaks]
  let size = of.size
  return {
    get size() {
      return size
    },
    add: (leaf, onNode) => {
      let [node, level, position] = [leaf, 0, size]
      while (position % 2 === 1) {
        node = nodeHash(peaks.pop() ?? EMPTY_ROOT, node)
        level += 1
        position = (position - 1) / 2
        onNode?.(level, position, node)
      }
      peaks.push(node)
      size += 1
    },
    root: () => fold(peaks),
  }
}

/**
 * Takes the peaks of the tree before a leaf out of the leaf's inclusion proof in the tree that ends with it (size = index + 1):
 * whoever begins at that leaf can grow the tree from there. What comes of wrong peaks is a wrong root.
 */
export const peaksFromInclusion = (proof: readonly Uint8Array[]): readonly Uint8Array[] => proof.toReversed()
