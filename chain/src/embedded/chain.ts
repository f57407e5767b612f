import { concatBytes } from '@arbor/shared/bytes'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import type { Hex } from '@arbor/shared/units'
import { type BuiltBlock, slotDurationMs } from './author.ts'
import { slotOf } from './header.ts'
import { createHistory, remember } from './history.ts'
import { keyBytes } from './key.ts'
import { makeBlock } from './make-block.ts'
import type { Runtimes } from './runtime/runtimes.ts'
import { createOverlay } from './state/overlay.ts'
import type { Store } from './store/store.ts'
import type { Trie } from './trie/node.ts'
import type { ChainListener, EmbeddedChain, ExtrinsicSource, StoredBlock } from './types.ts'
import { decodeValidity } from './validity.ts'
import { createView } from './view.ts'

/** What a chain is made of; the store holds at least genesis. */
export interface ChainOptions {
  readonly store: Store
  readonly runtimes: Runtimes
  /** State of the best block. */
  readonly trie: Trie
  readonly source: (chain: EmbeddedChain) => ExtrinsicSource
  readonly authority: Keypair
  readonly clock: Clock
  /** Executes each block a second time, as an importing node would. */
  readonly check: boolean
  /** Blocks whose state is kept behind the best one. */
  readonly retentionBlocks: number
  readonly finality: 'instant' | 'manual'
  /** Hears of listeners that threw. */
  readonly onListenerError: (error: unknown) => void
}

/** A chain without a loop: blocks are made by `produce`. */
export interface CoreChain extends EmbeddedChain {
  /** Slot of the best block, and the length of slots. */
  slots(): { readonly last: number | null; readonly slotMs: number }
  /** Makes a block at once. `settled` is the number of the source's extrinsics that it includes or that were refused. */
  make(): { readonly block: StoredBlock; readonly settled: number }
  /** Tells whether the source has something to include. */
  hasReady(): boolean
}

/** Blocks kept in memory; older ones are read from the store. */
const BLOCKS_AT_HAND = 256
/** Extrinsics of any client. @source sp_runtime::transaction_validity::TransactionSource::External */
const EXTERNAL = 2
/** Creates a chain on what its store holds. */
export const createChain = (of: ChainOptions): CoreChain => {
  const { store, runtimes } = of
  const blocks = new Map<Hex, StoredBlock>()
  const listeners = new Set<ChainListener>()
  let best = mustHave(store.blockAt(store.bestNumber() ?? 0))
  let finalized = mustHave(store.blockAt(store.finalizedNumber()))
  let isClosed = false
  const history = createHistory(store, best, of.trie)
  const genesisHash = mustHave(store.blockAt(0)).hash

  const block = (hash: Hex): StoredBlock | null => {
    if (hash === best.hash) return best
    const found = blocks.get(hash) ?? store.block(hash)
    if (found !== null) remember(blocks, hash, found, BLOCKS_AT_HAND)
    return found
  }
  const stateAt = (hash: Hex): Trie => history.at(block(hash) ?? unknownBlock(hash))
  const emit = (kind: 'best' | 'finalized', of_: StoredBlock, changedKeys: readonly Uint8Array[]): void => {
    for (const listener of [...listeners]) {
      try {
        listener({ kind, block: of_, changedKeys })
      } catch (error) {
        of.onListenerError(error)
      }
    }
  }
  const slots = (): { readonly last: number | null; readonly slotMs: number } => ({
    last: slotOf(best.header),
    slotMs: slotDurationMs(runtimes.of(history.best()), history.best()),
  })
  const importBlock = (built: BuiltBlock): void => {
    const { block: made, trie, changes, refused } = built
    const firstState = Math.max(0, made.header.number - of.retentionBlocks)
    store.add({ block: made, before: history.best(), after: trie, changes }, firstState)
    remember(blocks, best.hash, best, BLOCKS_AT_HAND)
    best = made
    history.push(made, trie)
    source.onBlock(made, refused)
    emit(
      'best',
      made,
      changes.map(([key]) => keyBytes(key)),
    )
    if (of.finality === 'instant') chain.finalize(made.header.number)
  }
  const chain: CoreChain = {
    genesisHash,
    best: () => best,
    finalized: () => finalized,
    block,
    hashAt: (number) => (number === best.header.number ? best.hash : store.hashAt(number)),
    state: (at) => createView(stateAt(at)),
    call: (method, args, at) => {
      const trie = stateAt(at)
      return runtimes.of(trie).executor.call(method, args, createOverlay(trie))
    },
    validate: (extrinsic) => {
      const args = concatBytes(Uint8Array.of(EXTERNAL), extrinsic, fromHex(best.hash))
      return decodeValidity(chain.call('TaggedTransactionQueue_validate_transaction', args, best.hash))
    },
    produce: async () => chain.make().block,
    make: () => {
      if (isClosed) throw new SubnetError({ code: 'CHAIN_CLOSED', message: 'The chain is closed; start it again' })
      const built = makeBlock({ ...of, source, parent: best, parentTrie: history.best() })
      importBlock(built)
      return { block: built.block, settled: built.included + built.refused.size }
    },
    finalize: (number) => {
      if (number > best.header.number) unknownBlock(`number ${number}`)
      while (finalized.header.number < number) {
        const next = mustHave(store.blockAt(finalized.header.number + 1))
        store.setFinalized(next.header.number)
        finalized = next
        emit('finalized', next, store.changedKeys(next.header.number).map(keyBytes))
      }
    },
    onEvent: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: async () => {
      if (isClosed) return
      isClosed = true
      listeners.clear()
      store.close()
    },
    slots,
    hasReady: () => !(source.ready()[Symbol.iterator]().next().done ?? true),
  }
  const source = of.source(chain)
  // A process that was killed between making a block and making it final left the last one open.
  if (of.finality === 'instant') chain.finalize(best.header.number)
  return chain
}

const unknownBlock = (which: string): never => {
  throw new SubnetError({
    code: 'CHAIN_UNKNOWN_BLOCK',
    message: `This chain has no block ${which}; check it against the genesis hash`,
  })
}

const mustHave = (block: StoredBlock | null): StoredBlock => {
  if (block !== null) return block
  throw new SubnetError({
    code: 'CHAIN_DATA_CORRUPT',
    message: "The chain's data lacks a block that it counts; delete the folder or restore it",
  })
}
