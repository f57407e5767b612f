import { serveAxon } from '@arbor/chain/client/calls'
import type { ChainClient, Metagraph } from '@arbor/chain/client/types'
import { AXON_PROTOCOL } from '@arbor/shared/dial/statement'
import type { Logger } from '@arbor/shared/log'
import { PROTOCOL_VERSION } from '@arbor/shared/protocol/limits'
import { isSignerError, type Signer } from '@arbor/shared/signer'
import type { Block, Blocks, NetUid } from '@arbor/shared/units'

/** Version and protocol of the axon that a listening validator announces: miners dial it, nobody asks it. */
const LISTENER_AXON = { version: PROTOCOL_VERSION, protocol: AXON_PROTOCOL.dial } as const
/** Blocks after an announcement before a chain that shows another endpoint is told again. */
const AGAIN_AFTER = 20 as Blocks

/** Makes what announces at a new metagraph where a validator listens, when the chain says otherwise. */
export const createAnnouncer = (of: {
  readonly chain: ChainClient
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly endpoint: { readonly ip: string; readonly port: number }
  readonly log: Logger
}): ((metagraph: Metagraph, signal: AbortSignal) => Promise<void>) => {
  const { chain, hotkey, netuid, endpoint, log } = of
  let toldAt: Block | null = null
  return async ({ neurons, block }, signal) => {
    const me = neurons.find((neuron) => neuron.hotkey === hotkey.address)
    if (me === undefined || (toldAt !== null && block.number < toldAt + AGAIN_AFTER)) return
    const { axon } = me
    const stands = axon?.ip === endpoint.ip && axon.port === endpoint.port && axon.protocol === LISTENER_AXON.protocol
    if (stands) return
    toldAt = block.number
    const call = serveAxon({ netuid, axon: { ...endpoint, ...LISTENER_AXON } })
    const outcome = await chain
      .submit(call, { signer: hotkey, waitFor: 'included', signal })
      .catch((error: unknown) => {
        if (!isSignerError(error)) throw error
        return { error: error.code } // the hotkey's holder refuses or is away: told again later
      })
    if ('error' in outcome)
      log.warn(
        { event: 'listener.announce_failed', ...endpoint, error: outcome.error },
        'the chain refuses the endpoint',
      )
    else log.info({ event: 'listener.announced', ...endpoint, block: outcome.block.number }, 'endpoint announced')
  }
}
