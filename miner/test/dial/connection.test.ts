import { createHash, randomBytes } from 'node:crypto'
import { encodeWindow, FRAME } from '@arbor/shared/dial/frame'
import { decodeHello, encodeWelcome } from '@arbor/shared/dial/messages'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Ms } from '@arbor/shared/units'
import { afterEach, describe, expect, test } from 'vitest'
import { type ConnectionDeps, type Ended, holdConnection } from '../../src/dial/connection.ts'
import { defaultDialLimits } from '../../src/dial/limits.ts'
import type { RequestHead } from '../../src/service/types.ts'
import {
  depsOf,
  type PlayedRelay,
  playRelay,
  readAnswer,
  type Seen,
  serveSession,
  serviceOf,
  sessionsOf,
  whole,
} from './support.ts'

let stop = new AbortController()
afterEach(() => {
  stop.abort()
  stop = new AbortController()
})

const hold = (deps: ConnectionDeps, relay: PlayedRelay, onWelcome: () => void = () => undefined): Promise<Ended> =>
  holdConnection(deps, { url: relay.url, signal: stop.signal, onWelcome })

const connected = async (of: Partial<ConnectionDeps> = {}, welcome: { readonly windowBytes?: number } = {}) => {
  const relay = await playRelay()
  const ended = hold(await depsOf(of), relay)
  const seen = await relay.dialled()
  await seen.welcome(welcome)
  return { relay, ended, seen }
}

const ending = async (of: Partial<ConnectionDeps>, relaying: (seen: Seen) => unknown): Promise<Ended> => {
  const relay = await playRelay()
  const ended = hold(await depsOf(of), relay)
  await relaying(await relay.dialled())
  return ended
}

/** Does something wrong once the miner is welcomed. */
const after = (wrong: (seen: Seen) => void) => async (seen: Seen) => {
  await seen.welcome()
  wrong(seen)
}

