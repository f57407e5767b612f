import { chmodSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { SubnetError } from '@arbor/shared/errors'
import { type ConnectionDeps, SERVER_LIMITS, serve } from './connection.ts'

export interface SignerServer {
  close(): Promise<void>
}

/** Listens at a path that is this process's. @throws SIGNER_FOLDER when the system does not let it */
export const listenSigner = async (deps: ConnectionDeps, path: string): Promise<SignerServer> => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    deps.counts.connections.open += 1
    socket.once('close', () => {
      sockets.delete(socket)
      deps.counts.connections.open -= 1
    })
    serve(deps, socket)
  })
  server.maxConnections = SERVER_LIMITS.connections
  await listening(server, path)
  chmodSync(path, 0o600)
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

const listening = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const onError = (cause: Error): void =>
      reject(
        new SubnetError({
          code: 'SIGNER_FOLDER',
          message: `The signer cannot listen at ${path}: ${cause.message}; name another place with --socket`,
          details: { path },
          cause,
        }),
      )
    server.once('error', onError)
    server.listen(path, () => {
      server.off('error', onError)
      resolve()
    })
  })
