import { concatBytes } from '@arbor/shared/bytes'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import type { Hex } from '@arbor/shared/units'
import { type BuiltBlock, slotDurationMs } from './author.ts'
import { slotOf } from './header.ts'
import { keyBytes } from './key.ts'
import { makeBlock } from './make-block.ts'
import { remember } from './remember.ts'
import { buildFork } from './reorg.ts'
import type { Runtimes } from './runtime/runtimes.ts'
import type { SignatureChecks } from './runtime/verified.ts'
import { createOverlay } from './state/overlay.ts'
import { unknownBlock } from './store/blocks.ts'
import type { Store } from './store/store.ts'
import { trieDiff } from './trie/diff.ts'
import type { Trie } from './trie/node.ts'
import type { ChainEvent, ChainListener, EmbeddedChain, ExtrinsicSource, StoredBlock, Validity } from './types.ts'
import { BAD_SIGNATURE, decodeValidity } from './validity.ts'
import { createView } from './view.ts'

/** What a chain is made of; the store holds at least genesis. */
export interface ChainOptions {
  readonly store: Store
  readonly runtimes: Runtimes
  /** Verifies signatures in another thread. */
  readonly signatures: SignatureChecks
  readonly source: (chain: EmbeddedChain) => ExtrinsicSource
  readonly authority: Keypair
  readonly clock: Clock
  /** Executes each block a second time, as an importing node would. */
  readonly check: boolean
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

/** Blocks kept in memory, up to 5 MB each; others are read from the store in 0.1 ms. */
const BLOCKS_AT_HAND = 16
/** Extrinsics of any client. @source sp_runtime::transaction_validity::TransactionSource::External */
const EXTERNAL = 2
/** Creates a chain on what its store holds. */
export const createChain = (of: ChainOptions): CoreChain => {
  const { store, runtimes, signatures } = of
  const blocks = new Map<Hex, StoredBlock>()
  const listeners = new Set<ChainListener>()
  let best = mustHave(store.best())
  let bestTrie = store.state(best.hash)
  let finalized = mustHave(store.blockAt(store.finalizedNumber()))
  let isClosed = false
  const genesisHash = mustHave(store.blockAt(0)).hash

  const block = (hash: Hex): StoredBlock | null => {
    if (hash === best.hash) return best
    const found = blocks.get(hash) ?? store.block(hash)
    if (found !== null) remember(blocks, hash, found, BLOCKS_AT_HAND)
    return found
  }
  const stateAt = (hash: Hex): Trie => (hash === best.hash ? bestTrie : store.state(hash))
  const emit = (event: ChainEvent): void => {
    for (const listener of [...listeners]) {
      try {
        listener(event)
      } catch (error) {
        of.onListenerError(error)
      }
    }
  }
  const slots = (): { readonly last: number | null; readonly slotMs: number } => ({
    last: slotOf(best.header),
    slotMs: slotDurationMs(runtimes.of(bestTrie), bestTrie),
  })
  const mustBeOpen = (): void => {
    if (isClosed) throw new SubnetError({ code: 'CHAIN_CLOSED', message: 'The chain is closed; start it again' })
  }
  const imported = ({ block: made, trie, retired, keysAdded }: BuiltBlock) => ({
    block: made,
    trie,
    retired,
    keys: store.keys(made.header.parentHash) + keysAdded,
  })
  const importBest = (built: BuiltBlock): void => {
    const { block: made, changes, refused } = built
    const final = of.finality === 'instant'
    bestTrie = store.add(imported(built), { best: true, final })
    remember(blocks, best.hash, best, BLOCKS_AT_HAND)
    best = made
    source.onBlock(made, refused)
    emit({ kind: 'best', block: made, changedKeys: changes.map(([key]) => keyBytes(key)), retracted: [] })
    if (final) tellFinal(made)
  }
  const tellFinal = (upTo: StoredBlock): void => {
    while (finalized.header.number < upTo.header.number) {
      const number = finalized.header.number + 1
      finalized = number === upTo.header.number ? upTo : mustHave(store.blockAt(number))
      emit({ kind: 'finalized', block: finalized })
    }
  }
  const addFork = (built: BuiltBlock): void => {
    store.add(imported(built), { best: false, final: false })
    emit({ kind: 'fork', block: built.block })
  }
  const validate = (extrinsic: Uint8Array): Validity => {
    const args = concatBytes(Uint8Array.of(EXTERNAL), extrinsic, fromHex(best.hash))
    return decodeValidity(chain.call('TaggedTransactionQueue_validate_transaction', args, best.hash))
  }
  const chain: CoreChain = {
    genesisHash,
    best: () => best,
    finalized: () => finalized,
    block,
    hashAt: (number) => (number === best.header.number ? best.hash : store.hashAt(number)),
    numberOf: (hash) => (hash === best.hash ? best.header.number : store.numberOf(hash)),
    state: (at) => createView(stateAt(at)),
    call: (method, args, at) => {
      const trie = stateAt(at)
      return runtimes.of(trie).executor.call(method, args, createOverlay(trie))
    },
    validate,
    check: async (extrinsic) => {
      const { result, areRight } = signatures.postpone(() => validate(extrinsic))
      return !result.valid || (await areRight()) ? result : BAD_SIGNATURE
    },
    produce: async () => chain.make().block,
    make: () => {
      mustBeOpen()
      const built = makeBlock({ ...of, source, parent: best, parentTrie: bestTrie })
      importBest(built)
      return { block: built.block, settled: built.included + built.refused.size }
    },
    finalize: (number) => {
      if (number > best.header.number) throw unknownBlock(`number ${number}`)
      if (number <= finalized.header.number) return
      const last = mustHave(number === best.header.number ? best : store.blockAt(number))
      store.finalize(number)
      tellFinal(last)
    },
    reorg: (depth) => {
      mustBeOpen()
      const change = buildFork({ ...of, best, finalized, block, stateAt, addFork }, depth)
      const tip = mustHave(change.enacted.at(-1) ?? null)
      store.switchTo(tip.hash)
      const before = bestTrie
      bestTrie = store.state(tip.hash)
      best = tip
      source.onReorg?.(change)
      const changedKeys = trieDiff(before, bestTrie).map(keyBytes)
      emit({ kind: 'best', block: tip, changedKeys, retracted: change.retracted })
      return change
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
      await signatures.close()
    },
    slots,
    hasReady: () => !(source.ready()[Symbol.iterator]().next().done ?? true),
  }
  const source = of.source(chain)
  // A chain that was run with another finality left blocks open.
  if (of.finality === 'instant') chain.finalize(best.header.number)
  return chain
}

const mustHave = (block: StoredBlock | null): StoredBlock => {
  if (block !== null) return block
  throw new SubnetError({
    code: 'CHAIN_DATA_CORRUPT',
    message:
      "The chain's data lacks a block that it counts; restore the folder from a copy, or begin anew in another one",
  })
}
