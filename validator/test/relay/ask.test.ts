import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { systemClock } from '@arbor/shared/clock'
import { encodeWindow, FRAME, MAX_PIECE_BYTES } from '@arbor/shared/dial/frame'
import type { Ms } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import {
  ask,
  bob,
  codeOf,
  dialAs,
  envelopeFor,
  eve,
  headBytes,
  questionAt,
  readReply,
  serveSession,
  startAsking,
  stranger,
  testRelay,
  until,
} from './support.ts'

const connected = async (
  of: Parameters<typeof testRelay>[0] = {},
  takes: { readonly inFlight?: number; readonly bodyBytes?: number } = {},
  deps: Parameters<typeof testRelay>[1] = {},
) => {
  const relay = await testRelay(of, deps)
  return { relay, miner: await dialAs(relay.port, await serveSession(), takes) }
}

describe('relay that is asked', () => {
  test('brings the same bytes to the miner and its answer back, and sees nothing but ciphertext', async () => {
    const { relay, miner } = await connected()
    const body = randomBytes(300_000)
    const envelope = envelopeFor(body)
    const certificate = (await serveSession(eve, { purpose: 'ask' })).certificate.text
    const { head } = startAsking(relay.port, { body, envelope, headers: { 'arbor-certificate': certificate } })
    const question = await questionAt(miner)
    expect({ ...question, body: Buffer.from(question.body).equals(body) }).toEqual({
      id: 1,
      method: 'POST',
      path: '/chat',
      envelope,
      certificate,
      asker: '127.0.0.1',
      body: true,
    })
    const answer = randomBytes(200_000)
    miner.send(FRAME.head, 1, headBytes({ envelope: 'cGF5.c2ln', certificate: 'Y2VydA.c2ln' }))
    for (let at = 0; at < answer.length; at += MAX_PIECE_BYTES)
      miner.send(FRAME.body, 1, answer.subarray(at, at + MAX_PIECE_BYTES))
    miner.send(FRAME.end, 1)
    const reply = await readReply(await head)
    expect([reply.status, reply.whole, reply.body.equals(answer)]).toEqual([200, true, true])
    expect(reply.headers).toMatchObject({
      'content-type': 'application/arbor-sealed',
      'arbor-envelope': 'cGF5.c2ln',
      'arbor-certificate': 'Y2VydA.c2ln',
    })
    expect(relay.inFlight).toBe(0)
  })

  test('hands a stream on as it comes', async () => {
    const { relay, miner } = await connected()
    const { head } = startAsking(relay.port)
    const { id } = await questionAt(miner)
    miner.send(FRAME.head, id, headBytes({ contentType: 'application/arbor-stream' }))
    const response = await head
    for (const piece of ['one', 'two', 'three']) {
      miner.send(FRAME.body, id, Buffer.from(piece))
      const [read] = await Promise.all([new Promise<Buffer>((resolve) => response.once('data', resolve))])
      expect(read.toString()).toBe(piece)
    }
    miner.send(FRAME.end, id)
    await expect(readReply(response)).resolves.toMatchObject({ whole: true })
  })

  test('refuses by code and constant size what it cannot or shall not forward', async () => {
    const { relay, miner } = await connected({ bodyBytes: 1_000 }, { bodyBytes: 500 })
    const body = Buffer.from('sealed')
    const envelope = envelopeFor(body)
    const refused = [
      [{ envelope: envelopeFor(body, { contentType: 'application/json' }) }, 426, 'RELAY_UNSEALED'],
      [{ envelope: envelopeFor(body, { receiver: stranger }) }, 404, 'RELAY_UNKNOWN_MINER'],
      [{ envelope: envelopeFor(body, { receiver: eve }) }, 503, 'RELAY_NO_MINER'],
      [{ envelope: 'garbage' }, 400, 'RELAY_ENVELOPE'],
      [{ envelope: `${envelope.slice(0, 40)}!${envelope.slice(41)}` }, 400, 'RELAY_ENVELOPE'],
      [{ headers: { 'arbor-other': '1' } }, 400, 'RELAY_ENVELOPE'],
      [{ body: Buffer.from('another length'), envelope }, 411, 'RELAY_LENGTH'],
      [{ body: Buffer.alloc(1_001) }, 413, 'RELAY_TOO_LARGE'],
      [{ body: Buffer.alloc(501) }, 413, 'RELAY_TOO_LARGE'],
      [{ path: `/${'a'.repeat(300)}` }, 400, 'RELAY_BAD_HTTP'],
      [{ path: '/.arbor/elsewhere' }, 404, 'RELAY_NO_PATH'],
      [{ method: 'PUT' }, 404, 'RELAY_NO_PATH'],
    ] as const
    for (const [of, status, code] of refused) {
      const reply = await ask(relay.port, of)
      expect([code, reply.status, codeOf(reply), reply.body.length]).toEqual([code, status, code, 64])
    }
    expect([miner.socket.readyState, relay.miners, relay.inFlight]).toEqual([1, 1, 0])
  })

  test('says at once that a miner is gone, and breaks off an answer that had begun', async () => {
    const { relay, miner } = await connected()
    const first = startAsking(relay.port)
    const { id } = await questionAt(miner)
    const second = startAsking(relay.port)
    await questionAt(miner)
    miner.send(FRAME.head, id, headBytes())
    miner.send(FRAME.body, id, Buffer.from('half'))
    const begun = await first.head
    miner.socket.terminate()
    expect((await readReply(begun)).whole).toBe(false)
    const gone = await readReply(await second.head)
    expect([gone.status, codeOf(gone)]).toEqual([502, 'RELAY_MINER_GONE'])
    const after = await ask(relay.port)
    expect([after.status, codeOf(after), after.headers['retry-after']]).toEqual([503, 'RELAY_NO_MINER', '1'])
    expect(relay.inFlight).toBe(0)
  })

  test('ends a question at its deadline, whether the miner never answers or never ends', async () => {
    const { relay, miner } = await connected({ graceMs: 0 })
    const body = Buffer.from('sealed')
    const envelope = envelopeFor(body, { timeoutMs: 100 })
    const silent = await ask(relay.port, { body, envelope })
    expect([silent.status, codeOf(silent)]).toEqual([504, 'RELAY_LATE'])
    expect((await questionAt(miner)).id).toBe(1)
    expect(await miner.next()).toMatchObject({ kind: FRAME.cancel, id: 1 })
    const endless = startAsking(relay.port, { body, envelope: envelopeFor(body, { timeoutMs: 200 }) })
    expect((await questionAt(miner)).id).toBe(2)
    miner.send(FRAME.head, 2, headBytes())
    expect((await readReply(await endless.head)).whole).toBe(false)
    expect(await miner.next()).toMatchObject({ kind: FRAME.cancel, id: 2 })
    miner.send(FRAME.body, 2, Buffer.from('late')) // it was under way
    expect((await fetch(`http://127.0.0.1:${relay.port}/health`)).status).toBe(200)
    expect(relay.miners).toBe(1)
  })

  test('tells the miner when an asker goes, and survives a storm of them', async () => {
    const { relay, miner } = await connected({ inFlightPerMiner: 300 }, { inFlight: 300 })
    const asked = Array.from({ length: 200 }, () => startAsking(relay.port))
    await until(() => relay.inFlight === 200)
    const ids = new Set<number>()
    for (let count = 0; count < 200; count += 1) ids.add((await questionAt(miner)).id)
    for (const { request } of asked) request.destroy()
    for (let count = 0; count < 200; count += 1) {
      const { kind, id } = await miner.next()
      expect([kind, ids.delete(id)]).toEqual([FRAME.cancel, true])
    }
    expect(relay.inFlight).toBe(0)
    const { head } = startAsking(relay.port)
    const { id } = await questionAt(miner)
    miner.send(FRAME.head, id, headBytes())
    miner.send(FRAME.end, id)
    expect((await head).statusCode).toBe(200)
  })

  test('bounds what is in flight, to one miner, from one address and in all', async () => {
    for (const [limits, code] of [
      [{ inFlightPerMiner: 2 }, 'RELAY_MINER_BUSY'],
      [{ inFlightPerAddress: 2 }, 'RELAY_RATE'],
      [{ inFlight: 2 }, 'RELAY_FULL'],
    ] as const) {
      const { relay, miner } = await connected(limits)
      startAsking(relay.port)
      startAsking(relay.port)
      await questionAt(miner)
      await questionAt(miner)
      const third = await ask(relay.port)
      expect([codeOf(third), third.headers['retry-after']]).toEqual([code, '1'])
    }
  })

  /** Sends a head and half of its body. @returns what is answered */
  const trickle = (port: number, timeoutMs: number): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      const envelope = envelopeFor(Buffer.from('sealed'), { timeoutMs: timeoutMs as Ms })
      socket.write(`POST /chat HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\narbor-envelope: ${envelope}\r\n\r\nsea`)
      socket.once('data', (data) => resolve(data.toString()))
    })

  test('ends bodies that do not come', async () => {
    const { relay } = await connected({ graceMs: 0 })
    const trickling = [trickle(relay.port, 300), trickle(relay.port, 300)]
    for (const text of await Promise.all(trickling)) expect(text).toContain('RELAY_LATE')
    expect(relay.inFlight).toBe(0)
  })

  test('is kept from no asker by heads whose bodies do not come: the oldest makes room', async () => {
    for (const limits of [{ inFlight: 2 }, { totalBodyBytes: 12 }]) {
      const { relay, miner } = await connected(limits)
      const oldest = trickle(relay.port, 60_000)
      await until(() => relay.inFlight === 1)
      void trickle(relay.port, 60_000)
      await until(() => relay.inFlight === 2)
      const { head } = startAsking(relay.port)
      const { id } = await questionAt(miner)
      expect(await oldest).toContain('RELAY_FULL')
      expect(relay.inFlight).toBe(2)
      miner.send(FRAME.head, id, headBytes())
      miner.send(FRAME.end, id)
      expect((await head).statusCode).toBe(200)
    }
  })

  test('lets a miner send no more than its asker takes, and cuts off one that takes nothing', async () => {
    const { relay, miner } = await connected({ slowMs: 400 })
    const { port } = relay
    const body = Buffer.from('sealed')
    const slow = connect(port, '127.0.0.1')
    slow.pause()
    slow.write(
      `POST /chat HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\narbor-envelope: ${envelopeFor(body)}\r\n\r\n`,
    )
    slow.write(body)
    const { id } = await questionAt(miner)
    miner.send(FRAME.head, id, headBytes())
    let granted = 262_144
    let sent = 0
    const piece = randomBytes(MAX_PIECE_BYTES)
    for (;;) {
      for (; granted >= piece.length; granted -= piece.length, sent += piece.length) miner.send(FRAME.body, id, piece)
      const { kind, payload } = await miner.next()
      if (kind === FRAME.cancel) break
      expect(kind).toBe(FRAME.window)
      granted += Buffer.from(payload).readUInt32BE()
    }
    slow.destroy()
    await until(() => relay.inFlight === 0)
    expect(sent).toBeLessThan(16 * 1_048_576) // what the kernel's buffers hold, and a window
    expect(relay.miners).toBe(1)
  })

  test('sends a miner away that floods past its window, and fails its questions', async () => {
    const { relay, miner } = await connected()
    const { head } = startAsking(relay.port)
    const { id } = await questionAt(miner)
    miner.send(FRAME.head, id, headBytes())
    const response = await head
    response.pause()
    const flood = Buffer.alloc(MAX_PIECE_BYTES)
    for (let count = 0; count < 400; count += 1) miner.send(FRAME.body, id, flood)
    let frame = await miner.next()
    while (frame.kind === FRAME.window) frame = await miner.next()
    expect([frame.kind, Buffer.from(frame.payload).toString()]).toEqual([FRAME.refused, 'RELAY_PROTOCOL'])
    expect((await readReply(response)).whole).toBe(false)
    expect(relay.miners).toBe(0)
  })

  test('sends a miner away that answers what it was never asked, or breaks the order', async () => {
    const wrongs: readonly ((
      send: (kind: (typeof FRAME)[keyof typeof FRAME], id: number, payload?: Uint8Array) => void,
    ) => void)[] = [
      (send) => send(FRAME.head, 7, headBytes()),
      (send) => send(FRAME.body, 1, Buffer.from('before its head')),
      (send) => send(FRAME.end, 1),
      (send) => send(FRAME.window, 1, encodeWindow(1)),
      (send) => {
        send(FRAME.head, 1, headBytes())
        send(FRAME.body, 1)
      },
      (send) => {
        send(FRAME.head, 1, headBytes())
        send(FRAME.end, 1)
        send(FRAME.end, 1)
      },
      (send) => send(FRAME.challenge, 0, randomBytes(32)),
    ]
    for (const wrong of wrongs) {
      const { relay, miner } = await connected()
      const { head } = startAsking(relay.port)
      await questionAt(miner)
      wrong(miner.send)
      const { kind, payload } = await miner.next()
      expect([kind, Buffer.from(payload).toString()]).toEqual([FRAME.refused, 'RELAY_PROTOCOL'])
      await head.catch(() => undefined)
      expect(relay.inFlight).toBe(0)
    }
  })

  test('refuses an answer whose head is not fit for HTTP, or that is too large', async () => {
    const { relay, miner } = await connected({ answerBytes: 1_000 })
    for (const bad of [
      { status: 99 },
      { status: 200, contentType: 'text/html\r\nx-evil: 1' },
      { envelope: 'no token' },
      { certificate: `${'a'.repeat(2_000)}.b` },
      { retryAfterS: 1_000_000 },
    ]) {
      const { head } = startAsking(relay.port)
      const { id } = await questionAt(miner)
      miner.send(FRAME.head, id, headBytes(bad))
      const reply = await readReply(await head)
      expect([reply.status, codeOf(reply)]).toEqual([502, 'RELAY_BAD_ANSWER'])
      expect((await miner.next()).kind).toBe(FRAME.cancel)
    }
    const { head } = startAsking(relay.port)
    const { id } = await questionAt(miner)
    miner.send(FRAME.head, id, headBytes())
    for (let count = 0; count < 17; count += 1) miner.send(FRAME.body, id, Buffer.from('x')) // each counts 64
    expect((await readReply(await head)).whole).toBe(false)
    expect(relay.miners).toBe(1)
  })

  test('logs neither bodies nor envelopes, and forgets what it forwarded', async () => {
    const { relay, miner } = await connected()
    const body = Buffer.from('this would be ciphertext')
    const envelope = envelopeFor(body)
    const { head } = startAsking(relay.port, { body, envelope })
    const { id } = await questionAt(miner)
    miner.send(FRAME.head, id, headBytes())
    miner.send(FRAME.body, id, Buffer.from('and so would this'))
    miner.send(FRAME.end, id)
    await readReply(await head)
    const logged = relay.log.join('')
    expect(logged).toContain('relay.asked')
    for (const hidden of [body.toString(), 'and so would this', envelope.slice(0, 40)])
      expect(logged).not.toContain(hidden)
  })

  test('takes more connections of its own machine than of another address when it is a validator that listens', async () => {
    const { relay, miner } = await connected({ socketsPerAddress: 2 }, {}, { isOpen: false })
    const asked = Array.from({ length: 8 }, () => startAsking(relay.askPort))
    for (const _ of asked) {
      const { id } = await questionAt(miner)
      miner.send(FRAME.head, id, headBytes())
      miner.send(FRAME.end, id)
    }
    const statuses = await Promise.all(asked.map(async ({ head }) => (await head).statusCode))
    expect(statuses).toEqual(asked.map(() => 200))
  })

  test('asks only from its own machine when it is a validator that listens', async () => {
    const relay = await testRelay({}, { isOpen: false, self: eve.publicKey })
    const miner = await dialAs(relay.port, await serveSession(bob))
    expect(miner.welcome?.relays).toBe(false)
    const outside = await ask(relay.port)
    expect([outside.status, codeOf(outside)]).toEqual([404, 'RELAY_NO_PATH'])
    const inside = startAsking(relay.askPort)
    const { id } = await questionAt(miner)
    miner.send(FRAME.head, id, headBytes({ status: 429, contentType: 'application/json', retryAfterS: 3 }))
    miner.send(FRAME.end, id)
    const { statusCode, headers } = await inside.head
    expect([statusCode, headers['retry-after']]).toEqual([429, '3'])
  })

  test('takes bytes of an answer for a sign of life while pongs wait behind them', async () => {
    const relay = await testRelay({ pingMs: 60, slowMs: 60_000 })
    const miner = await dialAs(relay.port, await serveSession(), { autoPong: false })
    const { head } = startAsking(relay.port)
    const { id } = await questionAt(miner)
    miner.send(FRAME.head, id, headBytes())
    ;(await head).resume()
    for (let count = 0; count < 60; count += 1) {
      miner.send(FRAME.body, id, Buffer.from('x'))
      await systemClock.sleep(10 as Ms, new AbortController().signal)
    }
    expect(relay.miners).toBe(1)
    await until(() => relay.miners === 0) // now it says nothing any more
  })

  test('tells its miners when it stops', async () => {
    const { relay, miner } = await connected()
    const asked = startAsking(relay.port)
    await questionAt(miner)
    await relay.close()
    expect(Buffer.from((await miner.next()).payload).toString()).toBe('RELAY_CLOSING')
    expect(codeOf(await readReply(await asked.head))).toBe('RELAY_MINER_GONE')
  })
})
