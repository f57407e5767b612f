import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** One request as it came over the wire. */
export interface RawRequest {
  readonly startLine: string
  /** Names as sent. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

/** A TCP server that answers requests with whatever bytes a test wants. */
export interface RawAxon {
  readonly port: number
  readonly requests: readonly RawRequest[]
  close(): Promise<void>
}

/** Starts a server on 127.0.0.1 that reads whole requests and hands each to `answer`. */
export async function startRawAxon(answer: (socket: Socket, request: RawRequest) => void): Promise<RawAxon> {
  const sockets = new Set<Socket>()
  const requests: RawRequest[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}) // the asker went away
    socket.on('close', () => sockets.delete(socket))
    let held = Buffer.alloc(0)
    socket.on('data', (part) => {
      held = Buffer.concat([held, part])
      for (let read = takeRequest(held); read !== null; read = takeRequest(held)) {
        held = held.subarray(read.end)
        requests.push(read.request)
        answer(socket, read.request)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Takes one whole request off the front; null while it is not all there. */
function takeRequest(held: Buffer): { readonly request: RawRequest; readonly end: number } | null {
  const headEnd = held.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const [startLine = '', ...lines] = held.subarray(0, headEnd).toString('latin1').split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
  })
  const length = Number(headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? 0)
  const end = headEnd + 4 + length
  if (held.length < end) return null
  return { request: { startLine, headers, body: held.subarray(headEnd + 4, end).toString('utf8') }, end }
}

/** Writes an answer with a length of its own. */
export function rawAnswer(of: {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array
}): Buffer {
  const head = [`HTTP/1.1 ${of.status} Whatever`, ...of.headers.map(([name, value]) => `${name}: ${value}`)]
  head.push(`content-length: ${of.body.length}`, '', '')
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'utf8'), of.body])
}
