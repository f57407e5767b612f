import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createManualClock } from '@arbor/shared/manual-clock'
import { describe, expect, test } from 'vitest'
import { createPoster } from '../src/health/poster.ts'
import { createPost, readWebhook } from '../src/health/webhook.ts'

const never = new AbortController().signal
const coded = (code: string, message: RegExp) => ({ code, message: expect.stringMatching(message) })

describe('the address of a webhook', () => {
  test.each([
    'https://hooks.example.org/T0/B0/key',
    'http://127.0.0.1:9093/hook',
    'https://[2001:db8::1]/x?key=1',
  ])('may be %s', (text) => {
    expect(readWebhook(text).href).toBe(text)
  })

  test.each([
    ['no address', 'hooks', /is no address/],
    ['another protocol', 'ftp://example.org/s3cret', /has the protocol ftp:/],
    ['a file', 'file:///etc/passwd', /has the protocol file:/],
    ['a user', 'https://me:s3cret@example.org/s3cret', /names a user for example.org/],
  ])('is refused with %s, and not shown', (_, text, message) => {
    let thrown: unknown
    try {
      readWebhook(text)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject(coded('WEBHOOK_URL', message))
    expect(String(thrown)).not.toContain('s3cret')
  })
})

describe('a post', () => {
  /** Resolves names as a hostile or careless operator of them would; nothing is dialled that is refused. */
  const refused = (url: string, ...addresses: readonly string[]) =>
    createPost({ url: new URL(url), clock: createManualClock(), resolve: async () => addresses })('{}', never)

  test.each([
    ['plain http to a public address', 'http://example.org/s3cret', '93.184.216.34'],
    ['the metadata service of a cloud, by name', 'https://example.org/s3cret', '169.254.169.254'],
    ['the metadata service of a cloud, in the clothes of IPv6', 'https://example.org/s3cret', '::ffff:169.254.169.254'],
    ['an unspecified address', 'http://example.org/s3cret', '0.0.0.0'],
    ['multicast', 'https://example.org/s3cret', '224.0.0.1'],
  ])('never goes to %s', async (_, url, address) => {
    const failure = refused(url, address)
    await expect(failure).rejects.toMatchObject(coded('WEBHOOK_FAILED', /not one to post to/))
    await expect(failure).rejects.not.toThrow(/s3cret/)
  })

  test('is tried four times, with pauses, where its name does not resolve', async () => {
    const clock = createManualClock()
    let tries = 0
    const posting = createPost({
      url: new URL('https://example.org/s3cret'),
      clock,
      resolve: async () => {
        tries += 1
        throw new Error('ENOTFOUND')
      },
    })('{}', never)
    posting.catch(() => undefined)
    const seen: number[] = []
    for (const ms of [0, 1_000, 5_000, 25_000]) {
      await clock.advance(ms)
      seen.push(tries)
    }
    expect(seen).toEqual([1, 2, 3, 4])
    await expect(posting).rejects.toMatchObject(coded('WEBHOOK_FAILED', /example.org: its name does not resolve/))
  })
})

describe('a receiver', () => {
  test('that never ends its answer is done with as soon as it has said its status', async () => {
    const closed = Promise.withResolvers<void>()
    const server = createServer((request, answer) => {
      request.resume()
      answer.once('close', () => closed.resolve())
      answer.writeHead(200)
      answer.write('x') // and never the rest
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const clock = createManualClock()
    await createPost({ url: new URL(`http://127.0.0.1:${port}/hook`), clock })('{}', never)
    await closed.promise // the socket has gone, though the deadline has not passed
    expect(clock.sleeping()).toBe(0)
    server.close()
  })

  test('whose name is resolved for ever is late like any other, and tried again', async () => {
    const clock = createManualClock()
    let tries = 0
    const posting = createPost({
      url: new URL('https://example.org/s3cret'),
      clock,
      resolve: () => {
        tries += 1
        return new Promise(() => undefined)
      },
    })('{}', never)
    posting.catch(() => undefined)
    const seen: number[] = []
    for (const ms of [0, 10_000, 1_000, 10_000, 5_000, 10_000, 25_000, 10_000]) {
      await clock.advance(ms)
      seen.push(tries)
    }
    expect(seen).toEqual([1, 1, 2, 2, 3, 3, 4, 4])
    await expect(posting).rejects.toMatchObject(coded('WEBHOOK_FAILED', /did not answer in time/))
  })

  test('is given up at once by who stops, also while its name is resolved', async () => {
    const stop = new AbortController()
    const posting = createPost({
      url: new URL('https://example.org/s3cret'),
      clock: createManualClock(),
      resolve: () => new Promise(() => undefined),
    })('{}', stop.signal)
    stop.abort(new Error('stopped'))
    await expect(posting).rejects.toThrow('stopped')
  })
})

describe('notices that wait', () => {
  test('are posted one after the other, and a failure costs the others nothing', async () => {
    const posted: string[] = []
    const lost: string[] = []
    const poster = createPoster({
      post: async (body) => {
        if (body === 'b') throw new Error('503')
        posted.push(body)
      },
      clock: createManualClock(),
      signal: never,
      onGivenUp: (why) => lost.push(why),
    })
    for (const body of ['a', 'b', 'c']) poster.add(body)
    await poster.drain(1_000)
    expect([posted, lost.length]).toEqual([['a', 'c'], 1])
  })

  test('are bounded: of more than can wait the oldest are dropped, and that is told', async () => {
    const lost: string[] = []
    const posted: string[] = []
    const away = Promise.withResolvers<void>()
    const poster = createPoster({
      post: async (body) => {
        await away.promise
        posted.push(body)
      },
      clock: createManualClock(),
      signal: never,
      onGivenUp: (why) => lost.push(why),
    })
    for (let number = 0; number < 100; number += 1) poster.add(`${number}`)
    away.resolve()
    await poster.drain(1_000)
    expect([posted.length, posted[0], posted[1], posted.at(-1), lost.length]).toEqual([65, '0', '36', '99', 35])
  })

  test('are waited for no longer than asked', async () => {
    const clock = createManualClock()
    const poster = createPoster({
      post: () => new Promise(() => undefined),
      clock,
      signal: never,
      onGivenUp: () => undefined,
    })
    poster.add('a')
    const draining = poster.drain(5_000)
    await clock.advance(5_000)
    await draining
  })
})
