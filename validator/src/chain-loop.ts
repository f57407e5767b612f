import type { BlockRef, ChainClient, Neuron } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'
import type { ChainView, Snapshot } from './chain-view.ts'
import type { Sight } from './health/sight.ts'
import { BACKOFF, type Keep } from './keep.ts'
import type { SeenLedger } from './ledger-seen.ts'

export interface ChainLoopDeps {
  readonly chain: Pick<ChainClient, 'blockHash' | 'finalized' | 'heads' | 'hyperparameters' | 'metagraph'>
  readonly netuid: NetUid
  readonly hotkey: Ss58
  readonly clock: Clock
  readonly keep: Keep
  /** How old a snapshot may be that something is decided by. */
  readonly stale: StaleRule
  /** What outlives the process of the chain that was followed; nothing when absent. */
  readonly memory?: SeenLedger
}

/** Age at which a snapshot is refused: so many blocks behind the newest head that was seen, or so long without a newer head. */
export interface StaleRule {
  readonly blocks: number
  readonly ms: number
}

/** The view, and the loop that keeps it; nothing is seen until the loop runs. */
export interface FollowedChain {
  readonly view: ChainView
  readonly loop: (signal: AbortSignal) => Promise<void>
  /** Gives what is seen now, fresh or not. */
  readonly sight: () => Sight
}

/** Of the last so many finalised snapshots, those without our hotkey that make us believe that it was deregistered. */
export const DEREGISTERED = { of: 7, missing: 5 } as const
/** Milliseconds that reading one snapshot may take: the client bounds each of its requests by less. */
const READ_MS = 120_000

/** Without a newer head for so long the process ends: a new start dials and subscribes anew, in case that it was our fault. */
const SILENT_MS = 1_800_000

/** Follows the finalised chain: one read of metagraph and hyperparameters a head, the newest head first. */
export function followChain(deps: ChainLoopDeps): FollowedChain {
  const { clock, stale } = deps
  const seen: Seen = {
    newest: null,
    first: null,
    snapshot: null,
    at: clock.monotonic(),
    present: [],
    waiting: new Set(),
  }
  return {
    view: { now: () => freshOf(seen, deps), after: (block, signal) => laterThan(seen, block, signal) },
    sight: () => sightOf(seen, deps),
    loop: async (signal) => {
      const heads = headsOf(deps, seen, stale)
      try {
        await deps.keep(
          {
            name: 'chain',
            next: heads.next,
            step: (head) => readSnapshot(deps, seen, head),
            timeoutMs: READ_MS,
            idleMs: stale.ms + BACKOFF.mostMs,
          },
          signal,
        )
      } finally {
        heads.close()
      }
    },
  }
}

interface Seen {
  newest: BlockRef | null
  first: BlockRef | null
  snapshot: Snapshot | null
  /** When the newest head came, by the monotonic clock. */
  at: number
  /** Whether the last snapshots held our hotkey, newest first. */
  present: boolean[]
  readonly waiting: Set<() => void>
}

/** Gives heads one by one, the newest first; subscribes again after a failure. */
function headsOf(
  { chain, clock }: ChainLoopDeps,
  seen: Seen,
  stale: StaleRule,
): { next: (signal: AbortSignal) => Promise<BlockRef>; close: () => void } {
  let open: { readonly heads: AsyncIterator<BlockRef>; readonly stop: AbortController } | null = null
  const close = (): void => {
    const closing = open
    open = null
    if (closing === null) return
    closing.stop.abort(new Error('heads are followed anew'))
    closing.heads.return?.().catch(() => undefined)
  }
  const nextOf = async (signal: AbortSignal): Promise<BlockRef> => {
    for (;;) {
      if (open === null) {
        const stop = new AbortController()
        open = { heads: chain.heads('finalized', AbortSignal.any([signal, stop.signal]))[Symbol.asyncIterator](), stop }
      }
      const { done, value } = await open.heads.next()
      signal.throwIfAborted()
      if (done === true) throw new Error('the chain gives no more heads')
      if (value.number <= (seen.newest?.number ?? -1)) continue // it came while a later one was being worked on
      const newest = await chain.finalized()
      return newest.number > value.number ? newest : value
    }
  }
  const silentMs = Math.max(SILENT_MS, 3 * stale.ms)
  const next = async (signal: AbortSignal): Promise<BlockRef> => {
    const patience = new AbortController()
    const late = clock.sleep(stale.ms as Parameters<Clock['sleep']>[0], patience.signal).then(
      () => Promise.reject(clock.monotonic() - seen.at >= silentMs ? silent(seen, clock) : staleSince(seen, clock)),
      () => new Promise<never>(() => undefined),
    )
    try {
      const head = await Promise.race([nextOf(signal), late])
      seen.newest = head
      seen.first ??= head
      seen.at = clock.monotonic()
      return head
    } catch (error) {
      close()
      throw error
    } finally {
      patience.abort()
    }
  }
  return { next, close }
}

