import type { ChainClient, Metagraph, Neuron } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from '@arbor/shared/log'
import type { Loop } from '@arbor/shared/supervise'
import type { Block, NetUid, Ss58 } from '@arbor/shared/units'
import type { Score } from '@arbor/validator/scores'
import { candidatesOf } from './routing/candidates.ts'
import type { Router } from './routing/router.ts'

/** What the gateway knows of its subnet. */
export interface View {
  /** The newest finalised block that was looked at. */
  readonly block: Block
  /** Why miners would not answer us; null when nothing is known to keep them from it. */
  readonly trouble: string | null
}

/** The followed chain. */
export interface Follower {
  view(): View
  /** The newest block that we know, final or not. */
  newest(): Block
  readonly follow: Loop
  /** Follows the blocks that are not final yet. */
  readonly followBest: Loop
}

/** Finalised heads in a row without our hotkey before we believe that it was deregistered. */
const GONE_AFTER_HEADS = 5

/** Without a finalised block for so long nobody knows who serves: 15 blocks of Bittensor's. */
const STALE_MS = 180_000

/**
 * Starts to follow the subnet: who serves, with which score, and whether our hotkey may ask.
 * @throws GATEWAY_UNREGISTERED when our hotkey is not in the subnet
 */
export const openFollower = async (of: {
  readonly chain: Pick<ChainClient, 'best' | 'finalized' | 'metagraph' | 'heads'>
  readonly netuid: NetUid
  readonly self: Ss58
  readonly router: Router
  /** The validator's averages; null where only the chain is known. */
  readonly scores: ((at: Block) => readonly Score[]) | null
  readonly reward: (average: number) => number
  /** Hears in which block our hotkey was registered. */
  readonly registered: (at: Block) => void
  readonly clock: Clock
  readonly log: Logger
}): Promise<Follower> => {
  const { chain, netuid, self, router, reward, clock, log } = of
  let view: View = { block: 0 as Block, trouble: 'the chain was not read yet' }
  let kept: readonly Score[] = []
  let absent = 0
  let seenAt = clock.monotonic()

  const scores = (at: Block): readonly Score[] | null => {
    if (of.scores === null) return null
    try {
      kept = of.scores(at)
    } catch (error) {
      log.warn({ event: 'gateway.scores_kept', error: String(error) }, 'the scores stay as they were')
    }
    return kept
  }
  const look = (metagraph: Metagraph): Neuron | undefined => {
    const { number } = metagraph.block
    const me = metagraph.neurons.find(({ hotkey }) => hotkey === self)
    if (me !== undefined) of.registered(me.registeredAt)
    router.update(candidatesOf({ metagraph, self, scores: scores(number), reward }))
    view = { block: number, trouble: troubleOf(me) }
    seenAt = clock.monotonic()
    return me
  }
  const { hash } = await chain.finalized()
  const first = await chain.metagraph(netuid, hash)
  if (look(first) === undefined) throw unregistered(self, netuid, first.block.number, 'is not registered')
  let best = (await chain.best()).number
  return {
    view: () => {
      const quietMs = clock.monotonic() - seenAt
      if (quietMs <= STALE_MS) return view
      return { ...view, trouble: `no finalised block was seen for ${Math.round(quietMs / 1_000)} s` }
    },
    newest: () => Math.max(best, view.block) as Block,
    followBest: async (signal) => {
      // A reorganisation takes no hash back that was told already.
      for await (const { number } of chain.heads('best', signal)) best = Math.max(best, number) as Block
    },
    follow: async (signal) => {
      for await (const head of chain.heads('finalized', signal)) {
        const me = look(await chain.metagraph(netuid, head.hash))
        absent = me === undefined ? absent + 1 : 0
        if (absent >= GONE_AFTER_HEADS) throw unregistered(self, netuid, head.number, 'is registered no more')
      }
    },
  }
}

const troubleOf = (me: Neuron | undefined): string | null => {
  if (me === undefined) return 'our hotkey is not in the subnet'
  return me.validatorPermit ? null : 'our hotkey holds no validator permit, without which miners refuse it'
}

const unregistered = (self: Ss58, netuid: NetUid, block: Block, what: string): SubnetError =>
  new SubnetError({
    code: 'GATEWAY_UNREGISTERED',
    message: `hotkey ${self} ${what} in subnet ${netuid} at block ${block}; use the validator's hotkey, or register it: arbor register --netuid ${netuid}`,
    details: { hotkey: self, netuid, block },
  })
