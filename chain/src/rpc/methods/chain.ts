import type { Block, Hex } from '@arbor/shared/units'
import { invalidParams } from '../error.ts'
import type { Method, MethodDeps } from '../method.ts'
import { hashParam, numberParam } from '../params.ts'
import { blockView, headerView } from '../views.ts'

/** Most block numbers in one chain_getBlockHash. */
const MAX_NUMBERS = 4096

/** Makes the methods that read blocks. */
export const chainMethods = ({ chain }: Pick<MethodDeps, 'chain'>): Record<string, Method> => {
  const blockAt = (value: unknown) => {
    const hash = hashParam(value)
    return hash === null ? chain.best() : chain.block(hash)
  }
  const hashAt = (value: unknown): Hex | null => chain.hashAt(numberParam(value, 'block number') as Block)

  const getBlockHash: Method = ([which]) => {
    if (which === undefined || which === null) return chain.best().hash
    if (!Array.isArray(which)) return hashAt(which)
    if (which.length > MAX_NUMBERS) throw invalidParams(`at most ${MAX_NUMBERS} block numbers in one request`)
    return which.map(hashAt)
  }
  const getHeader: Method = ([hash]) => {
    const block = blockAt(hash)
    return block && headerView(block.header)
  }
  const getBlock: Method = ([hash]) => {
    const block = blockAt(hash)
    return block && blockView(block)
  }
  const getFinalizedHead: Method = () => chain.finalized().hash

  return {
    chain_getBlock: getBlock,
    chain_getBlockHash: getBlockHash,
    chain_getHead: getBlockHash,
    chain_getHeader: getHeader,
    chain_getFinalizedHead: getFinalizedHead,
    chain_getFinalisedHead: getFinalizedHead,
  }
}
