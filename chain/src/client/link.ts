import type { Fault } from './faults.ts'
import type { Finality } from './finality.ts'
import type { OpenOptions } from './open-chain.ts'
import type { RpcSocket, SocketStatus } from './socket-types.ts'
import type { BlockRef } from './types.ts'

/** How the connection does, and the last final block that was seen. */
export interface LinkStatus extends SocketStatus {
  readonly finalized: BlockRef | null
}

export const linkOf = (socket: RpcSocket, finality: Finality): LinkStatus => ({
  ...socket.status(),
  finalized: finality.newest(),
})

/** What a fault means for who reads the log. */
const TEXTS: Readonly<Record<Fault['kind'], string>> = {
  unreachable: 'the chain cannot be reached there',
  cut: 'the connection to the chain is lost; connecting again',
  'half-open': 'the chain says nothing any more; connecting again',
  slow: 'the chain answers too late; connecting again',
  garbled: 'the chain answers what was not asked; connecting again',
  behind: 'the chain is behind what was final already; waiting for it',
  fork: 'the chain has another final block than the one that was seen',
  genesis: 'that is another chain',
  left: 'changing to the more preferred address',
}

/**
 * Writes down what becomes of the connection; a fault that stays is written once an endpoint. Before the first connection nothing
 * is written: when there comes none, the error says all of it.
 */
export const logLink = (
  log: { warn(fields: object, message: string): void } | undefined,
): Pick<OpenOptions, 'onFault' | 'onOpen'> => {
  const told = new Map<string, Fault['kind']>()
  let held: (() => void)[] | null = []
  return {
    onFault: ({ endpoint: url, fault: { kind, cause }, wasOpen }) => {
      if (wasOpen) log?.warn({ event: 'chain.lost', url, fault: kind, cause }, TEXTS[kind])
      else if (told.get(url) !== kind) {
        const write = (): void => log?.warn({ event: 'chain.endpoint', url, fault: kind, cause }, TEXTS[kind])
        if (held === null) write()
        else held.push(write)
      }
      told.set(url, kind)
    },
    onOpen: ({ endpoint: url, connections }) => {
      for (const write of held ?? []) write()
      held = null
      told.delete(url)
      if (connections > 1) log?.warn({ event: 'chain.reconnected', url, connections }, 'connected to the chain again')
    },
  }
}
