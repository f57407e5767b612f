import { SubnetError } from '@arbor/shared/errors'
import { blake2b256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import type { Block, Hex } from '@arbor/shared/units'
import type { Validity } from '../embedded/types.ts'
import { createBans } from './bans.ts'
import { createGraph, type GraphChange } from './graph.ts'
import type { PoolDeps, PoolEntry, PoolListener, Submitted, TransactionPool } from './types.ts'
import { mayPassLater } from './validity.ts'
import { createWatchers } from './watchers.ts'

/** Creates an empty pool. All of it runs synchronously; it starts nothing by itself. */
export const createPool = ({ validate, bestNumber, clock, limits }: PoolDeps): TransactionPool => {
  const graph = createGraph()
  const watchers = createWatchers()
  const bans = createBans({ clock, banMs: limits.banMs, capacity: limits.bans })
  const readyListeners = new Set<() => void>()
  let arrivals = 0

  const announce = (change: GraphChange): void => {
    for (const { hash } of change.future) watchers.tell(hash, { kind: 'future' })
    for (const { hash } of change.ready) watchers.tell(hash, { kind: 'ready' })
    if (change.ready.length > 0) for (const listener of [...readyListeners]) listener()
  }

  const discard = (hash: Hex, kind: 'invalid' | 'dropped'): void => {
    const change = graph.remove(hash, false)
    watchers.tell(hash, { kind })
    announce(change)
  }

  const refuse = (hash: Hex): void => {
    bans.add(hash)
    discard(hash, 'invalid')
  }

  const ask = (bytes: Uint8Array): Validity | { readonly trap: string } => {
    try {
      return validate(bytes)
    } catch (error) {
      if (error instanceof SubnetError && error.code === 'CHAIN_RUNTIME_TRAP') return { trap: error.message }
      throw error
    }
  }

  const submit = (bytes: Uint8Array, listener?: PoolListener): Submitted => {
    const hash = toHex(blake2b256(bytes))
    if (bans.has(hash)) return { ok: false, refusal: { reason: 'banned' } }
    if (graph.get(hash)) return { ok: false, refusal: { reason: 'imported', hash } }
    const validity = ask(bytes)
    if ('trap' in validity) {
      bans.add(hash)
      return { ok: false, refusal: { reason: 'malformed', why: validity.trap } }
    }
    if (!validity.valid) {
      if (validity.kind === 'invalid') bans.add(hash)
      return { ok: false, refusal: { reason: validity.kind, validity } }
    }
    if (validity.provides.length === 0) return { ok: false, refusal: { reason: 'no-tags' } }
    arrivals += 1
    return enter(toEntry({ hash, bytes, validity, order: arrivals, best: bestNumber() }), listener)
  }

  const enter = (entry: PoolEntry, listener: PoolListener | undefined): Submitted => {
    const replaces = entry.provides.some((tag) => graph.provider(tag) !== undefined)
    if (!replaces && graph.ofSender(entry.sender) >= limits.perSender) return { ok: false, refusal: { reason: 'full' } }
    const inserted = graph.insert(entry)
    if (!inserted.ok) {
      return { ok: false, refusal: { reason: 'priority', held: inserted.held, offered: entry.priority } }
    }
    const victims = overflow()
    const fits = !victims.includes(entry)
    if (fits && listener) watchers.add(entry.hash, listener)
    for (const { hash } of inserted.usurped) watchers.tell(hash, { kind: 'usurped', by: entry.hash })
    announce(fits ? inserted : { ready: [], future: inserted.future.filter((other) => other !== entry) })
    for (const { hash } of victims) discard(hash, 'dropped')
    if (!fits) return { ok: false, refusal: { reason: 'full' } }
    return { ok: true, hash: entry.hash }
  }

  /** Chooses what must go for the bounds to hold: those that wait first, then the least and newest. */
  const overflow = (): PoolEntry[] => {
    const total = graph.readyCount + graph.futureCount
    let futures = graph.futureCount
    if (total <= limits.count && graph.bytes <= limits.bytes && futures <= limits.future) return []
    const ranked = [...graph.entries()].sort(
      (a, b) => Number(graph.isReady(a.hash)) - Number(graph.isReady(b.hash)) || byLeast(a, b),
    )
    const victims: PoolEntry[] = []
    let bytes = graph.bytes
    for (const entry of ranked) {
      if (total - victims.length <= limits.count && bytes <= limits.bytes && futures <= limits.future) break
      victims.push(entry)
      bytes -= entry.bytes.length
      if (!graph.isReady(entry.hash)) futures -= 1
    }
    return victims
  }

  /** Asks the runtime again. An extrinsic keeps its place in the order of arrival. */
  const revalidate = (entry: PoolEntry, best: Block): void => {
    const validity = ask(entry.bytes)
    if ('trap' in validity || !validity.valid) {
      if ('trap' in validity || validity.kind === 'invalid') refuse(entry.hash)
      return
    }
    const wasReady = graph.isReady(entry.hash)
    const { hash, bytes, order } = entry
    const left = graph.remove(hash, false)
    const back = graph.insert(toEntry({ hash, bytes, validity, order, best }))
    if (!back.ok) return void watchers.tell(hash, { kind: 'dropped' })
    announce(netChange({ left, back, hash, wasReady }))
  }

  const onBlock: TransactionPool['onBlock'] = (block, refused) => {
    const { number } = block.header
    block.extrinsics.forEach((bytes, index) => {
      const hash = toHex(blake2b256(bytes))
      const change = graph.remove(hash, true)
      watchers.included(hash, block, index)
      announce(change)
    })
    for (const [hash, validity] of refused) if (graph.get(hash) && !mayPassLater(validity)) refuse(hash)
    const held = [...graph.entries()]
    for (const { hash, validTill } of held) if (validTill <= BigInt(number)) discard(hash, 'invalid')
    const rank = (entry: PoolEntry): number => (refused.has(entry.hash) ? -1 : entry.checkedAt)
    const stalest = held
      .filter(({ hash, checkedAt }) => graph.get(hash) && checkedAt < number)
      .sort((a, b) => rank(a) - rank(b) || a.order - b.order)
      .slice(0, limits.revalidate)
    for (const entry of stalest) if (graph.get(entry.hash)) revalidate(entry, number)
    watchers.expire(number - limits.finalityBlocks)
  }

  return {
    submit,
    onBlock,
    onFinalized: (block) => watchers.finalized(block.header.number),
    unwatch: watchers.remove,
    ready: function* () {
      for (const { hash, bytes } of graph.ordered()) if (graph.isReady(hash)) yield { hash, bytes }
    },
    pending: () => [...graph.ordered()].map(({ bytes }) => bytes),
    remove: (hashes) => {
      const held = hashes.filter((hash) => graph.get(hash))
      for (const hash of held) discard(hash, 'dropped')
      return held
    },
    nextNonce: (account, from) => {
      let nonce = from
      for (;;) {
        const holder = graph.provider(nonceTag(account, nonce))
        if (holder === undefined || !graph.isReady(holder.hash)) return nonce
        nonce += 1
      }
    },
    onReady: (listener) => {
      readyListeners.add(listener)
      return () => void readyListeners.delete(listener)
    },
    status: () => ({ ready: graph.readyCount, future: graph.futureCount, bytes: graph.bytes }),
  }
}

const toEntry = (of: {
  readonly hash: Hex
  readonly bytes: Uint8Array
  readonly validity: Extract<Validity, { valid: true }>
  readonly order: number
  readonly best: Block
}): PoolEntry => ({
  hash: of.hash,
  bytes: of.bytes,
  priority: of.validity.priority,
  requires: of.validity.requires,
  provides: of.validity.provides,
  validTill: BigInt(of.best) + of.validity.longevity,
  order: of.order,
  sender: senderOf(of.validity.provides) ?? of.hash,
  checkedAt: of.best,
})

/** Characters of a tag that frame_system's CheckNonce makes: 0x, AccountId32, u32 nonce. */
const NONCE_TAG_LENGTH = 2 + 64 + 8

const senderOf = (provides: readonly Hex[]): string | undefined =>
  provides.find((tag) => tag.length === NONCE_TAG_LENGTH)?.slice(2, 66)

/** Writes the tag that an extrinsic of this account and nonce provides. @source frame-system check_nonce.rs */
const nonceTag = (account: Uint8Array, nonce: number): Hex => {
  const tag = new Uint8Array(36)
  tag.set(account)
  new DataView(tag.buffer).setUint32(32, nonce, true)
  return toHex(tag)
}

/** The least worth first; of the same worth the newest, which has the most before it. */
const byLeast = (a: PoolEntry, b: PoolEntry): number =>
  a.priority < b.priority ? -1 : a.priority > b.priority ? 1 : b.order - a.order

/** Leaves out what ends as it began: the extrinsic itself, and those that went away and came back with it. */
const netChange = (of: {
  readonly left: GraphChange
  readonly back: GraphChange
  readonly hash: Hex
  readonly wasReady: boolean
}): GraphChange => {
  const wereReady = new Set(of.left.future.map(({ hash }) => hash))
  if (of.wasReady) wereReady.add(of.hash)
  const areReady = new Set(of.back.ready.map(({ hash }) => hash))
  const known = (hash: Hex): boolean => hash !== of.hash || of.wasReady
  return {
    ready: of.back.ready.filter(({ hash }) => !wereReady.has(hash)),
    future: [...of.left.future, ...of.back.future].filter(({ hash }) => !areReady.has(hash) && known(hash)),
  }
}
