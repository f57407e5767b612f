import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { closeAll, closing, open, post, request, start } from './support/rpc-server.ts'

afterEach(closeAll)

const MIB = 1024 * 1024

/** A TCP connection that says what it is told, and what it hears until the server hangs up. */
const raw = (url: string, text: string): { readonly socket: Socket; readonly heard: Promise<string> } => {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname, () => socket.write(text))
  closing.push(() => void socket.destroy())
  const heard = new Promise<string>((resolve) => {
    let all = ''
    socket.on('data', (data) => {
      all += data.toString()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(all))
  })
  return { socket, heard }
}

describe('a server among hostile clients', () => {
  test('a thousand idle sockets cost little, and others are served', async () => {
    const { url } = await start()
    const worker = await open(url)
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    for (let opened = 0; opened < 1_000; opened += 100) {
      await Promise.all(Array.from({ length: 100 }, () => open(url)))
    }
    worker.send(request('a', 'chain_getHead'))
    expect(await worker.until(({ id }) => id === 'a')).toHaveProperty('result')
    const late = await open(url)
    late.send(request('b', 'system_name'))
    expect((await late.until(({ id }) => id === 'b')).result).toBe('Arbor')
    // Both ends of each live in this process; 0.2 MiB is several times what a pair takes.
    expect((process.memoryUsage().rss - before) / MIB).toBeLessThan(200)
  })

  test('idle sockets make room when all places are taken, those with a subscription do not', async () => {
    const { url, clock } = await start({ connections: 3, idleMs: 60_000, pingMs: 1_000_000 })
    const subscriber = await open(url)
    subscriber.send(request(1, 'chain_subscribeNewHeads'))
    await subscriber.until(({ id }) => id === 1)
    const idle = await open(url)
    const second = await open(url)
    await expect(open(url)).rejects.toThrow('503')
    await clock.advance(30_001)
    second.send(request(1, 'system_name'))
    await second.until(({ id }) => id === 1)
    await clock.advance(30_000)
    const newcomer = await open(url)
    expect(await idle.closed).toEqual({ code: 1013, reason: 'idle, and another client needs the place' })
    newcomer.send(request(1, 'system_name'))
    await newcomer.until(({ id }) => id === 1)
    expect([subscriber, second].map(({ socket }) => socket.readyState)).toEqual([WebSocket.OPEN, WebSocket.OPEN])
    await expect(open(url)).rejects.toThrow('503')
  })

  test('a subscriber that never reads is cut off with a reason, and others hear every block', async () => {
    const { url, chain, clock, dropped } = await start({ bufferedBytes: 2 * MIB, pingMs: 1_000_000 })
    const slow = await open(url)
    const other = await open(url)
    for (let id = 0; id < 1_000; id += 1) slow.send(request(id, 'chain_subscribeNewHeads'))
    await slow.until(({ id }) => id === 999)
    other.send(request('heads', 'chain_subscribeNewHeads'))
    await other.until(({ id }) => id === 'heads')
    slow.socket.pause()
    let cut = false
    dropped.then(() => {
      cut = true
    })
    let made = 0
    for (; !cut && made < 500; made += 1) {
      await chain.produce()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(cut).toBe(true)
    const isHead = (message: object): boolean => 'method' in message
    await other.until(() => other.messages.filter(isHead).length === made + 1)
    slow.socket.resume()
    expect(await slow.closed).toEqual({ code: 1008, reason: 'too slow: unsent data exceeds the bound' })
    expect(slow.messages.filter(isHead).length).toBeLessThan(1_000 * (made + 1))
    await clock.advance(1_000)
    other.send(request('still', 'system_name'))
    await other.until(({ id }) => id === 'still')
  })

  test('a client that sends without reading is not read from, and loses no request', async () => {
    const { url } = await start({ queuedBytes: 64 * 1024, inFlight: 1_000_000, highWaterBytes: 64 * 1024 })
    const client = await open(url)
    client.socket.pause()
    const key = `0x${'ab'.repeat(8 * 1024)}`
    for (let id = 0; id < 2_000; id += 1) client.send(request(id, 'state_queryStorageAt', [key], null))
    const other = await open(url)
    other.send(request('a', 'system_name'))
    await other.until(({ id }) => id === 'a')
    // 16 KiB each: most of the 32 MiB are still on this side.
    expect(client.socket.bufferedAmount).toBeGreaterThan(16 * MIB)
    client.socket.resume()
    await client.until(({ id }) => id === 1_999)
    expect(client.messages.map(({ id }) => id)).toEqual(Array.from({ length: 2_000 }, (_, id) => id))
  })

  test('large frames that never end are held up to a bound of all together, and small requests still pass', async () => {
    const { url } = await start({ totalRequestBytes: 8 * MIB })
    const part = Buffer.alloc(3 * MIB, 'x')
    const half = async (): Promise<Awaited<ReturnType<typeof open>>> => {
      const client = await open(url)
      await new Promise<void>((sent) => client.socket.send(part, { fin: false, binary: false }, () => sent()))
      return client
    }
    const holders = [await half(), await half()]
    const last = await half()
    const body = post(url, 'x'.repeat(6 * MIB)).catch((error: Error) => error)
    expect(await last.closed).toEqual({ code: 1013, reason: 'the server holds as many requests as it can' })
    const refused = await body
    expect(refused instanceof Error || refused.status === 503).toBe(true)
    const small = await open(url)
    small.send(request(1, 'system_name'))
    await small.until(({ id }) => id === 1)
    for (const { socket } of holders) {
      expect(socket.readyState).toBe(WebSocket.OPEN)
      socket.terminate()
    }
    for (let tries = 0; ; tries += 1) {
      const again = await post(url, ' '.repeat(6 * MIB) + JSON.stringify(request(1, 'system_name'))).catch(() => null)
      if (again?.status === 200) break
      expect(tries).toBeLessThan(1_000)
    }
  })

  test('subscriptions of all clients together have a bound', async () => {
    const { url } = await start({ subscriptions: 3 })
    const [one, two] = [await open(url), await open(url)]
    for (const id of [1, 2]) {
      one.send(request(id, 'chain_subscribeNewHeads'))
      two.send(request(id, 'chain_subscribeNewHeads'))
    }
    await Promise.all([one, two].map((client) => client.until(({ id }) => id === 2)))
    const answers = [...one.messages, ...two.messages].filter(({ id }) => id !== undefined)
    expect(answers.filter(({ error }) => error?.code === -32_006).length).toBe(1)
    one.socket.close()
    await one.closed
    for (let id = 3; ; id += 1) {
      two.send(request(id, 'chain_subscribeNewHeads'))
      if ((await two.until((message) => message.id === id)).error === undefined) break
      expect(id).toBeLessThan(1_000)
    }
  })

  test('a frame of 16 MiB passes, one of a byte more closes its connection alone', async () => {
    const { url } = await start()
    const [good, bad] = [await open(url), await open(url)]
    const exactly = (size: number): string => {
      const empty = JSON.stringify(request(1, 'state_getStorage', ''))
      const odd = (size - empty.length) % 2
      return (
        JSON.stringify(request(1, 'state_getStorage', 'ab'.repeat((size - empty.length - odd) / 2))) + ' '.repeat(odd)
      )
    }
    good.socket.send(exactly(16 * MIB))
    expect((await good.until(({ id }) => id === 1)).result).toBeNull()
    bad.socket.send(exactly(16 * MIB + 1))
    expect((await bad.closed).code).toBe(1009)
    good.send(request(2, 'system_name'))
    await good.until(({ id }) => id === 2)
  })

  test('text that is no UTF-8 closes a connection, and as binary is no JSON', async () => {
    const { url } = await start()
    const client = await open(url)
    const bytes = Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":"'),
      Buffer.from([0xff]),
      Buffer.from('","method":"system_name"}'),
    ])
    client.socket.send(bytes, { binary: true })
    expect(await client.until(() => true)).toEqual({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32_700, message: 'Parse error' },
    })
    client.socket.send(JSON.stringify(request('binary', 'system_name')), { binary: true })
    expect((await client.until(({ id }) => id === 'binary')).result).toBe('Arbor')
    client.socket.send(bytes, { binary: false })
    expect((await client.closed).code).toBe(1007)
    expect((await post(url, '\ud800{')).status).toBe(200)
  })

  test('nesting to any depth, and batches within batches, are answered', async () => {
    const { url } = await start()
    const client = await open(url)
    const depth = 4 * MIB
    client.socket.send('['.repeat(depth) + ']'.repeat(depth))
    client.socket.send(
      `{"jsonrpc":"2.0","id":1e400,"method":"system_name","params":${'['.repeat(depth)}${']'.repeat(depth)}}`,
    )
    client.socket.send('['.repeat(depth))
    client.send(request('end', 'system_name'))
    await client.until(({ id }) => id === 'end')
    expect(client.messages.length).toBe(4)
  })
})

