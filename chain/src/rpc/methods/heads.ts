import { toHex } from '@arbor/shared/hex'
import type { Block, Hex } from '@arbor/shared/units'
import type { EmbeddedChain, StoredBlock } from '../../embedded/types.ts'
import { invalidParams } from '../error.ts'
import type { MethodDeps, SubscriptionMethod } from '../method.ts'
import { bytesParam, listParam } from '../params.ts'
import type { ChainReads } from '../reads.ts'
import { headerView, versionView } from '../views.ts'

/** Most keys of one storage subscription. */
const MAX_KEYS = 4096
/** Most finalised headers told at once, when finality jumps. */
const MAX_CATCH_UP = 512
/** `:code` */
const CODE_KEY: Hex = '0x3a636f6465'

/** Makes the subscriptions that follow blocks, storage and the runtime. */
export const chainSubscriptions = ({
  chain,
  reads,
}: Pick<MethodDeps, 'chain' | 'reads'>): Record<string, SubscriptionMethod> => {
  const newHead: SubscriptionMethod = {
    notification: 'chain_newHead',
    unsubscribe: 'chain_unsubscribeNewHeads',
    start: (_, send) => {
      send(headerView(chain.best().header))
      return chain.onEvent(({ kind, block }) => {
        if (kind === 'best') send(headerView(block.header))
      })
    },
  }
  const allHeads: SubscriptionMethod = {
    notification: 'chain_allHead',
    unsubscribe: 'chain_unsubscribeAllHeads',
    start: (_, send) => {
      send(headerView(chain.best().header))
      return chain.onEvent((event) => {
        // A branch that becomes the best one has told its blocks when they were made.
        const isNew = event.kind === 'fork' || (event.kind === 'best' && event.retracted.length === 0)
        if (isNew) send(headerView(event.block.header))
      })
    },
  }
  const finalizedHeads: SubscriptionMethod = {
    notification: 'chain_finalizedHead',
    unsubscribe: 'chain_unsubscribeFinalizedHeads',
    start: (_, send) => followFinalized(chain, (block) => send(headerView(block.header))),
  }
  return {
    chain_subscribeNewHeads: newHead,
    chain_subscribeNewHead: { ...newHead, unsubscribe: 'chain_unsubscribeNewHead' },
    chain_subscribeAllHeads: allHeads,
    chain_subscribeFinalizedHeads: finalizedHeads,
    chain_subscribeFinalisedHeads: { ...finalizedHeads, unsubscribe: 'chain_unsubscribeFinalisedHeads' },
    state_subscribeStorage: storage(chain),
    state_subscribeRuntimeVersion: runtimeVersion(chain, reads),
  }
}

/** Tells every finalised block in order, also those that the chain finalises together. */
const followFinalized = (chain: EmbeddedChain, tell: (block: StoredBlock) => void): (() => void) => {
  let last = chain.finalized().header.number
  tell(chain.finalized())
  return chain.onEvent(({ kind, block }) => {
    if (kind !== 'finalized') return
    const { number } = block.header
    for (let next = Math.max(last + 1, number - MAX_CATCH_UP); next < number; next += 1) {
      const hash = chain.hashAt(next as Block)
      const between = hash === null ? null : chain.block(hash)
      if (between !== null) tell(between)
    }
    if (number > last) tell(block)
    last = Math.max(last, number) as Block
  })
}

/** Keys as text, written once for all who listen. */
const written = new WeakMap<readonly Uint8Array[], readonly Hex[]>()
const hexOf = (keys: readonly Uint8Array[]): readonly Hex[] => {
  const known = written.get(keys) ?? keys.map(toHex)
  written.set(keys, known)
  return known
}

const storage = (chain: EmbeddedChain): SubscriptionMethod => ({
  notification: 'state_storage',
  unsubscribe: 'state_unsubscribeStorage',
  start: ([wanted], send) => {
    const all = wanted === undefined || wanted === null
    const keys = new Set<Hex>(all ? [] : listParam(wanted, 'keys').map((key) => toHex(bytesParam(key, 'key'))))
    if (keys.size > MAX_KEYS) throw invalidParams(`at most ${MAX_KEYS} keys in one subscription`)
    const tell = (block: StoredBlock, changed: readonly Hex[]): void => {
      if (changed.length === 0) return
      const state = chain.state(block.hash)
      const read = (key: Hex): string | null => {
        const value = state.get(Buffer.from(key.slice(2), 'hex'))
        return value === undefined ? null : toHex(value)
      }
      send({ block: block.hash, changes: changed.map((key) => [key, read(key)]) })
    }
    tell(chain.best(), [...keys])
    return chain.onEvent((event) => {
      if (event.kind !== 'best') return
      const changed = hexOf(event.changedKeys)
      tell(event.block, all ? changed : changed.filter((key) => keys.has(key)))
    })
  },
})

const runtimeVersion = (chain: EmbeddedChain, reads: ChainReads): SubscriptionMethod => ({
  notification: 'state_runtimeVersion',
  unsubscribe: 'state_unsubscribeRuntimeVersion',
  start: (_, send) => {
    const read = (): ReturnType<typeof versionView> => versionView(reads.call('Core_version', new Uint8Array(), null))
    let last = read()
    send(last)
    return chain.onEvent((event) => {
      if (event.kind !== 'best' || !hexOf(event.changedKeys).includes(CODE_KEY)) return
      const now = read()
      if (now.specVersion !== last.specVersion || now.specName !== last.specName) send(now)
      last = now
    })
  },
})
