import type { ChainClient } from '@arbor/chain/client/types'
import { fromHex } from '@arbor/shared/hex'
import type { Logger } from '@arbor/shared/log'
import type { Signer } from '@arbor/shared/signer'
import type { Loop } from '@arbor/shared/supervise'
import type { NetUid } from '@arbor/shared/units'
import type { Route } from '../plan.ts'
import { createAnnouncer } from './announce.ts'
import { followMetagraph } from './follow.ts'
import { openListener } from './listener.ts'
import type { Place } from './server.ts'

/** What `--listen` and its companions say. */
export interface DoorOptions {
  readonly listen: Place
  /** Address that the chain announces; that of `listen` when absent. */
  readonly externalIp?: string
  /** Names under which miners dial, besides the addresses. */
  readonly name: readonly string[]
  /** Whether the chain is told where we listen. */
  readonly announce: boolean
}

/** A validator's door for miners that dial it. */
export interface Door {
  readonly route: Route
  readonly loops: Readonly<Record<string, Loop>>
  close(): Promise<void>
}

/**
 * Opens the door: a listener in a thread, and the announcement that leads miners to it.
 * @throws RELAY_PORT_IN_USE, RELAY_ADDRESS, LISTENER_ENDED
 */
export const openDoor = async (of: {
  readonly chain: ChainClient
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly options: DoorOptions
  readonly log: Logger
}): Promise<Door> => {
  const { chain, hotkey, netuid, options, log } = of
  const { listen, externalIp, name, announce } = options
  const { hash } = await chain.finalized()
  const known = externalIp ?? (/^(0\.0\.0\.0|::)$/.test(listen.host) ? null : listen.host)
  const listener = await openListener({
    place: listen,
    names: known === null ? name : [...name, `${known.includes(':') ? `[${known}]` : known}:${listen.port}`],
    genesisHash: fromHex(chain.genesisHash),
    netuid,
    self: hotkey.publicKey,
    metagraph: await chain.metagraph(netuid, hash),
    log,
  })
  const endpoint = known === null || !announce ? null : { ip: known, port: listener.port }
  log.info({ event: 'listener.ready', port: listener.port, announced: endpoint?.ip ?? null }, 'miners may dial in')
  const tell = endpoint === null ? null : createAnnouncer({ chain, hotkey, netuid, endpoint, log })
  const follow: Loop = (signal) =>
    followMetagraph(
      {
        chain,
        netuid,
        onMetagraph: async (metagraph) => {
          listener.update(metagraph)
          await tell?.(metagraph, signal)
        },
      },
      signal,
    )
  return { route: listener.route, loops: { listener: listener.run, registrations: follow }, close: listener.close }
}