test('any frames, text or binary, in any order, are answered or close their connection, and nobody else’s', async () => {
  const { url } = await start()
  const bystander = await open(url)
  const random = createRandom(20_261_121)
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item
  const methods = [
    'system_name',
    'chain_getHead',
    'state_getStorage',
    'chain_subscribeNewHeads',
    'author_submitExtrinsic',
    'nope',
  ]
  const frame = (): Buffer => {
    const good = Buffer.from(
      JSON.stringify(request(pick(['Zy1', 7, null, -0.5]), pick(methods), pick(['0x00', '0x', null, 5]))),
    )
    const kind = random()
    if (kind < 0.3) return good
    if (kind < 0.4) return Buffer.from(`[${good},${good},5]`)
    if (kind < 0.5) return good.subarray(0, Math.floor(random() * good.length))
    const bytes = kind < 0.8 ? Buffer.from(good) : Buffer.alloc(Math.floor(random() * 300))
    for (let edit = 0; edit < (kind < 0.8 ? 3 : bytes.length); edit += 1) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    }
    return bytes
  }
  let closed = 0
  for (let round = 0; round < 40; round += 1) {
    const client = await open(url)
    for (let sent = 0; sent < 25; sent += 1) client.socket.send(frame(), { binary: random() < 0.5 })
    client.send(request('last', 'system_name'))
    const end = await Promise.race([client.closed, client.until(({ id }) => id === 'last')])
    if ('reason' in end) {
      closed += 1
      expect(end.code).toBe(1007)
    }
    const answers = client.messages.flat().filter((message) => !('method' in message))
    for (const answer of answers) {
      expect(answer).toMatchObject({ jsonrpc: '2.0' })
      expect('result' in answer).toBe(!('error' in answer))
      expect(answer.error?.code).not.toBe(-32_603)
    }
  }
  expect(closed).toBeGreaterThan(0)
  bystander.send(request('still', 'system_name'))
  expect((await bystander.until(({ id }) => id === 'still')).result).toBe('Arbor')
})

