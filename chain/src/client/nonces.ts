import { SubnetError } from '@arbor/shared/errors'
import type { Block, Ss58 } from '@arbor/shared/units'

/** Gives each account one submission at a time, and nonces that no pending extrinsic of ours has. */
export interface Nonces {
  /**
   * Runs `work` alone for this account.
   * @param work takes a chooser that turns the chain's next nonce, its pool's extrinsics counted, into a free one at the newest final block,
   * and keeps it until `release`
   */
  alone<T>(
    account: Ss58,
    work: (
      choose: (chainNext: number, now: Block) => { readonly nonce: number; readonly release: () => void },
    ) => Promise<T>,
  ): Promise<T>
}

/**
 * Blocks after which every pool that is asked counts what was offered to one of them. One that does not by then has lost it, or was never
 * given it, and whatever is signed with later nonces would wait for it until its era is over.
 */
const SPREAD_BLOCKS = 3

/** A nonce that something of ours was signed with. */
interface Taken {
  /** Newest final block then. */
  readonly at: Block
}

/** Submissions of one account that may wait for their turn. */
const MAX_WAITING = 256

export function createNonces(): Nonces {
  const lines = new Map<Ss58, { tail: Promise<unknown>; waiting: number; readonly taken: Map<number, Taken> }>()
  const drop = (account: Ss58): void => {
    const line = lines.get(account)
    if (line && line.waiting === 0 && line.taken.size === 0) lines.delete(account)
  }
  return {
    alone: (account, work) => {
      const line = lines.get(account) ?? { tail: Promise.resolve(), waiting: 0, taken: new Map<number, Taken>() }
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
      const isTaken = (nonce: number, now: Block): boolean =>
        now - (line.taken.get(nonce)?.at ?? -Infinity) < SPREAD_BLOCKS
      const choose = (chainNext: number, now: Block) => {
        let nonce = chainNext
        while (isTaken(nonce, now)) nonce += 1
        const own: Taken = { at: now }
        line.taken.set(nonce, own)
        const release = (): void => {
          if (line.taken.get(nonce) === own) line.taken.delete(nonce)
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
