import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import { otherGenesis } from './errors.ts'
import { openRpcSocket } from './socket.ts'
import type { ConnectionLimits, RpcSocket } from './socket-types.ts'

/** A socket to one chain. */
export interface OpenedChain {
  readonly socket: RpcSocket
  /** Null until `socket.opened` resolved. */
  genesisHash(): Hex | null
  close(): Promise<void>
}

/**
 * Opens a socket that stays with one chain through every reconnect, and closes when the signal aborts.
 * @param of.expectGenesis genesis that the chain must have; whatever it has at the start when null
 * @param of.onOpen is told how often a connection was opened, this one included
 * @throws CHAIN_URL; `socket.opened` rejects with CHAIN_UNREACHABLE, CHAIN_OTHER_GENESIS
 */
export const openChain = (of: {
  readonly url: string
  readonly expectGenesis: Hex | null
  readonly clock: Clock
  readonly limits: ConnectionLimits
  readonly signal: AbortSignal
  readonly onLost: (cause: string) => void
  readonly onOpen?: (connections: number) => void
}): OpenedChain => {
  const { url, clock, limits, signal, onLost } = of
  if (!/^wss?:\/\/[^/]/.test(url)) {
    throw new SubnetError({
      code: 'CHAIN_URL',
      message: `"${url}" is no WebSocket address; give one as ws://127.0.0.1:9944`,
    })
  }
  signal.throwIfAborted()
  let genesis = of.expectGenesis
  let connections = 0
  const socket = openRpcSocket({
    url,
    clock,
    limits,
    onLost,
    onOpen: async (request) => {
      const found = (await request('chain_getBlockHash', [0])) as Hex
      if (genesis !== null && found !== genesis) throw otherGenesis(url, genesis, found)
      genesis = found
      connections += 1
      of.onOpen?.(connections)
    },
  })
  const close = async (): Promise<void> => {
    signal.removeEventListener('abort', onAbort)
    await socket.close()
  }
  const onAbort = (): void => void close()
  signal.addEventListener('abort', onAbort, { once: true })
  return { socket, genesisHash: () => genesis, close }
}
