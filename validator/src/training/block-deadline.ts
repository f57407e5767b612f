import type { ChainClient } from '@arbor/chain/client/types'
import type { Block } from '@arbor/shared/units'

/** A signal that aborts when the chain reaches a block; dispose it as soon as the guarded work is done. */
export interface BlockDeadline extends Disposable {
  readonly signal: AbortSignal
  /** Tells whether the block was reached, as against the parent having aborted. */
  isOver(): boolean
}

/**
 * Starts a deadline by the chain's best block, which others' votes and ours are written after. Where its heads cannot be followed it is
 * over: work that nobody can bound must not hold up a vote.
 */
export function startBlockDeadline(of: {
  readonly chain: Pick<ChainClient, 'best' | 'heads'>
  readonly at: Block
  readonly parent: AbortSignal
}): BlockDeadline {
  const { chain, at, parent } = of
  const own = new AbortController()
  const stop = new AbortController()
  let over = false
  const end = (): void => {
    if (stop.signal.aborted) return
    over = true
    own.abort(new Error(`block ${at} was reached`))
  }
  const onParent = (): void => {
    own.abort(parent.reason)
    stop.abort(parent.reason)
  }
  if (parent.aborted) onParent()
  else parent.addEventListener('abort', onParent, { once: true })
  const follow = async (): Promise<void> => {
    if ((await chain.best()).number >= at) return end()
    for await (const head of chain.heads('best', stop.signal)) if (head.number >= at) return end()
    end()
  }
  follow().catch(end)
  return {
    signal: own.signal,
    isOver: () => over,
    [Symbol.dispose]: () => {
      parent.removeEventListener('abort', onParent)
      stop.abort(new Error('the deadline was disposed'))
    },
  }
}