async function readSnapshot(deps: ChainLoopDeps, seen: Seen, head: BlockRef): Promise<void> {
  const { chain, netuid, hotkey } = deps
  const before = seen.snapshot?.metagraph.block ?? deps.memory?.newestSeen() ?? null
  if (before !== null && head.number < before.number) throw behind(head, before)
  await mustFollow(chain, before)
  const [metagraph, hyperparameters] = await Promise.all([
    chain.metagraph(netuid, head.hash),
    chain.hyperparameters(netuid, head.hash),
  ])
  const me = metagraph.neurons.find((neuron: Neuron) => neuron.hotkey === hotkey)
  seen.present = [me !== undefined, ...seen.present].slice(0, DEREGISTERED.of)
  if (me === undefined && seen.present.filter((held) => !held).length >= DEREGISTERED.missing)
    throw deregistered(deps, head)
  deps.memory?.keepSeen(metagraph.block)
  seen.snapshot = { metagraph, hyperparameters, me }
  for (const wake of [...seen.waiting]) wake()
}

/**
 * Expects a chain to hold a block that it held as final before.
 * @throws VALIDATOR_OTHER_FORK
 */
export async function mustFollow(
  chain: Pick<ChainClient, 'blockHash'>,
  known: { readonly number: Block; readonly hash: Hex } | null,
): Promise<void> {
  const found = known === null ? null : await chain.blockHash(known.number)
  if (known === null || found === null || found === known.hash) return // null: it is behind, which is told by its age
  throw new SubnetError({
    code: 'VALIDATOR_OTHER_FORK',
    message: `block ${known.number} was final as ${known.hash}, and the chain has ${found} there now: it is another fork, or was begun anew; nothing is decided by it. Use an endpoint of the right chain, or another --data folder for a chain begun anew`,
    details: { block: known.number, expected: known.hash, found },
  })
}

function sightOf({ snapshot, newest, first, at }: Seen, { clock, stale }: ChainLoopDeps): Sight {
  const behind = snapshot === null || newest === null ? 0 : newest.number - snapshot.metagraph.block.number
  const headAgeMs = clock.monotonic() - at
  return { snapshot, newest, first, headAgeMs, behind, isStale: behind > stale.blocks || headAgeMs > stale.ms }
}

function freshOf(seen: Seen, deps: ChainLoopDeps): Snapshot {
  const { snapshot, isStale } = sightOf(seen, deps)
  if (snapshot !== null && !isStale) return snapshot
  throw staleSince(seen, deps.clock)
}

const behind = (head: BlockRef, before: BlockRef): SubnetError =>
  new SubnetError({
    code: 'VALIDATOR_STALE_CHAIN',
    message: `the newest finalised head is block ${head.number}, and block ${before.number} was final before: the chain node is behind, or the chain was begun anew; nothing is decided before it has caught up`,
    details: { block: before.number, head: head.number },
    retryable: true,
  })

const staleSince = (seen: Seen, clock: Clock): SubnetError => {
  const seconds = Math.round((clock.monotonic() - seen.at) / 1_000)
  const block = seen.snapshot?.metagraph.block.number
  return new SubnetError({
    code: 'VALIDATOR_STALE_CHAIN',
    message: `the newest finalised head came ${seconds} s ago, and the newest metagraph is ${block === undefined ? 'not there yet' : `of block ${block}`}: nothing is decided by it; look whether the chain node is synchronised and finalises`,
    details: { block: block ?? null, head: seen.newest?.number ?? null, seconds },
    retryable: true,
  })
}

const silent = (seen: Seen, clock: Clock): SubnetError =>
  new SubnetError({
    code: 'SUPERVISE_LOOP_ENDED',
    message: `The loop "chain" ended: ${staleSince(seen, clock).message}. The process stops, so that it is started again`,
    details: { loop: 'chain' },
  })

function laterThan(seen: Seen, block: Block | null, signal: AbortSignal): Promise<Snapshot> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      const { snapshot } = seen
      if (signal.aborted) reject(signal.reason)
      else if (snapshot === null || snapshot.metagraph.block.number <= (block ?? -1)) return
      else resolve(snapshot)
      seen.waiting.delete(settle)
      signal.removeEventListener('abort', settle)
    }
    seen.waiting.add(settle)
    signal.addEventListener('abort', settle, { once: true })
    settle()
  })
}

const deregistered = ({ hotkey, netuid }: ChainLoopDeps, head: BlockRef): SubnetError =>
  new SubnetError({
    code: 'VALIDATOR_DEREGISTERED',
    message: `hotkey ${hotkey} has gone from subnet ${netuid}, as ${DEREGISTERED.missing} of the last ${DEREGISTERED.of} finalised snapshots up to block ${head.number} say: arbor register --netuid ${netuid}`,
  })
