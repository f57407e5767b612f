import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import type { BuiltBlock } from './author.ts'
import { slotOf } from './header.ts'
import { type MakeOptions, makeBlock } from './make-block.ts'
import type { ExtrinsicSource, Reorg, StoredBlock } from './types.ts'

/** Most blocks of one reorganisation; each of the fork's takes some 10 ms, in which nothing else happens. */
const DEEPEST = 128

/** What a reorganisation works on. */
export interface ReorgOptions extends Omit<MakeOptions, 'parent' | 'parentTrie' | 'source' | 'earliestSlot'> {
  readonly best: StoredBlock
  readonly finalized: StoredBlock
  readonly block: (hash: Hex) => StoredBlock | null
  readonly stateAt: (hash: Hex) => MakeOptions['parentTrie']
  /** Stores a block beside the best chain. */
  readonly addFork: (built: BuiltBlock) => void
}

const NOTHING: ExtrinsicSource = { ready: () => [], onBlock: () => undefined }

/**
 * Builds a fork that begins `depth` blocks below the best one and is one block longer, as another author's would be. Its
 * blocks are empty and take the slots of those that they replace, so the chain's time does not run ahead; the seals, in
 * which there is chance, make them other blocks even where those were empty too.
 * @throws CHAIN_REORG_REFUSED when one of the blocks is final
 */
export const buildFork = (of: ReorgOptions, depth: number): Reorg => {
  const { best, finalized } = of
  const most = Math.min(DEEPEST, best.header.number - finalized.header.number)
  if (!Number.isInteger(depth) || depth < 1 || depth > most) throw refused(of, depth, most)
  const retracted: StoredBlock[] = []
  let base = best
  for (let left = depth; left > 0; left -= 1) {
    retracted.push(base)
    base = of.block(base.header.parentHash) ?? missing(base)
  }
  const earliestSlot = slotOf((retracted.at(-1) ?? best).header) ?? 0
  const enacted: StoredBlock[] = []
  let parent = base
  while (enacted.length <= depth) {
    const built = makeBlock({ ...of, source: NOTHING, parent, parentTrie: of.stateAt(parent.hash), earliestSlot })
    of.addFork(built)
    parent = built.block
    enacted.push(parent)
  }
  return { retracted, enacted }
}

const refused = ({ best, finalized }: ReorgOptions, depth: number, most: number): SubnetError =>
  new SubnetError({
    code: 'CHAIN_REORG_REFUSED',
    message: `Cannot take ${depth} blocks off the chain: block ${finalized.header.number} is final and block ${best.header.number} the best, so ${most < 1 ? 'none can go' : `at most ${most} can go`}; run the chain with a larger --finality-lag`,
    details: { depth, best: best.header.number, finalized: finalized.header.number },
  })

const missing = ({ hash }: StoredBlock): never => {
  throw new SubnetError({
    code: 'CHAIN_DATA_CORRUPT',
    message: `The parent of block ${hash} is missing; restore the folder from a copy, or begin anew in another one`,
  })
}
