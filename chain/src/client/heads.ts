import type { Block, Hex } from '@arbor/shared/units'
import type { RpcSocket } from './socket-types.ts'
import type { BlockRef } from './types.ts'

/** How far back missed heads are filled in; older ones are skipped. */
const MAX_GAP = 64

/** Yields each new head in order; what a lost connection or a slow reader missed is filled in by number. */
export async function* followHeads(
  deps: {
    readonly socket: RpcSocket
    readonly refOf: (header: unknown) => BlockRef
    readonly hashOf: (number: Block) => Promise<Hex | null>
  },
  kind: 'best' | 'finalized',
  signal: AbortSignal,
): AsyncGenerator<BlockRef> {
  const { socket, refOf, hashOf } = deps
  const name = kind === 'best' ? 'NewHeads' : 'FinalizedHeads'
  const until = AbortSignal.any([signal, socket.dead])
  const seen: { newest: BlockRef | null } = { newest: null }
  let wake = Promise.withResolvers<void>()
  let last: BlockRef | null = null
  const interrupt = (): void => wake.resolve()
  until.addEventListener('abort', interrupt)
  until.throwIfAborted()
  const close = await socket.subscribe({
    method: `chain_subscribe${name}`,
    unsubscribe: `chain_unsubscribe${name}`,
    params: [],
    renew: true,
    onMessage: (header) => {
      seen.newest = refOf(header)
      wake.resolve()
    },
  })
  try {
    for (;;) {
      await wake.promise
      wake = Promise.withResolvers()
      if (until.aborted) wake.resolve()
      until.throwIfAborted()
      const target = seen.newest
      if (target === null || target.hash === last?.hash) continue
      for (const ref of await gap(last, target, hashOf)) {
        until.throwIfAborted()
        yield ref
      }
      last = target
    }
  } finally {
    until.removeEventListener('abort', interrupt)
    close()
  }
}

/** Lists the blocks after `last` up to `target`. */
async function gap(
  last: BlockRef | null,
  target: BlockRef,
  hashOf: (number: Block) => Promise<Hex | null>,
): Promise<BlockRef[]> {
  if (last === null || target.number <= last.number + 1) return [target]
  const first = Math.max(last.number + 1, target.number - MAX_GAP)
  const numbers = Array.from({ length: target.number - first }, (_, index) => (first + index) as Block)
  const hashes = await Promise.all(numbers.map(hashOf))
  const missed = numbers.flatMap((number, index) => {
    const hash = hashes[index] ?? null
    return hash === null ? [] : [{ number, hash }]
  })
  return [...missed, target]
}
