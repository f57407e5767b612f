import type { Clock } from '@arbor/shared/clock'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Logger } from 'pino'
import { type CoreChain, createChain } from './chain.ts'
import { initHashes } from './hash.ts'
import { CODE_KEY } from './key.ts'
import type { Json } from './merge-patch.ts'
import { genesisPatch, openChain } from './open-chain.ts'
import { type ProductionMode, runLoop } from './production.ts'
import type { RuntimeLog } from './runtime/host/context.ts'
import { createRuntimes } from './runtime/runtimes.ts'
import { createSignatureChecks } from './runtime/verified.ts'
import { createVerifyThread } from './runtime/verify-thread.ts'
import type { Store } from './store/store.ts'
import { trieGet } from './trie/read.ts'
import type { EmbeddedChain, ExtrinsicSource } from './types.ts'

/** How a chain is started. */
export interface StartOptions {
  /** The runtime's blob, plain or compressed; a chain that is there already goes on with its own. */
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
  /** Newest blocks that are kept with their state, those that are not final besides; 256 by default. */
  readonly keep?: number | 'archive'
  /** Starts the thread that verifies signatures at once, not with the first one. */
  readonly warm?: boolean
  /** Bytes that nodes of the state may take in memory; 64 MiB by default. */
  readonly cacheBytes?: number
}

/** A chain and the loop that makes its blocks. */
export interface RunningChain extends EmbeddedChain {
  /** Resolves when production ends because the signal aborted or the chain was closed; rejects with the reason when it fails. */
  readonly done: Promise<void>
  /** Tells a chain of mode `instant` that its source may have something ready. */
  poke(): void
}

/** What a Substrate node keeps: 4 minutes at 1 s, 51 minutes at 12 s. */
export const KEEP_BLOCKS = 256

/**
 * Starts a chain: opens its folder or makes its genesis, and begins to make blocks.
 * @throws CHAIN_BAD_RUNTIME, CHAIN_GENESIS, CHAIN_OTHER_GENESIS, CHAIN_FOLDER_IN_USE, CHAIN_DATA_CORRUPT
 */
export const startEmbeddedChain = async (of: StartOptions): Promise<RunningChain> => {
  const thread = createVerifyThread({ log: of.log })
  const signatures = createSignatureChecks({ thread })
  await initHashes()
  const runtimes = createRuntimes({ onLog: runtimeLog(of.log), verify: signatures.verify })
  const store = openChain(
    {
      wasm: of.wasm,
      preset: of.preset ?? 'development',
      patch: genesisPatch(of.mode, of.patch ?? {}),
      data: of.data ?? null,
      keep: of.keep === 'archive' ? Infinity : (of.keep ?? KEEP_BLOCKS),
      ...(of.cacheBytes === undefined ? {} : { cacheBytes: of.cacheBytes }),
      onDamage: (err) =>
        of.log.warn(
          { event: 'chain.head_damaged', err },
          'the best block is damaged: the chain goes on from one before it',
        ),
    },
    runtimes,
  )
  try {
    if (Buffer.compare(codeOf(store), of.wasm) !== 0) {
      of.log.info({ event: 'chain.own_runtime' }, 'the chain goes on with its own runtime, not with the one given')
    }
    const { source } = of
    const chain = createChain({
      store,
      runtimes,
      signatures,
      source: typeof source === 'function' ? source : () => source,
      authority: of.authority ?? keypairFromUri('//Alice'),
      clock: of.clock,
      check: of.check ?? true,
      finality: of.finality ?? 'instant',
      onListenerError: (error) =>
        of.log.error({ event: 'chain.listener_failed', err: error }, 'a listener of the chain threw'),
    })
    if (of.warm) thread.warm()
    return run(chain, of)
  } catch (error) {
    store.close()
    throw error
  }
}

/** The runtime that the best block's state holds. */
const codeOf = (store: Store): Uint8Array => {
  const best = store.best()
  return (best && trieGet(store.state(best.hash), CODE_KEY)) ?? new Uint8Array()
}

const run = (chain: CoreChain, { mode, clock, signal, log }: StartOptions): RunningChain => {
  const stop = new AbortController()
  const { done, poke } = runLoop({
    chain,
    mode,
    clock,
    signal: AbortSignal.any([signal, stop.signal]),
    onUnwritten: (err) => log.error({ event: 'chain.not_written', err }, 'a block could not be written'),
  })
  const close = async (): Promise<void> => {
    stop.abort()
    await done.catch(() => undefined) // its reason is told by `done`
    await chain.close()
  }
  return { ...chain, done, poke, close }
}

const LEVELS = { 1: 'error', 2: 'warn', 3: 'info', 4: 'debug', 5: 'trace' } as const

const runtimeLog =
  (log: Logger): RuntimeLog =>
  ({ level, target, message }) =>
    log[LEVELS[level]]({ event: 'runtime.log', target }, message)
