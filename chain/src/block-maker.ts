import type { EmbeddedChain } from './embedded/types.ts'
import type { TransactionPool } from './pool/types.ts'
import type { BlockMaker } from './rpc/method.ts'

/** Makes and finalises blocks on request. */
export const createBlockMaker = ({
  chain,
  pool,
}: {
  readonly chain: EmbeddedChain
  readonly pool: TransactionPool
}): BlockMaker => ({
  create: async ({ empty, finalize }) => {
    if (!empty && pool.status().ready === 0) return null
    const block = await chain.produce()
    if (finalize) chain.finalize(block.header.number)
    return block
  },
  finalize: (hash) => {
    const number = chain.numberOf(hash)
    if (number === null || chain.hashAt(number) !== hash) return false // unknown, or on a fork
    chain.finalize(number)
    return true
  },
})
