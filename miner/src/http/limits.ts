import type { Server } from 'node:http'
import { remoteKey } from '../admission/remote.ts'

/** Bounds of a connection, whoever calls. */
export const LIMITS = {
  /** Envelope and certificate are under 1 KB each; proxies add some. */
  headerBytes: 16_384,
  headersMs: 5_000,
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

/** Bounds a server's connections, in all and for each address. */
export const limitConnections = (server: Server, { total, perAddress }: ConnectionLimits): void => {
  server.maxConnections = total
  const open = new Map<string, number>()
  server.on('connection', (socket) => {
    const address = remoteKey(socket.remoteAddress ?? '')
    const count = (open.get(address) ?? 0) + 1
    open.set(address, count)
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1
      if (left === 0) open.delete(address)
      else open.set(address, left)
    })
    if (count > perAddress) socket.destroy()
  })
}