describe('miner that dials', () => {
  test('proves its session for the host it dialled, and is welcomed', async () => {
    const relay = await playRelay()
    const session = await serveSession()
    let welcomed = 0
    const deps = await depsOf({ sessions: sessionsOf(session) })
    void hold(deps, relay, () => {
      welcomed += 1
    })
    const seen = await relay.dialled()
    const { hello, isProved } = await seen.greet()
    expect(hello).toMatchObject({
      certificate: session.certificate.text,
      host: relay.host,
      inFlight: 64,
      bodyBytes: 100_000,
    })
    expect(isProved).toBe(true)
    seen.send(FRAME.welcome, 0, encodeWelcome({ windowBytes: 262_144, inFlight: 64, relays: true }))
    seen.ask(1)
    await readAnswer(seen, 1)
    expect(welcomed).toBe(1)
  })

  test('answers with its service, which is told that only sealed questions may be answered', async () => {
    const heads: RequestHead[] = []
    const { seen, relay } = await connected({ service: serviceOf(async (body) => whole(body), heads) })
    const body = randomBytes(90_000)
    seen.ask(1, body)
    const answer = await readAnswer(seen, 1)
    expect([answer.head?.status, answer.head?.envelope, answer.body.equals(body)]).toEqual([200, 'cGF5.c2ln', true])
    expect(heads).toEqual([
      {
        method: 'POST',
        path: '/chat',
        rawHeaders: ['arbor-envelope', 'cGF5.cHJvb2Y', 'content-length', '90000'],
        remote: `${relay.host} 192.0.2.7`,
        sealedOnly: true,
      },
    ])
  })

  test('shows a renewed certificate on the same connection', async () => {
    const sessions = sessionsOf(await serveSession())
    const { seen } = await connected({ sessions })
    seen.ask(1)
    await readAnswer(seen, 1) // it has been welcomed
    const next = await serveSession()
    sessions.renew(next)
    const frame = await seen.next()
    expect([frame.kind, decodeHello(frame.payload)?.certificate]).toEqual([FRAME.hello, next.certificate.text])
  })

  test('sends no more than the window, and goes on as it widens', async () => {
    const body = randomBytes(300_000)
    const { seen } = await connected({ service: serviceOf(async () => whole(body)) }, { windowBytes: 65_536 })
    seen.ask(1)
    await seen.next()
    const hash = createHash('sha256')
    let got = 0
    let window = 65_536
    for (let frame = await seen.next(); frame.kind !== FRAME.end; frame = await seen.next()) {
      hash.update(frame.payload)
      got += frame.payload.length
      window -= frame.payload.length
      expect(window).toBeGreaterThanOrEqual(0)
      if (window > 0 || got === body.length) continue
      window += 50_000
      seen.send(FRAME.window, 1, encodeWindow(50_000))
    }
    expect(hash.digest('hex')).toBe(createHash('sha256').update(body).digest('hex'))
  })

  test('stops work and stream when nobody waits any more', async () => {
    const stopped = Promise.withResolvers<unknown>()
    const begun = Promise.withResolvers<void>()
    const service = serviceOf(async (_body, gone) => {
      gone.addEventListener('abort', () => stopped.resolve(gone.reason), { once: true })
      begun.resolve()
      return new Promise((_resolve, reject) => gone.addEventListener('abort', () => reject(gone.reason)))
    })
    const { seen } = await connected({ service })
    seen.ask(1)
    await begun.promise
    seen.send(FRAME.cancel, 1)
    expect(await stopped.promise).toMatchObject({ code: 'MINER_CALLER_GONE' })
    let pulled = 0
    async function* frames() {
      for (;;) {
        pulled += 1
        yield Buffer.alloc(20_000)
      }
    }
    const streaming = await connected(
      { service: serviceOf(async () => ({ kind: 'stream', head: whole(Buffer.alloc(0)).head, frames: frames() })) },
      { windowBytes: 65_536 },
    )
    streaming.seen.ask(1)
    await streaming.seen.next()
    for (let got = 0; got < 65_536; ) got += (await streaming.seen.next()).payload.length
    streaming.seen.send(FRAME.cancel, 1)
    streaming.seen.socket.terminate()
    await streaming.ended
    expect(pulled).toBe(4) // the fourth did not fit any more
  })

  test('says that an answer breaks off when making it failed', async () => {
    const service = serviceOf(async () => {
      throw new Error('the disk is on fire')
    })
    const { seen } = await connected({ service })
    seen.ask(1)
    expect(await seen.next()).toMatchObject({ kind: FRAME.cancel, id: 1 })
    seen.ask(2)
    expect(await seen.next()).toMatchObject({ kind: FRAME.cancel, id: 2 })
  })

  test('tells why a relay sent it away', async () => {
    const ended = await ending({}, async (seen) => {
      await seen.greet()
      seen.send(FRAME.refused, 0, Buffer.from('RELAY_HOST'))
    })
    expect(ended).toEqual({ kind: 'refused', code: 'RELAY_HOST' })
    const rude = await ending({}, (seen) => seen.send(FRAME.refused, 0, Buffer.from('\u001b[31mred\n')))
    expect(rude).toEqual({ kind: 'refused', code: 'unnamed' })
  })

  test('hangs up on a relay that breaks the rules of the frames', async () => {
    const wrongs: readonly ((seen: Seen) => unknown)[] = [
      (seen) => seen.socket.send('text'),
      (seen) => seen.socket.send(Buffer.from([99, 0, 0, 0, 0])),
      (seen) => seen.ask(1),
      (seen) => seen.send(FRAME.challenge, 0, randomBytes(31)),
      (seen) => seen.send(FRAME.welcome, 0, encodeWelcome({ windowBytes: 262_144, inFlight: 1, relays: true })),
      after((seen) => seen.ask(2)),
      after((seen) => seen.send(FRAME.request, 1, randomBytes(40))),
      after((seen) => seen.send(FRAME.window, 5, encodeWindow(1))),
      after((seen) => seen.send(FRAME.body, 1, randomBytes(4))),
      after((seen) => seen.send(FRAME.challenge, 0, randomBytes(32))),
      after((seen) => seen.ask(1, randomBytes(200_000))),
    ]
    for (const wrong of wrongs) expect(await ending({}, wrong)).toMatchObject({ kind: 'lost' })
  })

  test('takes no more questions at once than it said', async () => {
    const service = serviceOf(() => new Promise(() => undefined))
    const limits = { ...defaultDialLimits, inFlight: 2 }
    const ended = await ending({ service, limits }, async (seen) => {
      await seen.welcome()
      for (const id of [1, 2, 3]) seen.ask(id)
    })
    expect(ended).toEqual({ kind: 'lost', why: 'the relay asked against the rules' })
  })

  test('gives up on a relay that does not welcome it, or falls silent', async () => {
    const clock = createManualClock()
    const unwelcome = await ending({ clock }, async (seen) => {
      await seen.greet()
      await clock.advance(defaultDialLimits.welcomeMs as Ms)
    })
    expect(unwelcome).toEqual({ kind: 'lost', why: 'no welcome in time' })
    const silent = await ending({ clock }, async (seen) => {
      await seen.welcome()
      seen.ask(1)
      await readAnswer(seen, 1)
      await clock.advance(defaultDialLimits.welcomeMs as Ms)
      await clock.advance(defaultDialLimits.silentMs as Ms)
    })
    expect(silent).toEqual({ kind: 'lost', why: 'the relay is silent' })
  })

  test('ends with its signal', async () => {
    const { ended } = await connected()
    stop.abort()
    expect(await ended).toEqual({ kind: 'lost', why: 'the miner stops' })
  })
})
