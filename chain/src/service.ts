import { aborted } from '@arbor/shared/aborted'
import type { Clock } from '@arbor/shared/clock'
import { supervise } from '@arbor/shared/supervise'
import type { Block, Blocks } from '@arbor/shared/units'
import { createBlockMaker } from './block-maker.ts'
import type { ProductionMode } from './embedded/production.ts'
import { type RunningChain, type StartOptions, startEmbeddedChain } from './embedded/start.ts'
import type { EmbeddedChain } from './embedded/types.ts'
import { createPool } from './pool/pool.ts'
import { defaultPoolLimits, type PoolLimits, type TransactionPool } from './pool/types.ts'
import { createDispatcher } from './rpc/dispatch.ts'
import type { Health } from './rpc/http.ts'
import { defaultRpcLimits, type RpcLimits } from './rpc/limits.ts'
import type { ChainIdentity } from './rpc/method.ts'
import { HEALTH } from './rpc/methods/system.ts'
import { startRpcServer } from './rpc/server.ts'

export interface ServiceOptions extends Omit<StartOptions, 'source' | 'finality' | 'signal'> {
  readonly identity: ChainIdentity
  /** Blocks that finality stays behind the best block; null leaves it to requests. */
  readonly finalityLag: Blocks | null
  readonly host: string
  readonly port: number
  /** Origins of web pages to serve besides local ones. */
  readonly origins: readonly string[]
  readonly poolLimits?: PoolLimits
  readonly rpcLimits?: RpcLimits
}

/** A chain that makes blocks as its mode says, and answers. */
export interface ChainService {
  readonly url: string
  readonly chain: RunningChain
  readonly pool: TransactionPool
  /** Watches over blocks and connections until the signal aborts; rejects when one of them fails. */
  run(signal: AbortSignal): Promise<void>
  /** Stops making blocks, says goodbye to clients, closes the chain. */
  close(): Promise<void>
}

/** Puts pool, chain and server together and starts them. */
export const startChainService = async (of: ServiceOptions): Promise<ChainService> => {
  const { clock, log, mode } = of
  const stop = new AbortController()
  const { chain, pool } = await startWithPool(of, stop.signal)
  chain.done.catch(() => undefined) // `run` tells it; until then it must not count as unhandled
  chain.onEvent(({ kind, block: { hash, header, extrinsics } }) => {
    log.debug({ event: `chain.${kind}`, number: header.number, hash, extrinsics: extrinsics.length })
  })
  try {
    const health = watchHealth({ chain, mode, clock })
    const maker = mode.kind === 'interval' ? null : createBlockMaker({ chain, pool })
    const dispatcher = createDispatcher({
      chain,
      pool,
      identity: of.identity,
      maker,
      forTests: isThisMachine(of.host),
      log,
    })
    const server = await startRpcServer({ ...of, dispatcher, limits: of.rpcLimits ?? defaultRpcLimits, health })
    const blocks = (signal: AbortSignal): Promise<void> => Promise.race([chain.done, aborted(signal)])
    return {
      url: server.url,
      chain,
      pool,
      run: (signal) => supervise({ loops: { blocks, connections: server.keepAlive }, signal, clock }),
      close: async () => {
        stop.abort()
        await server.close()
        await chain.close()
      },
    }
  } catch (error) {
    stop.abort()
    await chain.close()
    throw error
  }
}

const startWithPool = async (
  of: ServiceOptions,
  signal: AbortSignal,
): Promise<{ readonly chain: RunningChain; readonly pool: TransactionPool }> => {
  const { finalityLag } = of
  const held: { pool: TransactionPool | null } = { pool: null }
  const source = (chain: EmbeddedChain): TransactionPool => {
    const pool = createPool({
      validate: chain.validate,
      check: chain.check,
      best: () => ({ hash: chain.best().hash, number: chain.best().header.number }),
      clock: of.clock,
      limits: of.poolLimits ?? defaultPoolLimits,
    })
    chain.onEvent(({ kind, block }) => {
      if (kind === 'finalized') pool.onFinalized(block)
      else if (kind === 'best' && finalityLag !== null && finalityLag > 0)
        finalizeBehind(chain, block.header.number - finalityLag)
    })
    held.pool = pool
    return pool
  }
  const chain = await startEmbeddedChain({
    ...of,
    warm: true,
    signal,
    source,
    finality: finalityLag === 0 ? 'instant' : 'manual',
  })
  if (held.pool === null) throw new Error('the chain did not ask for its pool')
  held.pool.onReady(chain.poke)
  return { chain, pool: held.pool }
}

const isThisMachine = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1)$/.test(host)

const finalizeBehind = (chain: EmbeddedChain, number: number): void => {
  if (number > chain.finalized().header.number) chain.finalize(number as Block)
}

/** Block times without a block after which the process counts as stuck. */
const STUCK_BLOCKS = 10

const watchHealth = ({
  chain,
  mode,
  clock,
}: {
  readonly chain: RunningChain
  readonly mode: ProductionMode
  readonly clock: Clock
}): (() => Health) => {
  let lastAt = clock.monotonic()
  chain.onEvent(({ kind }) => {
    if (kind === 'best') lastAt = clock.monotonic()
  })
  return () => {
    const idleMs = Math.round(clock.monotonic() - lastAt)
    const bound = mode.kind === 'interval' ? STUCK_BLOCKS * Math.max(mode.blockTimeMs, 1_000) : Number.POSITIVE_INFINITY
    const heads = { best: chain.best().header.number, finalized: chain.finalized().header.number }
    return { healthy: idleMs < bound, details: { ...HEALTH, ...heads, idleMs } }
  }
}
