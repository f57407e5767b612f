import type { BlockRef, ChainClient } from '@arbor/chain/client/types'
import type { Block } from '@arbor/shared/units'
import type { StaleRule } from './chain-loop.ts'

/** Blocks over which the time between two is averaged. */
const MEASURED = 32
/** Taken where the chain has too few blocks to tell: Bittensor's 12 s. */
const USUAL_MS = 12_000
/** A pause of two minutes is usual where finality takes a few blocks of 12 s; a longer one means that something is wrong. */
const PAUSE_MS = 120_000

/**
 * Says from which age on nothing is decided by a snapshot.
 * @param blocks as the operator gives it; by default as many as make two minutes, and ten at least
 */
export async function staleRule(
  chain: Pick<ChainClient, 'finalized' | 'blockHash' | 'read'>,
  blocks: number | undefined,
): Promise<StaleRule> {
  const blockMs = await measureBlockMs(chain)
  const most = blocks ?? Math.max(10, Math.ceil(PAUSE_MS / blockMs))
  return { blocks: most, ms: Math.max(most * blockMs, blocks === undefined ? PAUSE_MS : 1_000) }
}

/** Measures the time between two blocks over the newest ones, in milliseconds; Bittensor's where there are too few. */
export async function measureBlockMs(chain: Pick<ChainClient, 'finalized' | 'blockHash' | 'read'>): Promise<number> {
  const head = await chain.finalized()
  const before = Math.max(1, head.number - MEASURED) as Block
  const hash = await chain.blockHash(before)
  if (hash === null || before >= head.number) return USUAL_MS
  const [from, to] = await Promise.all([timeOf(chain, { number: before, hash }), timeOf(chain, head)])
  const ms = (to - from) / (head.number - before)
  return Number.isFinite(ms) && ms >= 1 ? Math.min(ms, 60_000) : USUAL_MS
}

const timeOf = async (chain: Pick<ChainClient, 'read'>, { hash }: BlockRef): Promise<number> =>
  Number(await chain.read('Timestamp', 'Now', [], hash))
