import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from '@arbor/shared/log'
import type { Ms } from '@arbor/shared/units'
import { WebSocketServer } from 'ws'
import { CLOSE, type Connection, serveConnection } from './connection.ts'
import type { Dispatcher } from './dispatch.ts'
import { createHttpHandler, type Health } from './http.ts'
import type { RpcLimits } from './limits.ts'
import { isAllowedHost, isAllowedOrigin } from './origin.ts'
import { createSharedBounds } from './shared-bounds.ts'

/** A server that listens. */
export interface RpcServer {
  readonly url: `ws://${string}`
  readonly port: number
  readonly connections: number
  /** Pings all clients until the signal aborts. */
  keepAlive(signal: AbortSignal): Promise<void>
  /** Says goodbye to all clients and frees the port. */
  close(): Promise<void>
}

/**
 * Starts JSON-RPC over WebSocket and HTTP POST on one port.
 * @param of.port 0 takes a free one
 * @throws RPC_PORT_IN_USE, RPC_CANNOT_LISTEN
 */
export const startRpcServer = async (of: {
  readonly dispatcher: Dispatcher
  readonly host: string
  readonly port: number
  /** Origins of web pages to serve besides local ones; `*` for all. */
  readonly origins: readonly string[]
  readonly limits: RpcLimits
  readonly clock: Clock
  readonly log: Logger
  readonly health: () => Health
}): Promise<RpcServer> => {
  const { limits, clock, log } = of
  const connections = new Set<Connection>()
  const bounds = createSharedBounds(limits)
  const handle = createHttpHandler({ ...of, bounds, requestBytes: limits.requestBytes, concurrent: limits.connections })
  const http = createServer(slowLimits(limits), (request, response) => {
    handle(request, response).catch((error: unknown) => {
      log.warn({ event: 'rpc.http_failed', err: error })
      response.destroy()
    })
  })
  http.maxConnections = 2 * limits.connections
  const sockets = new WebSocketServer({ noServer: true, maxPayload: limits.requestBytes, perMessageDeflate: false })

  http.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', (error) => log.debug({ event: 'rpc.socket_error', message: error.message }))
    const { origin, host } = request.headers
    if (!isAllowedHost({ host, listensOn: of.host, extra: of.origins })) return refuse(stream, '403 Forbidden')
    if (!isAllowedOrigin(origin, of.origins)) return refuse(stream, '403 Forbidden')
    if (connections.size >= limits.connections && !makeRoom(connections, limits.idleMs)) {
      log.warn({ event: 'rpc.refused', reason: 'too many connections', connections: connections.size })
      return refuse(stream, '503 Service Unavailable')
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const connection = serveConnection({
        ...of,
        bounds,
        socket,
        stream,
        onClose: () => connections.delete(connection),
      })
      connections.add(connection)
    })
  })

  const port = await listen(http, of)
  const host = of.host.includes(':') ? `[${of.host}]` : of.host
  return {
    url: `ws://${host}:${port}`,
    port,
    get connections() {
      return connections.size
    },
    keepAlive: async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(limits.pingMs as Ms, signal).catch((error: unknown) => {
          if (!signal.aborted) throw error
        })
        for (const connection of connections) connection.ping()
      }
    },
    close: () =>
      new Promise((resolve) => {
        for (const connection of connections) connection.close(CLOSE.goingAway, 'the chain stops')
        http.close(() => resolve())
        http.closeIdleConnections()
      }),
  }
}

/** Closes the connection that has been idle the longest, if one has been for long enough. */
const makeRoom = (connections: Set<Connection>, idleMs: number): boolean => {
  const idle = [...connections].map((connection) => ({ connection, ms: connection.idleMs() ?? 0 }))
  const longest = idle.reduce((most, one) => (one.ms > most.ms ? one : most), { connection: null, ms: idleMs } as {
    readonly connection: Connection | null
    readonly ms: number
  })
  if (longest.connection === null) return false
  connections.delete(longest.connection)
  longest.connection.close(CLOSE.tryLater, 'idle, and another client needs the place')
  return true
}

/** Half-sent requests end after a while; Node looks for them four times as often. */
const slowLimits = ({ headersMs, requestMs }: RpcLimits) => ({
  headersTimeout: headersMs,
  requestTimeout: requestMs,
  connectionsCheckingInterval: Math.ceil(headersMs / 4),
})

const refuse = (stream: Duplex, status: string): void =>
  void stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)

/**
 * Expects that a server can listen there: asked before a chain is opened or made.
 * @throws RPC_PORT_IN_USE, RPC_CANNOT_LISTEN
 */
export const mustBeFree = async (of: { readonly host: string; readonly port: number }): Promise<void> => {
  const probe = createServer()
  await listen(probe, of)
  await new Promise((resolve) => probe.close(resolve))
}

const listen = (http: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<number> =>
  new Promise((resolve, reject) => {
    http.once('error', (cause: NodeJS.ErrnoException) => reject(cannotListen({ host, port, cause })))
    http.listen(port, host, () => {
      const address = http.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })

const cannotListen = (of: {
  readonly host: string
  readonly port: number
  readonly cause: NodeJS.ErrnoException
}): SubnetError => {
  const { host, port, cause } = of
  if (cause.code === 'EADDRINUSE') {
    return new SubnetError({
      code: 'RPC_PORT_IN_USE',
      message: `Port ${port} on ${host} is in use; stop the process that holds it, or choose another with --port (0 takes a free one)`,
      cause,
    })
  }
  return new SubnetError({
    code: 'RPC_CANNOT_LISTEN',
    message: `Cannot listen on ${host}:${port}: ${cause.message}; choose an address of this machine with --host and a port you may use`,
    cause,
  })
}
