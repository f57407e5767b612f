import type { Hex } from '@arbor/shared/units'
import type { PoolEntry } from './types.ts'

/** What an operation changed. */
export interface GraphChange {
  readonly ready: readonly PoolEntry[]
  readonly future: readonly PoolEntry[]
}

export type Inserted =
  | ({ readonly ok: true; readonly usurped: readonly PoolEntry[] } & GraphChange)
  | { readonly ok: false; readonly held: bigint }

/** Extrinsics linked by tags: ready when a ready one, or the state, provides each tag that they require. */
export interface PoolGraph {
  readonly bytes: number
  readonly readyCount: number
  readonly futureCount: number
  get(hash: Hex): PoolEntry | undefined
  /** Who provides a tag, ready or not. */
  provider(tag: Hex): PoolEntry | undefined
  isReady(hash: Hex): boolean
  entries(): Iterable<PoolEntry>
  ofSender(sender: string): number
  /** Puts an extrinsic in; one that provides the same tag is replaced if it is worth less. */
  insert(entry: PoolEntry): Inserted
  /** Takes an extrinsic out. `done` when it is in a block, so that its tags are in the state from now on. */
  remove(hash: Hex, done: boolean): GraphChange
  /** An extrinsic and the ready ones that need it, directly or through others. */
  subtree(hash: Hex): readonly PoolEntry[]
  /** Ready extrinsics, best first, each after those that it requires. */
  ordered(): Generator<PoolEntry>
}

interface Node {
  readonly entry: PoolEntry
  /** Required tags that the state does not provide yet. */
  readonly missing: Set<Hex>
  ready: boolean
}

/** Creates an empty graph. */
export const createGraph = (): PoolGraph => {
  const nodes = new Map<Hex, Node>()
  const providers = new Map<Hex, Node>()
  const requirers = new Map<Hex, Set<Node>>()
  const senders = new Map<string, number>()
  let bytes = 0
  let readyCount = 0

  const setReady = (node: Node, ready: boolean): void => {
    if (node.ready !== ready) readyCount += ready ? 1 : -1
    node.ready = ready
  }

  /** Follows the tags of nodes whose state may have changed. */
  const settle = (start: Iterable<Node>): GraphChange => {
    const change = { ready: [] as PoolEntry[], future: [] as PoolEntry[] }
    const queue = [...start]
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      const ready = [...node.missing].every((tag) => providers.get(tag)?.ready === true)
      if (ready === node.ready) continue
      setReady(node, ready)
      change[ready ? 'ready' : 'future'].push(node.entry)
      for (const tag of node.entry.provides) queue.push(...(requirers.get(tag) ?? []))
    }
    return change
  }

  const link = (node: Node): void => {
    const { entry } = node
    nodes.set(entry.hash, node)
    for (const tag of entry.provides) providers.set(tag, node)
    for (const tag of entry.requires) getOrAdd(requirers, tag, () => new Set()).add(node)
    senders.set(entry.sender, (senders.get(entry.sender) ?? 0) + 1)
    bytes += entry.bytes.length
  }

  const unlink = (node: Node): void => {
    const { entry } = node
    nodes.delete(entry.hash)
    for (const tag of entry.provides) if (providers.get(tag) === node) providers.delete(tag)
    for (const tag of entry.requires) {
      const all = requirers.get(tag)
      all?.delete(node)
      if (all?.size === 0) requirers.delete(tag)
    }
    const left = (senders.get(entry.sender) ?? 1) - 1
    if (left === 0) senders.delete(entry.sender)
    else senders.set(entry.sender, left)
    bytes -= entry.bytes.length
    setReady(node, false)
  }

  const dependents = (entry: PoolEntry): Node[] => entry.provides.flatMap((tag) => [...(requirers.get(tag) ?? [])])

  const insert = (entry: PoolEntry): Inserted => {
    const rivals = new Set(entry.provides.flatMap((tag) => providers.get(tag) ?? []))
    const held = [...rivals].reduce((sum, { entry: { priority } }) => sum + priority, 0n)
    if (rivals.size > 0 && held >= entry.priority) return { ok: false, held }
    for (const rival of rivals) unlink(rival)
    const node: Node = { entry, missing: new Set(entry.requires), ready: false }
    link(node)
    // Links first, then states: what the rival provided and the new one provides too never leaves `ready`.
    const own = settle([node])
    const others = settle([...rivals].flatMap((rival) => dependents(rival.entry)))
    const future = node.ready ? others.future : [entry, ...others.future]
    return {
      ok: true,
      usurped: [...rivals].map((rival) => rival.entry),
      ready: [...own.ready, ...others.ready],
      future,
    }
  }

  const subtree = (hash: Hex): readonly PoolEntry[] => {
    const root = nodes.get(hash)
    const found = new Set(root === undefined ? [] : [root])
    for (const node of found) {
      for (const other of dependents(node.entry)) if (other.ready && needs(other, node.entry)) found.add(other)
    }
    return [...found].map(({ entry }) => entry)
  }

  const remove = (hash: Hex, done: boolean): GraphChange => {
    const node = nodes.get(hash)
    if (node === undefined) return { ready: [], future: [] }
    const affected = dependents(node.entry)
    unlink(node)
    if (done) for (const other of affected) for (const tag of node.entry.provides) other.missing.delete(tag)
    return settle(affected)
  }

  return {
    get bytes() {
      return bytes
    },
    get readyCount() {
      return readyCount
    },
    get futureCount() {
      return nodes.size - readyCount
    },
    get: (hash) => nodes.get(hash)?.entry,
    provider: (tag) => providers.get(tag)?.entry,
    isReady: (hash) => nodes.get(hash)?.ready === true,
    entries: () => [...nodes.values()].map(({ entry }) => entry),
    ofSender: (sender) => senders.get(sender) ?? 0,
    insert,
    remove,
    subtree,
    ordered: () => inOrder([...nodes.values()].filter(({ ready }) => ready)),
  }
}

const needs = ({ missing }: Node, { provides }: PoolEntry): boolean => provides.some((tag) => missing.has(tag))

/** Walks a snapshot, so that the graph may change while a block is built. */
function* inOrder(ready: readonly Node[]): Generator<PoolEntry> {
  const waitsFor = new Map(ready.map((node) => [node, node.missing.size]))
  const waiters = new Map<Hex, Node[]>()
  for (const node of ready) for (const tag of node.missing) getOrAdd(waiters, tag, () => []).push(node)
  const open = ready.filter((node) => node.missing.size === 0).sort(byWorth)
  for (let node = open.shift(); node !== undefined; node = open.shift()) {
    yield node.entry
    for (const tag of node.entry.provides) {
      for (const waiter of waiters.get(tag) ?? []) {
        const left = (waitsFor.get(waiter) ?? 1) - 1
        waitsFor.set(waiter, left)
        if (left === 0) open.splice(position(open, waiter), 0, waiter)
      }
    }
  }
}

/** Best first: priority, then the one that expires sooner, then the older one. @source sc-transaction-pool ready.rs TransactionRef */
const byWorth = ({ entry: a }: Node, { entry: b }: Node): number =>
  compare(b.priority, a.priority) || compare(a.validTill, b.validTill) || a.order - b.order

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

const position = (open: readonly Node[], node: Node): number => {
  let low = 0
  let high = open.length
  while (low < high) {
    const middle = (low + high) >> 1
    const other = open[middle]
    if (other !== undefined && byWorth(other, node) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

const getOrAdd = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const held = map.get(key)
  if (held !== undefined) return held
  const made = make()
  map.set(key, made)
  return made
}
