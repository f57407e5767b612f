import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { systemClock } from '@arbor/shared/clock'
import type { Answer } from '@arbor/validator/dendrite/answer'
import { afterEach, expect, test } from 'vitest'
import type { KeyRing } from '../../gateway/src/keys/ring.ts'
import { serve } from '../../gateway/src/serve.ts'
import { answered, gatewayOf, type Script, silent, speaking } from '../../gateway/test/support/gateway.ts'

const key = 'open-sesame'
const keys: KeyRing = {
  find: (text) =>
    text === key
      ? { id: '0'.repeat(12), name: 'ann', hash: '0'.repeat(64), createdAt: '2027-01-01T00:00:00Z', concurrent: 100 }
      : null,
  follow: async () => undefined,
}
const chat = { model: 'arbor-tiny', messages: [{ role: 'user', content: 'Hello' }], stream: true }
const body = JSON.stringify(chat)
const head = (length: number | string = body.length): string =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

/** Serves scripted miners on a real socket. */
const listen = async (of: { readonly script: Script; readonly connections?: number }) => {
  const gateway = gatewayOf({ keys, ...of })
  await gateway.app.listen({ host: '127.0.0.1', port: 0 })
  open.unshift({
    close: () => {
      gateway.app.server.closeAllConnections()
      return gateway.app.close()
    },
  })
  return { ...gateway, port: (gateway.app.server.address() as AddressInfo).port }
}
/** A raw connection, which reads only when it is told to. */
const dial = async (port: number): Promise<Socket> => {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => undefined)
  open.push({ close: () => socket.destroy() })
  await once(socket, 'connect')
  return socket
}
/** All that a connection brings until it is closed. */
const readAll = async (socket: Socket): Promise<string> => {
  const parts: Buffer[] = []
  socket.on('data', (bytes) => void parts.push(bytes))
  if (!socket.closed) await once(socket, 'close')
  return Buffer.concat(parts).toString()
}
const ask = async (port: number): Promise<number> =>
  (await fetch(`http://127.0.0.1:${port}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status

test('a reader that takes nothing costs one answer’s memory, gets all of it when it reads at last, and keeps nobody waiting', async () => {
  const piece = 'x'.repeat(16_384)
  const pieces = Array.from({ length: 400 }, () => piece) // 6.5 MB: more than the kernel holds for a reader
  let ended: Answer | null = null
  const script: Script = async (task, signal, onChunk) => {
    ended = await speaking(...pieces)(task, signal, onChunk)
    return answered(pieces.join(''), { tokens: 5 })
  }
  const { port, router } = await listen({ script })
  const socket = await dial(port)
  socket.pause()
  socket.write(head().replace('host:', 'connection: close\r\nhost:') + body)
  await expect.poll(() => [ended !== null, router.inFlight]).toEqual([true, 0]) // the miner is done with it
  expect(await ask(port)).toBe(200)
  socket.resume()
  const text = await readAll(socket)
  const events = text.split('\n').filter((line) => line.includes('data: '))
  expect(events.at(-1)).toBe('data: [DONE]')
  expect(events.length).toBeLessThan(100) // pieces were joined while nobody read
  expect(text.match(/x{2,}/g)?.join('').length).toBe(piece.length * pieces.length)
})

test('callers that hang up stop the miners’ work', async () => {
  let stopped = 0
  const script: Script = (task, signal, onChunk) => {
    signal.addEventListener('abort', () => {
      stopped += 1
    })
    onChunk?.(Buffer.from('a'))
    return silent(task, signal)
  }
  const { port, router } = await listen({ script })
  const sockets = await Promise.all(Array.from({ length: 4 }, () => dial(port)))
  for (const socket of sockets) socket.write(head() + body)
  await expect.poll(() => router.inFlight).toBe(4)
  for (const [index, socket] of sockets.entries()) {
    if (index % 2 === 0) socket.resetAndDestroy()
    else socket.destroy()
  }
  await expect.poll(() => [stopped, router.inFlight]).toEqual([4, 0])
})

test.each([
  ['headers without end', `GET /v1/models HTTP/1.1\r\nx: ${'a'.repeat(40_000)}`, 431],
  ['no HTTP', 'hello\r\n\r\n', 400],
  ['two lengths', `POST /v1/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n`, 400],
  [
    'length and chunks',
    `POST /v1/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`,
    400,
  ],
  ['a body that nobody waits for', head('999999999').replace(key, 'wrong'), 401],
  ['a body that is too large', head('999999999'), 413],
  ['a key of 10 000 letters', head().replace(key, 'a'.repeat(10_000)), 401],
])('%s: refused at once, and the connection closed', async (_, text, status) => {
  const { port } = await listen({ script: silent })
  const socket = await dial(port)
  socket.write(text)
  expect(await readAll(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(await ask(port)).toBe(200)
})

test('connections that say nothing, or half of it, keep nobody out', async () => {
  const { port } = await listen({ script: silent, connections: 8 })
  const idle = await Promise.all(Array.from({ length: 20 }, () => dial(port)))
  for (const socket of idle.slice(0, 10)) socket.write(head(1_000)) // and no body
  for (const socket of idle.slice(10)) socket.write('GET /v1/models HTTP/1.1\r\n')
  for (let i = 0; i < 5; i += 1) expect(await ask(port)).toBe(200)
})

test('a flood of wrong keys is refused, and the right one is answered meanwhile', async () => {
  const { port, metrics } = await listen({ script: silent })
  const wrong = async (index: number): Promise<number> =>
    (
      await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer arbor-${String(index).padStart(12, '0')}-${'a'.repeat(43)}` },
        body,
      })
    ).status
  const flood = Promise.all(Array.from({ length: 300 }, (_, index) => wrong(index)))
  expect(await ask(port)).toBe(200)
  expect(new Set(await flood)).toEqual(new Set([401]))
  expect(await metrics.text()).toContain('arbor_gateway_keys_refused_total{code="invalid_api_key"} 300')
})

test('a stop waits for what has begun, refuses what comes, and ends', async () => {
  const stop = new AbortController()
  const ready = Promise.withResolvers<string>()
  const release = Promise.withResolvers<void>()
  const script: Script = async (_task, _signal, onChunk) => {
    onChunk?.(Buffer.from('a'))
    await release.promise
    return answered('a')
  }
  const served = serve(
    {
      listen: { host: '127.0.0.1', port: 0 },
      build: (stopping) => gatewayOf({ keys, script, ...stopping }).app,
      onListening: ready.resolve,
      onStopping: () => undefined,
      supervise: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
      clock: systemClock,
    },
    stop.signal,
  )
  const port = Number(new URL(await ready.promise).port)
  const asking = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  })
  asking.end(body)
  const [response] = await once(asking, 'response')
  stop.abort()
  await expect.poll(() => ask(port).catch(() => 'refused')).toBe('refused')
  release.resolve()
  let text = ''
  for await (const bytes of response) text += bytes
  expect(text).toContain('[DONE]')
  await served
})
