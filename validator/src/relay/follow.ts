import type { ChainClient, Metagraph } from '@arbor/chain/client/types'
import type { NetUid } from '@arbor/shared/units'
import type { Registrations } from './relay.ts'

/** Takes from a metagraph who is registered since when. */
export const registrationsOf = ({ block, neurons }: Metagraph): Registrations => ({
  block: block.number,
  registeredAt: new Map(neurons.map(({ hotkey, registeredAt }) => [hotkey, registeredAt])),
})

/** Hands on the metagraph of each finalised head until the signal aborts. */
export const followMetagraph = async (
  of: {
    readonly chain: ChainClient
    readonly netuid: NetUid
    readonly onMetagraph: (metagraph: Metagraph) => void | Promise<void>
  },
  signal: AbortSignal,
): Promise<void> => {
  for await (const { hash } of of.chain.heads('finalized', signal))
    await of.onMetagraph(await of.chain.metagraph(of.netuid, hash))
}
