import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { MAX_MESSAGE_TO_RELAY_BYTES } from '@arbor/shared/dial/frame'
import { DIAL_PATH, DIAL_PROTOCOL } from '@arbor/shared/dial/statement'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from '@arbor/shared/log'
import { WebSocketServer } from 'ws'
import { callerOf, ownHosts } from './address.ts'
import { acceptDialler, type DialDeps } from './dial.ts'
import type { RelayLimits } from './limits.ts'

/** Where something listens. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** Bounds of a connection that are no matter of taste. */
const HTTP = { headerBytes: 16_384, headersMs: 5_000, checkMs: 1_000, keepAliveMs: 30_000 } as const

/** Makes an HTTP server whose connections are bounded, in all and per address. */
export const boundedServer = (of: {
  readonly limits: Pick<RelayLimits, 'sockets' | 'socketsPerAddress' | 'timeoutMs' | 'graceMs'>
  readonly handle: RequestListener
  readonly log: Logger
}): Server => {
  const { limits, handle, log } = of
  const http = createServer(
    {
      maxHeaderSize: HTTP.headerBytes,
      headersTimeout: HTTP.headersMs,
      requestTimeout: limits.timeoutMs + limits.graceMs,
      keepAliveTimeout: HTTP.keepAliveMs,
      connectionsCheckingInterval: HTTP.checkMs,
    },
    (request, response) => {
      try {
        handle(request, response)
      } catch (err) {
        log.error({ event: 'relay.fault', err }, 'a request was not foreseen')
        response.destroy()
      }
    },
  )
  http.maxConnections = limits.sockets
  http.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    else socket.destroy()
  })
  const open = createCounter()
  http.on('connection', (socket) => {
    const caller = callerOf(socket)
    socket.once('close', () => open.give(caller))
    if (open.take(caller) > limits.socketsPerAddress) socket.destroy()
  })
  return http
}

/** Lets miners dial in over WebSocket; how many are still to prove themselves is bounded, in all and per address. */
export const acceptUpgrades = (
  http: Server,
  of: DialDeps & {
    /** Names under which the operator says that this server is dialled, as "host:port". */
    readonly names: ReadonlySet<string>
    readonly isClosing: () => boolean
  },
): { readonly terminate: () => void } => {
  const { limits, log } = of
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_TO_RELAY_BYTES,
    perMessageDeflate: false,
    autoPong: false, // pongs that a miner does not read would pile up
    clientTracking: false,
    handleProtocols: () => DIAL_PROTOCOL,
  })
  const streams = new Set<Duplex>()
  const unproven = createCounter()
  let all = 0
  http.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', (error) => log.debug({ event: 'relay.socket_error', message: error.message }))
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    if (request.url !== DIAL_PATH) return turnAway(stream, '404 Not Found')
    if (!offered.includes(DIAL_PROTOCOL)) return turnAway(stream, '400 Bad Request')
    const caller = callerOf(request.socket)
    if (of.isClosing() || all >= limits.unproven || unproven.count(caller) >= limits.unprovenPerAddress)
      return turnAway(stream, '503 Service Unavailable')
    unproven.take(caller)
    all += 1
    let settled = false
    const onSettled = (): void => {
      if (settled) return
      settled = true
      all -= 1
      unproven.give(caller)
    }
    streams.add(stream)
    stream.once('close', () => {
      streams.delete(stream)
      onSettled()
    })
    const isOwnHost = ownHosts(request.socket, of.names)
    sockets.handleUpgrade(request, stream, head, (socket) =>
      acceptDialler(of, { socket, address: caller, isOwnHost, onSettled }),
    )
  })
  return {
    terminate: () => {
      for (const stream of streams) stream.destroy()
    },
  }
}

const turnAway = (stream: Duplex, status: string): void =>
  void stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)

/** Counts by name; names without a count are forgotten. */
const createCounter = () => {
  const counts = new Map<string, number>()
  const count = (name: string): number => counts.get(name) ?? 0
  return {
    count,
    take: (name: string): number => {
      counts.set(name, count(name) + 1)
      return count(name)
    },
    give: (name: string): void => {
      if (count(name) <= 1) counts.delete(name)
      else counts.set(name, count(name) - 1)
    },
  }
}

/** Starts to listen. @returns the port @throws RELAY_PORT_IN_USE, RELAY_ADDRESS */
export const listenAt = (http: Server, { host, port }: Place): Promise<number> =>
  new Promise((resolve, reject) => {
    http.once('error', (cause: NodeJS.ErrnoException) => reject(cannotListen({ host, port, cause })))
    http.listen(port, host, () => {
      const address = http.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })

const cannotListen = (of: Place & { readonly cause: NodeJS.ErrnoException }): SubnetError => {
  const { host, port, cause } = of
  if (cause.code === 'EADDRINUSE')
    return new SubnetError({
      code: 'RELAY_PORT_IN_USE',
      message: `Port ${port} on ${host} is in use; choose another, 0 takes a free one`,
      cause,
    })
  return new SubnetError({
    code: 'RELAY_ADDRESS',
    message: `Cannot listen on ${host}:${port} (${cause.code ?? cause.message}); give an address of this machine and a port that you may use`,
    cause,
  })
}
