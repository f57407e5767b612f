import { connect, createServer, type Server, type Socket } from 'node:net'

/** Passes connections on to another port, and keeps every byte that goes through. */
export interface Tap {
  readonly ip: string
  readonly port: number
  /** Everything that went either way, in order of arrival. */
  bytes(): Buffer
  close(): Promise<void>
}

/** Opens a tap. @param of.to where the connections go; asked for at each one */
export const openTap = async (of: {
  readonly ip: string
  readonly to: () => { readonly ip: string; readonly port: number }
}): Promise<Tap> => {
  const pieces: Buffer[] = []
  const sockets = new Set<Socket>()
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('data', (piece) => {
      pieces.push(Buffer.from(piece))
      to.write(piece)
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
  }
  const server: Server = createServer((near) => {
    const { ip, port } = of.to()
    const far = connect(port, ip)
    join(near, far)
    join(far, near)
  })
  await new Promise<void>((resolve) => server.listen(0, of.ip, resolve))
  const address = server.address()
  return {
    ip: of.ip,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    bytes: () => Buffer.concat(pieces),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
