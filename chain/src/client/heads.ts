import type { Block } from '@arbor/shared/units'
import type { Finality } from './finality.ts'
import type { HeadRef, ReadHeader } from './header.ts'
import type { OpenedChain } from './open-chain.ts'
import type { RpcSocket } from './socket-types.ts'
import type { BlockRef } from './types.ts'

/** How far back missed heads are filled in; older ones are skipped. */
const MAX_GAP = 64

export interface HeadsDeps {
  readonly socket: RpcSocket
  readonly finality: Finality
  readonly readHeader: ReadHeader
  readonly headAt: (number: Block) => Promise<HeadRef | null>
  readonly onLook: OpenedChain['onLook']
}

/**
 * Yields each new head in order; what a lost connection, a lost notice or a slow reader missed is filled in by number. Finalised heads
 * never go back and never to another fork, over whatever endpoint they come.
 */
export async function* followHeads(
  deps: HeadsDeps,
  kind: 'best' | 'finalized',
  signal: AbortSignal,
): AsyncGenerator<BlockRef> {
  const { socket, headAt } = deps
  const until = AbortSignal.any([signal, socket.dead])
  let wake = Promise.withResolvers<void>()
  let last: BlockRef | null = null
  const interrupt = (): void => wake.resolve()
  until.addEventListener('abort', interrupt)
  until.throwIfAborted()
  const source = await (kind === 'best' ? bestHeads : finalHeads)(deps, interrupt)
  try {
    for (;;) {
      await wake.promise
      wake = Promise.withResolvers()
      if (until.aborted) wake.resolve()
      until.throwIfAborted()
      const target = source.newest()
      if (target === null || target.hash === last?.hash) continue
      for (const ref of await gap(last, target, { headAt, mustLink: kind === 'finalized' })) {
        until.throwIfAborted()
        yield ref
      }
      last = target
    }
  } finally {
    until.removeEventListener('abort', interrupt)
    source.close()
  }
}

interface Source {
  readonly newest: () => BlockRef | null
  readonly close: () => void
}

/** Hears of best blocks by subscription, and looks for them as well, since notices get lost. */
async function bestHeads({ socket, readHeader, onLook }: HeadsDeps, wake: () => void): Promise<Source> {
  let newest: BlockRef | null = null
  const take = (json: unknown): void => {
    newest = readHeader(json)
    wake()
  }
  const unlook = onLook(async (request) => take(await request('chain_getHeader', [])))
  const unsubscribe = await subscribed(socket, 'NewHeads', (json) => {
    try {
      take(json)
    } catch {
      // What cannot be read is looked for.
    }
  }).catch((error: unknown) => {
    unlook()
    throw error
  })
  return {
    newest: () => newest,
    close: () => {
      unlook()
      unsubscribe()
    },
  }
}

async function finalHeads({ socket, finality }: HeadsDeps, wake: () => void): Promise<Source> {
  const unfollow = finality.follow(wake)
  const unsubscribe = await subscribed(socket, 'FinalizedHeads', (json) => {
    finality.take(json).then(wake, wake)
  }).catch((error: unknown) => {
    unfollow()
    throw error
  })
  return {
    newest: finality.newest,
    close: () => {
      unfollow()
      unsubscribe()
    },
  }
}

const subscribed = (socket: RpcSocket, name: string, onMessage: (json: unknown) => void): Promise<() => void> =>
  socket.subscribe({
    method: `chain_subscribe${name}`,
    unsubscribe: `chain_unsubscribe${name}`,
    params: [],
    renew: true,
    onMessage,
  })

/** Lists the blocks after `last` up to `target`; final ones must lead from the one to the other, else they are left out. */
async function gap(
  last: BlockRef | null,
  target: BlockRef,
  of: { readonly headAt: (number: Block) => Promise<HeadRef | null>; readonly mustLink: boolean },
): Promise<BlockRef[]> {
  if (last === null || target.number <= last.number + 1) return [target]
  const first = Math.max(last.number + 1, target.number - MAX_GAP)
  const numbers = Array.from({ length: target.number - first }, (_, index) => (first + index) as Block)
  const found = (await Promise.all(numbers.map(of.headAt))).filter((head) => head !== null)
  let parent = last.number + 1 === first ? last.hash : null
  const missed: BlockRef[] = []
  for (const { number, hash, parentHash } of found) {
    if (of.mustLink && parent !== null && parentHash !== parent) break
    parent = hash
    missed.push({ number, hash })
  }
  return [...missed, target]
}
