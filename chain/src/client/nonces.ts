import { SubnetError } from '@arbor/shared/errors'
import type { Ss58 } from '@arbor/shared/units'

/** Gives each account one submission at a time, and nonces that no pending extrinsic of ours has. */
export interface Nonces {
  /**
   * Runs `work` alone for this account.
   * @param work takes a chooser that turns the chain's next nonce into a free one, and keeps it until `release`
   */
  alone<T>(
    account: Ss58,
    work: (choose: (chainNext: number) => { readonly nonce: number; readonly release: () => void }) => Promise<T>,
  ): Promise<T>
}

/** Submissions of one account that may wait for their turn. */
const MAX_WAITING = 256

export function createNonces(): Nonces {
  const lines = new Map<Ss58, { tail: Promise<unknown>; waiting: number; readonly taken: Set<number> }>()
  const drop = (account: Ss58): void => {
    const line = lines.get(account)
    if (line && line.waiting === 0 && line.taken.size === 0) lines.delete(account)
  }
  return {
    alone: (account, work) => {
      const line = lines.get(account) ?? { tail: Promise.resolve(), waiting: 0, taken: new Set<number>() }
      lines.set(account, line)
      if (line.waiting >= MAX_WAITING) {
        return Promise.reject(
          new SubnetError({
            code: 'CHAIN_BUSY',
            message: `${MAX_WAITING} submissions of ${account} wait for their turn; wait for some of them`,
            details: { account },
            retryable: true,
          }),
        )
      }
      line.waiting += 1
      const choose = (chainNext: number) => {
        let nonce = chainNext
        while (line.taken.has(nonce)) nonce += 1
        line.taken.add(nonce)
        const release = (): void => {
          line.taken.delete(nonce)
          drop(account)
        }
        return { nonce, release }
      }
      const turn = line.tail.then(() => work(choose))
      line.tail = turn.then(
        () => {},
        () => {},
      )
      return turn.finally(() => {
        line.waiting -= 1
        drop(account)
      })
    },
  }
}
