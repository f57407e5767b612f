import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Keeps the number of connections within bounds. */
export interface Connections {
  /** Says that a connection has brought a request with a key, and is not to be closed for others until it is answered. */
  keep(socket: Socket): void
  /** Says that it waits for its next request. */
  release(socket: Socket): void
}

/**
 * Bounds a server's connections. For one too many, that one is closed which has waited longest without a request that was let in:
 * whoever opens connections and sends nothing, or shows wrong keys, keeps nobody out.
 */
export const boundConnections = (server: Server, most: number): Connections => {
  const idle = new Set<Socket>()
  const busy = new Set<Socket>()
  server.on('connection', (socket) => {
    if (idle.size + busy.size >= most) {
      const [oldest] = idle
      if (oldest === undefined) {
        socket.destroy()
        return
      }
      idle.delete(oldest)
      oldest.destroy()
    }
    idle.add(socket)
    socket.once('close', () => {
      idle.delete(socket)
      busy.delete(socket)
    })
  })
  const move = (from: Set<Socket>, to: Set<Socket>) => (socket: Socket) => {
    if (from.delete(socket)) to.add(socket)
  }
  return { keep: move(idle, busy), release: move(busy, idle) }
}
