import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createRateLimit } from '@arbor/miner/admission/rate-limit'
import type { ServiceDeps } from '@arbor/miner/service/service'
import { systemClock } from '@arbor/shared/clock'
import { createStreamReader, type StreamEnd, verifyEnd } from '@arbor/shared/protocol/stream'
import type { Ms } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Asker,
  askerOf,
  headersOf,
  requestOf,
  stranger,
  type TestNet,
  testNet,
  write,
} from '../../miner/test/net.ts'

/** Longest time that a connection of these tests may live; the server's own bounds are shorter. */
const PATIENCE_MS = 25_000

let net: TestNet
let port = 0
let asker: Asker
const served = { count: 0 }

beforeAll(async () => {
  const solve: ServiceDeps['solve'] = async ({ emit, signal }) => {
    served.count += 1
    emit?.('a')
    if (emit !== undefined && streams.endless) await systemClock.sleep(60_000 as Ms, signal)
    return { text: 'a', tokens: [1], finish: 'length', fingerprint: [] }
  }
  const rate = createRateLimit({ perSecond: 1_000, burst: 1_000, clock: systemClock })
  net = await testNet({ clock: systemClock, solve, rate })
  await net.app.listen({ host: '127.0.0.1', port: 0 })
  port = (net.app.server.address() as AddressInfo).port
  asker = await askerOf(net)
})
afterAll(() => net.app.close())

/** Whether streams that are asked for end by themselves. */
const streams = { endless: false }

/** Headers of a proven request for a body that need not follow. */
const proven = (body: Uint8Array, of: Partial<Parameters<typeof write>[1]> = {}) => {
  const written = write(asker, { now: systemClock.now(), body, ...of })
  return { written, headers: headersOf(asker, written) }
}
const headOf = (headers: Readonly<Record<string, string>>, length: number | string): string =>
  [
    'POST /chat HTTP/1.1',
    'host: miner',
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
  const { written, headers } = proven(requestOf(net.spec))
  const { received } = await talk((socket) => {
    socket.write(headOf({ ...headers, connection: 'close' }, written.body.length))
    socket.write(written.body)
  })
  return Number(received.toString().split(' ')[1])
}

