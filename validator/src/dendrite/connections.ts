import type { Socket } from 'node:net'
import { type Address, hostPort } from '@arbor/chain/address'
import type { Clock } from '@arbor/shared/clock'
import { Client } from 'undici'
import { type Dialled, dial } from './dial.ts'

/** An open connection, used by one exchange at a time. */
export interface Connection {
  readonly address: string
  readonly client: Client
  readonly socket: Socket
  /** From connecting to connected, the first time; then 0. */
  connectMs: number
  /** True when it carried an exchange before. */
  reused: boolean
}

export interface Connections {
  /** Takes the connection to an address that was used last, or opens one. */
  take(address: Address, signal: AbortSignal): Promise<{ readonly ok: true; readonly connection: Connection } | Failed>
  /** Gives a connection back to be kept; one that is spent is closed. */
  give(connection: Connection, spent: boolean): void
  /** Closes what is kept open to an address. */
  drop(address: Address): void
  /** Connections that are kept open and carry nothing. */
  readonly idle: number
  close(): Promise<void>
}

type Failed = Exclude<Dialled, { ok: true }>

/** Node's servers close idle connections after 5 s unless they say otherwise, which undici heeds. */
const KEEP_ALIVE_MS = 4_000
const KEEP_ALIVE_MAX_MS = 60_000
/** Largest head of an answer. */
const MAX_HEAD_BYTES = 16_384

/**
 * Keeps connections: an undici client for each, since undici's own pools do not tell which socket carried a request, and the
 * timings are the socket's. The one that was used least recently is closed when there are too many.
 * @param of.maxIdle connections kept open at once, over all addresses
 * @param of.connectMs time that an address has to accept
 */
export const createConnections = (of: {
  readonly maxIdle: number
  readonly connectMs: number
  readonly clock: Clock
}): Connections => {
  /** In order of last use, the oldest first. */
  const idle = new Set<Connection>()
  const byAddress = new Map<string, Set<Connection>>()
  const clients = new Set<Client>()
  let closed = false

  const wake = (connection: Connection): void => {
    const { address } = connection
    const same = byAddress.get(address)
    idle.delete(connection)
    same?.delete(connection)
    if (same?.size === 0) byAddress.delete(address)
  }

  const rest = (connection: Connection): void => {
    const same = byAddress.get(connection.address) ?? new Set()
    byAddress.set(connection.address, same.add(connection))
    idle.add(connection)
    const [oldest] = idle
    if (idle.size > of.maxIdle && oldest !== undefined) end(oldest)
  }

  const end = (connection: Connection): void => {
    wake(connection)
    clients.delete(connection.client)
    void connection.client.destroy().catch(() => undefined)
    connection.socket.destroy() // a client that has not sent anything yet knows nothing of it
  }

  const take: Connections['take'] = async (address, signal) => {
    const known = [...(byAddress.get(hostPort(address)) ?? [])].at(-1)
    if (known !== undefined) {
      wake(known)
      return { ok: true, connection: known }
    }
    const dialled = await dial({ address, timeoutMs: of.connectMs, clock: of.clock, signal })
    if (!dialled.ok) return dialled
    const { socket, connectMs } = dialled
    const client = clientOn(socket, address)
    clients.add(client)
    const connection: Connection = { address: hostPort(address), client, socket, connectMs, reused: false }
    socket.once('close', () => end(connection))
    return { ok: true, connection }
  }

  return {
    take,
    give: (connection, spent) => {
      if (spent || closed || connection.socket.destroyed) return end(connection)
      connection.reused = true
      connection.connectMs = 0
      rest(connection)
    },
    drop: (address) => {
      for (const connection of byAddress.get(hostPort(address)) ?? []) end(connection)
    },
    get idle() {
      return idle.size
    },
    close: async () => {
      closed = true
      await Promise.allSettled([...clients].map((client) => client.destroy()))
    },
  }
}

/** Makes an undici client of a connected socket; it is as good as that socket and connects to nothing else. */
function clientOn(socket: Socket, address: Address): Client {
  let given = false
  return new Client(`http://${hostPort(address)}`, {
    pipelining: 1,
    maxHeaderSize: MAX_HEAD_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    headersTimeout: 0, // every wait is bounded by the exchange itself
    bodyTimeout: 0,
    connect: (_, callback) => {
      const gone = given || socket.destroyed
      given = true
      queueMicrotask(() => (gone ? callback(new Error('the connection is gone'), null) : callback(null, socket)))
    },
  })
}
