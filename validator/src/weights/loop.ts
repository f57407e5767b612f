import type { Block } from '@arbor/shared/units'
import type { ChainView } from '../chain-view.ts'
import type { Keep } from '../keep.ts'
import type { WeightDeps } from './deps.ts'
import { newMemory, weighOnce } from './pass.ts'

export interface WeightLoopDeps extends WeightDeps {
  readonly view: ChainView
  readonly keep: Keep
}

/** Milliseconds that one pass may take: longer than the longest era of a row (64 blocks of 12 s), since it waits until that row is final. */
const STEP_MS = 1_200_000

/** Sets the row that is due whenever the chain allows it, block by block, until the signal. */
export function runWeights(deps: WeightLoopDeps, signal: AbortSignal): Promise<void> {
  const memory = newMemory()
  let seen: Block | null = null
  return deps.keep(
    {
      name: 'weights',
      timeoutMs: STEP_MS,
      next: (until) => deps.view.after(seen, until),
      step: async ({ metagraph }, until) => {
        seen = metagraph.block.number
        await weighOnce(deps, deps.view.now(), memory, until)
      },
    },
    signal,
  )
}
