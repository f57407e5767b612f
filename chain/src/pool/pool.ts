import { SubnetError } from '@arbor/shared/errors'
import { blake2b256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { createContents, trapOf, type Verdict } from './contents.ts'
import { nonceTag, toEntry } from './entry.ts'
import { createMaintenance } from './maintain.ts'
import { overflow } from './overflow.ts'
import type { PoolDeps, PoolEntry, PoolListener, PoolRefusal, Submitted, TransactionPool } from './types.ts'

/** Creates an empty pool. It starts nothing by itself, and changes only in turns of its own, never while it waits. */
export const createPool = (deps: PoolDeps): TransactionPool => {
  const { check, best, limits } = deps
  const contents = createContents(deps)
  const { graph, watchers, bans } = contents
  let arrivals = 0
  const nextOrder = (): number => {
    arrivals += 1
    return arrivals
  }

  const known = (hash: Hex): PoolRefusal | null => {
    if (bans.has(hash)) return { reason: 'banned' }
    return graph.get(hash) ? { reason: 'imported', hash } : null
  }

  /** Asks the runtime; again, at no cost of signatures, when the best block has changed in the meantime. */
  const judge = async (bytes: Uint8Array): Promise<Verdict | 'full'> => {
    const at = best().hash
    try {
      const validity = await check(bytes)
      return best().hash === at ? validity : contents.ask(bytes)
    } catch (error) {
      if (error instanceof SubnetError && error.code === 'CHAIN_CHECKS_FULL') return 'full'
      return trapOf(error)
    }
  }

  const submit: TransactionPool['submit'] = async (bytes, listener) => {
    const hash = toHex(blake2b256(bytes))
    const refusal = known(hash)
    if (refusal !== null) return { ok: false, refusal }
    const order = nextOrder()
    const validity = await judge(bytes)
    if (validity === 'full') return { ok: false, refusal: { reason: 'full' } }
    const since = known(hash)
    if (since !== null) return { ok: false, refusal: since }
    if ('trap' in validity) {
      bans.add(hash)
      return { ok: false, refusal: { reason: 'malformed', why: validity.trap } }
    }
    if (!validity.valid) {
      if (validity.kind === 'invalid') bans.add(hash)
      return { ok: false, refusal: { reason: validity.kind, validity } }
    }
    if (validity.provides.length === 0) return { ok: false, refusal: { reason: 'no-tags' } }
    return enter(toEntry({ hash, bytes, validity, order, best: best().number }), listener)
  }

  const enter = (entry: PoolEntry, listener: PoolListener | undefined): Submitted => {
    const replaces = entry.provides.some((tag) => graph.provider(tag) !== undefined)
    if (!replaces && graph.ofSender(entry.sender) >= limits.perSender) return { ok: false, refusal: { reason: 'full' } }
    const inserted = graph.insert(entry)
    if (!inserted.ok) {
      return { ok: false, refusal: { reason: 'priority', held: inserted.held, offered: entry.priority } }
    }
    const victims = overflow(graph, limits).map(({ hash }) => hash)
    const fits = !victims.includes(entry.hash)
    if (fits && listener) watchers.add(entry.hash, listener)
    for (const { hash } of inserted.usurped) watchers.tell(hash, { kind: 'usurped', by: entry.hash })
    contents.announce(fits ? inserted : { ready: [], future: inserted.future.filter((other) => other !== entry) })
    for (const hash of victims) bans.add(hash)
    contents.discard(victims, 'dropped')
    return fits ? { ok: true, hash: entry.hash } : { ok: false, refusal: { reason: 'full' } }
  }

  return {
    submit,
    ...createMaintenance({ contents, limits, best, nextOrder }),
    onFinalized: (block) => watchers.finalized(block.header.number),
    unwatch: watchers.remove,
    ready: function* () {
      for (const { hash, bytes } of graph.ordered()) if (graph.isReady(hash)) yield { hash, bytes }
    },
    pending: () => [...graph.ordered()].map(({ bytes }) => bytes),
    remove: (hashes) => contents.refuse(hashes),
    nextNonce: (account, from) => {
      let nonce = from
      for (;;) {
        const holder = graph.provider(nonceTag(account, nonce))
        if (holder === undefined || !graph.isReady(holder.hash)) return nonce
        nonce += 1
      }
    },
    onReady: contents.onReady,
    status: () => ({ ready: graph.readyCount, future: graph.futureCount, bytes: graph.bytes }),
  }
}
