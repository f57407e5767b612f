import { isHex, toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import type { PoolEvent } from '../../pool/types.ts'
import { poolError } from '../error.ts'
import type { Method, MethodDeps, SubscriptionMethod } from '../method.ts'
import { extrinsicParam, listParam } from '../params.ts'

/** Makes the methods that hand extrinsics to the pool. */
export const authorMethods = ({ pool }: Pick<MethodDeps, 'pool'>): Record<string, Method> => ({
  author_submitExtrinsic: async ([extrinsic]) => {
    const submitted = await pool.submit(extrinsicParam(extrinsic))
    if (!submitted.ok) throw poolError(submitted.refusal)
    return submitted.hash
  },
  author_pendingExtrinsics: () => pool.pending().map(toHex),
  author_removeExtrinsic: ([wanted]) => pool.remove(listParam(wanted, 'extrinsics').flatMap(hashOf)),
})

/** Reads sc-rpc's ExtrinsicOrHash; what is neither removes nothing. */
const hashOf = (wanted: unknown): Hex[] => {
  const hash = typeof wanted === 'object' && wanted !== null && 'hash' in wanted ? wanted.hash : wanted
  return typeof hash === 'string' && isHex(hash, 32) ? [hash] : []
}

/** Makes the subscription that follows an extrinsic to its finality. */
export const authorSubscriptions = ({ pool }: Pick<MethodDeps, 'pool'>): Record<string, SubscriptionMethod> => ({
  author_submitAndWatchExtrinsic: {
    notification: 'author_extrinsicUpdate',
    unsubscribe: 'author_unwatchExtrinsic',
    start: async ([extrinsic], send) => {
      const listener = (event: PoolEvent): void => send(statusView(event))
      const submitted = await pool.submit(extrinsicParam(extrinsic), listener)
      if (!submitted.ok) throw poolError(submitted.refusal)
      return () => pool.unwatch(submitted.hash, listener)
    },
  },
})

/** Writes a step of an extrinsic's life. @source sc-transaction-pool-api TransactionStatus */
const statusView = (event: PoolEvent): unknown => {
  switch (event.kind) {
    case 'inBlock':
    case 'finalized':
    case 'finalityTimeout':
    case 'retracted':
      return { [event.kind]: event.block }
    case 'usurped':
      return { usurped: event.by }
    default:
      return event.kind
  }
}
