import { blake2b256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Hex } from '@arbor/shared/units'
import pino from 'pino'
import { createBlockMaker } from '../../src/block-maker.ts'
import type { StartOptions } from '../../src/embedded/start.ts'
import { createPool } from '../../src/pool/pool.ts'
import { defaultPoolLimits, type PoolLimits, type TransactionPool } from '../../src/pool/types.ts'
import { createDispatcher } from '../../src/rpc/dispatch.ts'
import { createSession, type Session } from '../../src/rpc/session.ts'
import { createSharedBounds } from '../../src/rpc/shared-bounds.ts'
import { BOB, createSigner, startTestChain } from './embedded.ts'

export interface Answer {
  readonly id: unknown
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

export interface Notice {
  readonly method: string
  readonly params: { readonly subscription: string; readonly result: unknown }
}

/** Starts a real chain in manual mode behind the dispatcher; a client is a session without a socket. */
export const startRpcChain = async (options: Partial<StartOptions> = {}, limits: Partial<PoolLimits> = {}) => {
  const clock = createManualClock()
  const held: TransactionPool[] = []
  const { chain } = await startTestChain({
    clock,
    ...options,
    source: (core) => {
      const pool = createPool({
        validate: core.validate,
        check: core.check,
        best: () => ({ hash: core.best().hash, number: core.best().header.number }),
        clock,
        limits: { ...defaultPoolLimits, ...limits },
      })
      core.onEvent(({ kind, block }) => {
        if (kind === 'finalized') pool.onFinalized(block)
      })
      held.push(pool)
      return pool
    },
  })
  const [pool] = held
  if (pool === undefined) throw new Error('no pool')
  const identity = { name: 'Arbor Development', type: 'Development', version: '0.0.0' } as const
  const log = pino({ level: 'silent' })
  const dispatcher = createDispatcher({ chain, pool, identity, maker: createBlockMaker({ chain, pool }), log })
  const signer = createSigner(chain)

  const client = (subscriptions = 1024) => {
    const notices: Notice[] = []
    const session: Session = createSession({
      send: (text) => notices.push(JSON.parse(text)),
      limit: subscriptions,
      bounds: createSharedBounds({ subscriptions: 16, totalBufferedBytes: 0, totalRequestBytes: 0 }),
      heldBytes: 1_000_000,
      overflow: () => undefined,
    })
    const raw = async (text: string): Promise<string | null> => {
      const answer = await dispatcher.handle(text, session)
      session.flush()
      return answer
    }
    const ask = async (method: string, ...params: readonly unknown[]): Promise<Answer> =>
      JSON.parse((await raw(JSON.stringify({ jsonrpc: '2.0', id: 'Zy1', method, params }))) ?? 'null')
    const get = async (method: string, ...params: readonly unknown[]): Promise<unknown> => {
      const { result, error } = await ask(method, ...params)
      if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`)
      return result
    }
    /** Results that a subscription sent, oldest first. */
    const heard = (id: unknown): unknown[] =>
      notices.filter(({ params }) => params.subscription === id).map(({ params }) => params.result)
    return { ask, get, heard, notices, raw, session }
  }

  return {
    ...client(),
    chain,
    clock,
    client,
    dispatcher,
    pool,
    signer,
    /** A signed transfer of 1 000 000 rao. */
    transfer: (from: Keypair, nonce: number, amount = 1_000_000n): Hex =>
      toHex(signer.sign(from, nonce, 'balances', 'transferKeepAlive', BOB.address, amount)),
  }
}

/** The hash by which the pool and blocks name an extrinsic. */
export const extrinsicHash = (hex: string): Hex => toHex(blake2b256(Buffer.from(hex.slice(2), 'hex')))
