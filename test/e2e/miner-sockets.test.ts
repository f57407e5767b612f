import { type AddressInfo, connect, type Socket } from 'node:net'
import { systemClock } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requestOf, rich, sign, type TestNet, testNet } from '../../miner/test/net.ts'

/** Longest time that a connection of these tests may live; the server's own bounds are shorter. */
const PATIENCE_MS = 25_000

let net: TestNet
let port = 0
const served = { count: 0 }

beforeAll(async () => {
  const solve = async () => {
    served.count += 1
    return { text: 'a', tokens: [1], finish: 'length', fingerprint: [] }
  }
  net = await testNet({ clock: { ...systemClock, sleeping: () => 0 } as never, solve })
  await net.app.listen({ host: '127.0.0.1', port: 0 })
  port = (net.app.server.address() as AddressInfo).port
})
afterAll(() => net.app.close())

const clocked = { clock: systemClock as never }
const headOf = (headers: Readonly<Record<string, string>>, length: number | string): string =>
  [
    'POST /chat HTTP/1.1',
    'host: miner',
    'content-type: application/json',
    `content-length: ${length}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ].join('\r\n')

interface Talk {
  readonly received: Buffer
  /** Bytes that the socket took from us. */
  readonly sent: number
}

/** Opens a connection, lets `send` write, and collects what comes until the other side closes. */
const talk = (send: (socket: Socket) => void): Promise<Talk> =>
  new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    const socket = connect({ host: '127.0.0.1', port }, () => send(socket))
    const giveUp = AbortSignal.timeout(PATIENCE_MS)
    giveUp.addEventListener('abort', () => reject(new Error('the miner kept the connection')))
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.on('error', () => undefined) // a reset is one way to close
    socket.on('close', () => resolve({ received: Buffer.concat(parts), sent: socket.bytesWritten }))
  })

/** Writes one chunk after another for as long as the socket takes them. */
const pour = (socket: Socket, chunk: Buffer, times: number): void => {
  let left = times
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= 1
      if (!socket.write(chunk)) return
    }
  }
  socket.on('drain', more)
  more()
}

const works = async (): Promise<number> => {
  const body = requestOf(net.spec)
  const { headers } = sign(clocked, body)
  const { received } = await talk((socket) =>
    socket.write(headOf({ ...headers, connection: 'close' }, body.length) + body.toString()),
  )
  return Number(received.toString().split(' ')[1])
}

describe('miner on a socket', () => {
  test('answers an honest request', async () => {
    expect(await works()).toBe(200)
  })

  test('does not read a body of 1 GB, whoever signed it', async () => {
    const chunk = Buffer.alloc(1 << 20, 32)
    for (const headers of [{}, sign(clocked, Buffer.from('x'), { signer: rich }).headers]) {
      const { received, sent } = await talk((socket) => {
        socket.write(headOf(headers, 1 << 30))
        pour(socket, chunk, 1024)
      })
      expect(sent).toBeLessThan(64 << 20) // what the kernel's buffers took
      expect(received.length).toBeLessThan(1_024)
    }
    expect(await works()).toBe(200)
  })

  test('does not read an endless chunked body', async () => {
    const { received, sent } = await talk((socket) => {
      const { headers } = sign(clocked, Buffer.from('x'))
      socket.write(headOf(headers, 0).replace('content-length: 0', 'transfer-encoding: chunked'))
      pour(socket, Buffer.from(`100000\r\n${' '.repeat(1 << 20)}\r\n`), 1024)
    })
    expect(received.toString()).toContain('WIRE_LENGTH')
    expect(sent).toBeLessThan(64 << 20)
    expect(await works()).toBe(200)
  })

  test('closes a connection that never ends its headers', async () => {
    const { received } = await talk((socket) => {
      socket.write('POST /chat HTTP/1.1\r\nhost: miner\r\n')
      const drip = async (): Promise<void> => {
        for (let n = 0; !socket.destroyed; n += 1) {
          socket.write(`x-${n}: y\r\n`)
          await systemClock.sleep(500 as Ms, new AbortController().signal)
        }
      }
      void drip()
    })
    expect(received.length).toBeLessThan(256)
  })

  test('closes a connection whose body trickles in, and frees its place', async () => {
    const body = requestOf(net.spec)
    const { headers } = sign(clocked, body)
    const { received } = await talk((socket) => {
      socket.write(headOf(headers, body.length))
      const drip = async (): Promise<void> => {
        for (let at = 0; !socket.destroyed && at < body.length - 1; at += 1) {
          socket.write(body.subarray(at, at + 1))
          await systemClock.sleep(400 as Ms, new AbortController().signal)
        }
      }
      void drip()
    })
    expect(received.length).toBeLessThan(1_024)
    await expect.poll(() => net.deps.gate.working).toBe(0)
    expect(await works()).toBe(200)
  })

  test('answers garbage with next to nothing', async () => {
    const garbage = [
      '\r\n\r\n\r\n',
      'GET',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
      'POST /chat HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx',
      'POST /chat HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\nx',
      'POST /%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
      Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * 167 + 13) % 256)),
    ]
    for (const bytes of garbage) {
      const { received } = await talk((socket) => socket.end(bytes))
      expect(received.length).toBeLessThan(512)
    }
    expect(await works()).toBe(200)
  })

  test('serves others while one address holds as many connections as it may', async () => {
    const before = served.count
    const idle = Array.from({ length: 60 }, () => connect({ host: '127.0.0.1', port }))
    expect(await works()).toBe(200)
    for (const socket of idle) socket.destroy()
    expect(served.count).toBe(before + 1)
  })
})