/** Numbers in [0, 1) from a seed: a linear congruential generator. @source Numerical Recipes §7.1 */
const createRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('half a request', () => {
  test.each([
    ['nothing at all', ''],
    ['half a head', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Le'],
    [
      'half a body',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"json',
    ],
    ['half an upgrade', 'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'],
  ])('%s is waited for so long only', async (_, text) => {
    const { url } = await start({ headersMs: 200, requestMs: 400 })
    const { heard } = raw(url, text)
    expect(await heard).toMatch(/^(HTTP\/1\.1 408 |$)/)
    expect((await post(url, JSON.stringify(request(1, 'system_name')))).status).toBe(200)
  })

  test('an upgrade that is none is refused', async () => {
    const { url } = await start()
    const head = 'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    expect(await raw(url, `${head}\r\n`).heard).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(await raw(url, `${head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n`).heard).toMatch(
      /^HTTP\/1\.1 400 /,
    )
  })

  test('a name that is not this machine’s is refused, since a page could have it resolve to here', async () => {
    const { url } = await start()
    await expect(open(url, { headers: { host: 'evil.example:9944' } })).rejects.toThrow('403')
    for (const host of ['localhost', 'LOCALHOST:9944', '127.0.0.1:1', '[::1]:9944'])
      await open(url, { headers: { host } })
    const body = JSON.stringify(request(1, 'system_name'))
    const head = `POST / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
    expect(await raw(url, head + body).heard).toMatch(/^HTTP\/1\.1 403 /)
  })
})
