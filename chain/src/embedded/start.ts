import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import { verifySignature } from '@arbor/shared/verify-signature'
import type { Logger } from 'pino'
import { type CoreChain, createChain } from './chain.ts'
import { buildGenesis, type Genesis } from './genesis.ts'
import { initHashes } from './hash.ts'
import { hashHeader } from './header.ts'
import { type Json, mergePatch } from './merge-patch.ts'
import { type ProductionMode, runLoop } from './production.ts'
import type { RuntimeLog } from './runtime/host/context.ts'
import { createRuntimes } from './runtime/runtimes.ts'
import { rememberVerified } from './runtime/verified.ts'
import { openDatabase } from './store/open.ts'
import { createStore, type Store } from './store/store.ts'
import type { Trie } from './trie/node.ts'
import { trieEntries } from './trie/read.ts'
import { trieRoot } from './trie/root.ts'
import type { EmbeddedChain, ExtrinsicSource } from './types.ts'

/** How a chain is started. */
export interface StartOptions {
  /** The runtime's blob, plain or compressed. */
  readonly wasm: Uint8Array
  /** Preset of the genesis; `development` by default. */
  readonly preset?: string
  /** Changes of the preset, as a JSON merge patch. */
  readonly patch?: Json
  /** Folder that the chain lives in; in memory without one. */
  readonly data?: string
  readonly mode: ProductionMode
  readonly clock: Clock
  readonly source: ExtrinsicSource | ((chain: EmbeddedChain) => ExtrinsicSource)
  /** Key of the author; //Alice by default, for development only. */
  readonly authority?: Keypair
  /** Ends the production of blocks; the chain still answers until `close`. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** Executes each block a second time, as an importing node would; true by default. */
  readonly check?: boolean
  /** `instant` makes each block final at once, the default. */
  readonly finality?: 'instant' | 'manual'
  /** Blocks whose state is kept behind the best one; 4 096 by default. */
  readonly retentionBlocks?: number | 'archive'
}

/** A chain and the loop that makes its blocks. */
export interface RunningChain extends EmbeddedChain {
  /** Resolves when production ends because the signal aborted or the chain was closed; rejects with the reason when it fails. */
  readonly done: Promise<void>
  /** Tells a chain of mode `instant` that its source may have something ready. */
  poke(): void
}

/** 4 096 blocks: 68 minutes at 1 s, 13.6 hours at 12 s. */
const RETENTION_BLOCKS = 4_096

/**
 * Starts a chain: opens its folder or makes its genesis, and begins to make blocks.
 * @throws CHAIN_BAD_RUNTIME, CHAIN_GENESIS, CHAIN_OTHER_GENESIS, CHAIN_FOLDER_IN_USE, CHAIN_DATA_CORRUPT
 */
export const startEmbeddedChain = async (of: StartOptions): Promise<RunningChain> => {
  const options = { onLog: runtimeLog(of.log), verifySr25519: rememberVerified(verifySignature) }
  await initHashes()
  const runtimes = createRuntimes(options)
  const { executor } = runtimes.ofCode(of.wasm)
  const genesis = buildGenesis({ executor, wasm: of.wasm, preset: of.preset ?? 'development', patch: genesisPatch(of) })
  const store = createStore(openDatabase(of.data ?? null))
  try {
    const trie = openState(store, genesis)
    const { source } = of
    const chain = createChain({
      store,
      trie,
      runtimes,
      source: typeof source === 'function' ? source : () => source,
      authority: of.authority ?? keypairFromUri('//Alice'),
      clock: of.clock,
      check: of.check ?? true,
      finality: of.finality ?? 'instant',
      retentionBlocks: of.retentionBlocks === 'archive' ? Infinity : (of.retentionBlocks ?? RETENTION_BLOCKS),
      onListenerError: (error) =>
        of.log.error({ event: 'chain.listener_failed', err: error }, 'a listener of the chain threw'),
    })
    return run(chain, of)
  } catch (error) {
    store.close()
    throw error
  }
}

const run = (chain: CoreChain, { mode, clock, signal }: StartOptions): RunningChain => {
  const stop = new AbortController()
  const { done, poke } = runLoop({ chain, mode, clock, signal: AbortSignal.any([signal, stop.signal]) })
  const close = async (): Promise<void> => {
    stop.abort()
    await done.catch(() => undefined) // its reason is told by `done`
    await chain.close()
  }
  return { ...chain, done, poke, close }
}

/** The time between blocks is a slot, and the length of slots is part of the genesis. */
const genesisPatch = ({ mode, patch = {} }: StartOptions): Json =>
  mode.kind === 'interval' ? mergePatch(patch, { blockTime: { slotDurationMs: mode.blockTimeMs } }) : patch

/** Reads the state of the best block, or begins the chain. */
const openState = (store: Store, genesis: Genesis): Trie => {
  const best = store.blockAt(store.bestNumber() ?? -1)
  const ours = hashHeader(genesis.header)
  if (best === null) {
    const block = { hash: ours, header: genesis.header, extrinsics: [] }
    const changes = [...trieEntries(genesis.trie)].map(([key, node]) => [key, node.value] as const)
    store.add({ block, before: undefined, after: genesis.trie, changes }, 0)
    return genesis.trie
  }
  if (store.hashAt(0) !== ours) throw otherGenesis(store.hashAt(0) ?? 'unknown', ours)
  const trie = store.loadState()
  if (toHex(trieRoot(trie)) === best.header.stateRoot) return trie
  throw new SubnetError({
    code: 'CHAIN_DATA_CORRUPT',
    message: `The stored state of block ${best.header.number} does not have the root that its header names; delete the folder or restore it`,
  })
}

const otherGenesis = (stored: string, ours: string): SubnetError =>
  new SubnetError({
    code: 'CHAIN_OTHER_GENESIS',
    message: `The folder holds the chain with genesis ${stored}, but runtime, preset and settings give ${ours}; use the settings it was made with, another folder, or delete it to begin anew`,
    details: { stored, ours },
  })

const LEVELS = { 1: 'error', 2: 'warn', 3: 'info', 4: 'debug', 5: 'trace' } as const

const runtimeLog =
  (log: Logger): RuntimeLog =>
  ({ level, target, message }) =>
    log[LEVELS[level]]({ event: 'runtime.log', target }, message)
