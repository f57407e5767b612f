import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { closeAll, closing, open, post, request, start } from './support/rpc-server.ts'

afterEach(closeAll)

describe('WebSocket server', () => {
  test('many requests in flight on one socket are all answered, each with its id', async () => {
    const { url } = await start()
    const client = await open(url)
    const ids = Array.from({ length: 500 }, (_, index) => `Zy${index}`)
    for (const id of ids) client.send(request(id, 'chain_getHead'))
    await client.until(({ id }) => id === 'Zy499')
    expect(client.messages.map(({ id }) => id)).toEqual(ids)
  })

  test('requests beyond the bound in flight are refused with their id, the others answered', async () => {
    const { url } = await start({ inFlight: 3 })
    const client = await open(url)
    const batch = Array.from({ length: 20 }, (_, id) => request(id, 'state_getMetadata'))
    client.socket.send(JSON.stringify(batch)) // keeps the server busy while the rest arrives
    for (let id = 0; id < 50; id += 1) client.send(request(`late${id}`, 'system_name'))
    const answeredLate = () => client.messages.filter(({ id }) => String(id).startsWith('late'))
    await client.until(() => answeredLate().length === 50)
    const late = answeredLate()
    expect(late.some(({ error }) => error?.code === -32_009)).toBe(true)
    expect(late.every(({ error, result }) => error?.code === -32_009 || result === 'Arbor')).toBe(true)
  })

  test('frames of 20 MiB pass in both directions, and larger than the bound end the connection', async () => {
    const { url } = await start({ requestBytes: 24 * 1024 * 1024 })
    const client = await open(url)
    const key = `0x${'ab'.repeat(10 * 1024 * 1024)}`
    client.send(request(1, 'state_queryStorageAt', [key], null))
    const { result } = await client.until(({ id }) => id === 1)
    expect((result as [{ changes: [string, null][] }])[0].changes).toEqual([[key, null]])
    client.send(request(2, 'state_getStorage', key + 'cd'.repeat(4 * 1024 * 1024)))
    expect((await client.closed).code).toBe(1009)
  })

  test('connections beyond the bound are refused until one ends', async () => {
    const { url } = await start({ connections: 2 })
    const first = await open(url)
    await open(url)
    await expect(open(url)).rejects.toThrow('503')
    first.socket.close()
    await first.closed
    for (let tries = 0; ; tries += 1) {
      const client = await open(url).catch((error: Error) => error)
      if (!(client instanceof Error)) break
      expect(tries).toBeLessThan(1_000)
    }
  })

  test('a page of a foreign origin is refused, a local one is served', async () => {
    const { url } = await start()
    await expect(open(url, { origin: 'https://evil.example' })).rejects.toThrow('403')
    await open(url, { origin: 'http://localhost:5173' })
    expect((await post(url, '{}', { origin: 'https://evil.example' })).status).toBe(403)
  })

  test('a client that does not read is dropped, and the others are served on', async () => {
    const { url, clock, dropped } = await start({ bufferedBytes: 256 * 1024, highWaterBytes: 1024 * 1024 * 1024 })
    const slow = await open(url)
    const other = await open(url)
    slow.socket.pause()
    for (let id = 0; id < 60; id += 1) slow.send(request(id, 'state_getMetadata'))
    await dropped
    other.send(request('a', 'system_name'))
    expect((await other.until(({ id }) => id === 'a')).result).toBe('Arbor')
    await clock.advance(1_000)
    slow.socket.resume()
    await slow.closed
    expect(slow.messages.length).toBeLessThan(60)
  })

  test('a client that answers no ping is dropped, and one that does stays', async () => {
    const { url, clock } = await start({ pingMs: 1_000 })
    const dead = await open(url, { autoPong: false })
    const live = await open(url)
    for (let round = 0; dead.socket.readyState !== WebSocket.CLOSED; round += 1) {
      const pinged = new Promise((resolve) => live.socket.once('ping', resolve))
      await clock.advance(1_000)
      await pinged
      live.send(request(round, 'system_name'))
      await live.until(({ id }) => id === round)
      if (round > 100) throw new Error('still connected')
    }
    expect(live.socket.readyState).toBe(WebSocket.OPEN)
  })

  test('clients hear why when the chain stops', async () => {
    const { url } = await start()
    const client = await open(url)
    const stop = closing.shift()
    await stop?.()
    expect(await client.closed).toEqual({ code: 1001, reason: 'the chain stops' })
  })

  test('garbage on the port hurts nobody', async () => {
    const { url } = await start()
    const { port, hostname } = new URL(url)
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.end('\x00\x01\x02 no http\r\n\r\n'))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve())
      socket.resume()
    })
    const client = await open(url)
    client.socket.send(Buffer.from([0xff, 0xfe]), { binary: true })
    expect((await client.until(({ error }) => error !== undefined)).error?.code).toBe(-32_700)
  })
})

describe('HTTP on the same port', () => {
  test('a POST is answered, single and batch, and health is told', async () => {
    const { url, chain } = await start()
    const single = await post(url, JSON.stringify(request('x', 'chain_getHead')))
    expect(await single.json()).toEqual({ jsonrpc: '2.0', id: 'x', result: chain.best().hash })
    const batch = await post(url, JSON.stringify([request(1, 'system_name'), request(2, 'nope')]))
    expect(await batch.json()).toMatchObject([
      { id: 1, result: 'Arbor' },
      { id: 2, error: { code: -32_601 } },
    ])
    const health = await fetch(`${url.replace('ws', 'http')}/health`)
    expect([health.status, await health.json()]).toMatchObject([200, { peers: 0, isSyncing: false, best: 0 }])
  })

  test('wrong types, wrong verbs and large bodies are refused', async () => {
    const { url } = await start({ requestBytes: 1024 })
    expect((await post(url, '{}', { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await fetch(url.replace('ws', 'http'), { method: 'DELETE' })).status).toBe(405)
    expect((await post(url, 'x'.repeat(4096))).status).toBe(413)
    expect((await post(url, JSON.stringify(request(1, 'system_name')))).status).toBe(200)
  })
})
