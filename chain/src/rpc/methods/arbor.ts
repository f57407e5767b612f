import { SubnetError } from '@arbor/shared/errors'
import { RpcError } from '../error.ts'
import type { Method, MethodDeps } from '../method.ts'
import { numberParam } from '../params.ts'

/** A refusal of one of Arbor's own methods; `data` is the code of docs/errors.md. */
const REFUSED = 14_000

/** Makes the methods that no other chain has; they are for clients' tests on the same machine. */
export const arborMethods = ({ chain }: Pick<MethodDeps, 'chain'>): Record<string, Method> => ({
  arbor_reorg: ([depth]) => {
    try {
      const { retracted, enacted } = chain.reorg(numberParam(depth, 'depth'))
      return { retracted: retracted.map(({ hash }) => hash), enacted: enacted.map(({ hash }) => hash) }
    } catch (error) {
      throw ownRefusal(error)
    }
  },
})

/** Tells the caller why a block could not be made, where the reason is one that passes or that it can change. */
export const ownRefusal = (error: unknown): unknown => {
  const isTold =
    error instanceof SubnetError && (error.code === 'CHAIN_REORG_REFUSED' || error.code === 'CHAIN_NOT_WRITTEN')
  return isTold ? new RpcError({ code: REFUSED, message: error.message, data: error.code, cause: error }) : error
}
