import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { remoteKey } from '../admission/remote.ts'

/** Bounds of a connection, whoever calls. */
export const LIMITS = {
  /** Envelope and certificate are under 1 KB each; proxies add some. */
  headerBytes: 16_384,
  /** A busy client opens its connections first and writes when its loop comes round: a Python one under load took 5 s and more. */
  headersMs: 15_000,
  /** A request must be here as a whole by then; longer than any task's deadline may be. */
  requestMs: 65_000,
  /** A socket on which nothing moves is closed that long after the longest deadline. */
  idleMs: 5_000,
  /** After a deadline, for the refusal or the stream's end to be read. */
  lateGraceMs: 2_000,
  checkMs: 1_000,
  keepAliveMs: 30_000,
  /** Several validators may share an address; one address may not take all connections. */
  connections: { total: 1_024, perAddress: 128 },
} as const

/** Connections that a server keeps. */
export interface ConnectionLimits {
  readonly total: number
  readonly perAddress: number
}

/** Bounds of a server's connections. */
export interface ConnectionBounds {
  /** Keeps a connection that brought an admitted request from being closed for newer ones. */
  keep(socket: Socket): void
}

/**
 * Bounds a server's connections, for each address and in all. When there are too many, the oldest that never brought an admitted
 * request is closed: so no number of idle connections keeps a validator out.
 */
export const limitConnections = (server: Server, limits: ConnectionLimits): ConnectionBounds => {
  server.maxConnections = 2 * limits.total // what is closed here counts until it is gone
  const perAddress = new Map<string, number>()
  const strangers = new Set<Socket>()
  let count = 0
  server.on('connection', (socket) => {
    const address = remoteKey(socket.remoteAddress ?? '')
    const own = (perAddress.get(address) ?? 0) + 1
    perAddress.set(address, own)
    strangers.add(socket)
    count += 1
    socket.once('close', () => {
      const left = (perAddress.get(address) ?? 1) - 1
      if (left === 0) perAddress.delete(address)
      else perAddress.set(address, left)
      strangers.delete(socket)
      count -= 1
    })
    if (own > limits.perAddress) return void socket.destroy()
    if (count <= limits.total) return
    const [oldest = socket] = strangers
    strangers.delete(oldest)
    oldest.destroy()
  })
  return { keep: (socket) => void strangers.delete(socket) }
}