describe('miner on a socket', () => {
  test('answers an honest request', async () => {
    expect(await works()).toBe(200)
  })

  test('does not read a body of 1 GB, whoever signed it', async () => {
    const chunk = Buffer.alloc(1 << 20, 32)
    for (const headers of [{}, proven(Buffer.from('x')).headers]) {
      const { received, sent } = await talk((socket) => {
        socket.write(headOf(headers, 1 << 30))
        pour(socket, chunk, 1024)
      })
      expect(sent).toBeLessThan(64 << 20) // what the kernel's buffers took
      expect(received.length).toBeLessThan(1_024)
    }
    expect(await works()).toBe(200)
  })

  test('asks for the body of an admitted request only', async () => {
    const expecting = { expect: '100-continue', connection: 'close' }
    const refused = await talk((socket) => socket.write(headOf(expecting, 100)))
    expect(refused.received.toString()).toMatch(/^HTTP\/1.1 400 .*WIRE_HEADERS/s)
    const { written, headers } = proven(requestOf(net.spec))
    const admitted = await talk((socket) => {
      socket.write(headOf({ ...headers, ...expecting }, written.body.length))
      socket.once('data', () => socket.write(written.body))
    })
    expect(admitted.received.toString('latin1')).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/)
  })

  test('does not read an endless chunked body', async () => {
    const { received, sent } = await talk((socket) => {
      const { headers } = proven(Buffer.from('x'))
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

  test('closes a connection whose body trickles in, and serves others meanwhile', async () => {
    const { written, headers } = proven(requestOf(net.spec))
    const { body } = written
    const { received } = await talk((socket) => {
      socket.write(headOf(headers, body.length))
      const drip = async (): Promise<void> => {
        for (let at = 0; !socket.destroyed && at < body.length - 1; at += 1) {
          socket.write(body.subarray(at, at + 1))
          if (at === 5) expect(await works()).toBe(200) // there is one thread
          await systemClock.sleep(400 as Ms, new AbortController().signal)
        }
      }
      void drip()
    })
    expect(received.length).toBeLessThan(1_024)
    await expect.poll(() => net.gate.working).toBe(0)
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

  test('serves others while idle connections come from many addresses', async () => {
    const idle: Socket[] = []
    for (let index = 0; index < 1_500; index += 1) {
      const socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.1.${index % 15}` })
      socket.on('error', () => undefined) // who is one too many is cut off
      idle.push(socket)
      if (index % 100 === 99) await once(socket, 'connect')
    }
    expect(await works()).toBe(200)
    const open = await new Promise<number>((resolve) =>
      net.app.server.getConnections((_error, count) => resolve(count)),
    )
    expect(open).toBeLessThanOrEqual(1_024)
    for (const socket of idle) socket.destroy()
  })

  test('streams over a socket, and the end proves that all is there', async () => {
    const { written, headers } = proven(requestOf(net.spec), { accept: 'stream' })
    const { received } = await talk((socket) => {
      socket.write(headOf({ ...headers, connection: 'close' }, written.body.length))
      socket.write(written.body)
    })
    expect(received.toString('latin1')).toContain('content-type: application/arbor-stream\r\n')
    const frames = unchunk(received)
    const { chunks, end } = readAll(frames, written.fields.counter)
    expect(chunks.slice(0, 2)).toEqual(['a', ''])
    expect(JSON.parse(chunks.slice(2).join(''))).toMatchObject({ text: 'a' })
    expect(verifyEnd(end, { certificate: asker.certificate, requestHash: written.hash })).toEqual({ ok: true })
    expect(() => readAll(frames.subarray(0, -1), written.fields.counter)).toThrow('cut')
  })

  test('stops the work of a stream whose reader hangs up', async () => {
    streams.endless = true
    const { written, headers } = proven(requestOf(net.spec), { accept: 'stream' })
    const { received } = await talk((socket) => {
      socket.write(headOf(headers, written.body.length))
      socket.write(written.body)
      socket.once('data', () => socket.destroy())
    })
    streams.endless = false
    expect(received.length).toBeGreaterThan(0)
    await expect.poll(() => net.gate.working).toBe(0)
    expect(await works()).toBe(200)
  })

  test('refuses with no more bytes than it was sent, once an envelope is there', async () => {
    const { written, headers } = proven(requestOf(net.spec))
    const bare = (await askerOf(net, { signer: stranger })).session
    const cases: readonly (readonly [string, Record<string, string>])[] = [
      ['WIRE_REPLAY', headers],
      ['WIRE_SESSION', { 'arbor-envelope': write({ ...asker, session: bare }, empty()).envelope }],
      ['WIRE_KEYS', { 'arbor-envelope': write({ ...asker, serveId: new Uint8Array(16) }, empty()).envelope }],
      ['WIRE_HEADERS', { 'arbor-envelope': headers['arbor-envelope'] ?? '', 'arbor-other': '1' }],
      ['MINER_UNKNOWN_CALLER', headersOf({ ...asker, session: bare }, write({ ...asker, session: bare }, empty()))],
    ]
    expect(await works()).toBe(200)
    for (const [code, headers] of cases) {
      const head = headOf({ ...headers, connection: 'close' }, code === 'WIRE_REPLAY' ? written.body.length : 0)
      const times = code === 'WIRE_REPLAY' ? 2 : 1
      for (let time = 1; time <= times; time += 1) {
        const { received } = await talk((socket) => {
          socket.write(head)
          if (code === 'WIRE_REPLAY') socket.write(written.body)
        })
        if (time < times) continue
        expect(received.toString()).toContain(code)
        const sent = head.length + (code === 'WIRE_REPLAY' ? written.body.length : 0)
        expect(received.length, code).toBeLessThanOrEqual(sent)
      }
    }
  })

  test('keeps its memory under a flood of unknown sessions, and serves those it knows', async () => {
    const body = Buffer.alloc(0)
    const flood = async (from: number): Promise<void> => {
      for (let index = 0; index < 250; index += 1) {
        const session = { ...asker.session, id: Buffer.from(`${from}/${index}`.padEnd(16, '.')) }
        const written = write({ ...asker, session }, { now: systemClock.now(), body })
        const headers = index % 3 === 0 ? { 'arbor-envelope': written.envelope } : headersOf(asker, written)
        const response = await fetch(`http://127.0.0.1:${port}/chat`, { method: 'POST', headers, body })
        await response.arrayBuffer()
        expect(response.status).toBe(401)
      }
    }
    await flood(0)
    collect()
    const before = process.memoryUsage().heapUsed
    for (let from = 1; from <= 8; from += 1) await flood(from)
    collect()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 << 20)
    expect(await works()).toBe(200)
  })
})

/** Collects garbage, so that what is left is held. */
const collect = (): void => {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

const empty = () => ({ now: systemClock.now(), body: new Uint8Array(0) })

/** Joins the parts of a chunked body. */
const unchunk = (received: Buffer): Buffer => {
  const parts: Buffer[] = []
  for (let at = received.indexOf('\r\n\r\n') + 4; ; ) {
    const line = received.indexOf('\r\n', at)
    const length = Number.parseInt(received.subarray(at, line).toString(), 16)
    if (!(length > 0)) return Buffer.concat(parts)
    parts.push(received.subarray(line + 2, line + 2 + length))
    at = line + 2 + length + 2
  }
}

/** Reads a stream's frames to the end. */
const readAll = (frames: Uint8Array, counter: number): { readonly chunks: string[]; readonly end: StreamEnd } => {
  const reader = createStreamReader({ seal: { keys: asker.keys, counter }, maxBytes: 1 << 16 })
  const pushed = reader.push(frames)
  const finished = reader.finish()
  if (!pushed.ok || !finished.ok) throw new Error(pushed.ok && !finished.ok ? finished.fault : 'malformed')
  return { chunks: pushed.chunks.map((chunk) => Buffer.from(chunk).toString()), end: finished.end }
}
