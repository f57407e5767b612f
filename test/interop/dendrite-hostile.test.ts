import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { systemClock } from '@arbor/shared/clock'
import { sha256 } from '@arbor/shared/hashing'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Signer } from '@arbor/shared/signer'
import { encodeSs58 } from '@arbor/shared/ss58'
import type { Block, NetUid } from '@arbor/shared/units'
import { createBittensorSpeaker } from '@arbor/validator/bittensor/speak'
import type { Answer } from '@arbor/validator/dendrite/answer'
import { ASK_LIMITS, createAsk } from '@arbor/validator/dendrite/ask'
import { createBreakers } from '@arbor/validator/dendrite/breaker'
import { createConnections } from '@arbor/validator/dendrite/connections'
import { dial } from '@arbor/validator/dendrite/dial'
import { createSend } from '@arbor/validator/dendrite/http'
import { createLagMeter } from '@arbor/validator/dendrite/lag'
import { afterAll, describe, expect, it } from 'vitest'
import { type RawAxon, type RawRequest, rawAnswer, startRawAxon } from './support/raw-axon.ts'
import { synapses } from './support/synapses.ts'

const JSON_TYPE = ['content-type', 'application/json'] as const
const OK = ['bt_header_axon_status_code', '200'] as const
const BODY = '{"text":"a","n":1,"reply":"a|1"}'

type Answering = (socket: Socket, request: RawRequest) => void

const say =
  (status: number, headers: readonly (readonly [string, string])[], body: string | Uint8Array): Answering =>
  (socket) =>
    socket.write(rawAnswer({ status, headers, body: Buffer.from(body) }))
const raw =
  (text: string, end = false): Answering =>
  (socket) => {
    socket.write(text)
    if (end) socket.end()
  }
/** Writes the same again and again, as fast as the other side reads. */
const forever =
  (head: string, again: string): Answering =>
  (socket) => {
    socket.write(head)
    const more = (): void => {
      while (!socket.destroyed && socket.write(again));
    }
    socket.on('drain', more)
    more()
  }
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const CHUNKED = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${OK.join(': ')}\r\ntransfer-encoding: chunked\r\n\r\n`

/** One way to misbehave, and the one word that it gets. */
const hostile: Readonly<Record<string, readonly [string, Answering]>> = {
  'a head of 64 KiB': ['oversized', say(200, [JSON_TYPE, OK, ['x-filler', 'x'.repeat(65_536)]], BODY)],
  'a body without end': ['oversized', forever(CHUNKED, chunk('x'.repeat(16_384)))],
  'an announced body of 10 GB': [
    'oversized',
    raw(CHUNKED.replace('transfer-encoding: chunked', 'content-length: 10000000000')),
  ],
  'a body that trickles': [
    'trickle',
    (socket) => {
      socket.write(CHUNKED)
      const timer = setInterval(() => socket.write(chunk(' ')), 100)
      socket.on('close', () => clearInterval(timer))
    },
  ],
  'news without end ahead of the answer': ['oversized', forever('', 'HTTP/1.1 103 Early Hints\r\n\r\n')],
  silence: ['timeout', () => {}],
  'a gzip bomb': [
    'oversized',
    say(200, [JSON_TYPE, OK, ['content-encoding', 'gzip']], gzipSync(Buffer.alloc(50_000_000))),
  ],
  'a body that is no gzip': ['malformed', say(200, [JSON_TYPE, OK, ['content-encoding', 'gzip']], BODY)],
  'a cut gzip': ['malformed', say(200, [JSON_TYPE, OK, ['content-encoding', 'gzip']], gzipSync(BODY).subarray(0, 20))],
  'an encoding that was not asked for': ['compressed', say(200, [JSON_TYPE, OK, ['content-encoding', 'br']], BODY)],
  'a chain of encodings': ['compressed', say(200, [JSON_TYPE, OK, ['content-encoding', 'gzip, gzip']], BODY)],
  'another content type': ['content-type', say(200, [['content-type', 'text/html'], OK], BODY)],
  'another charset': ['content-type', say(200, [['content-type', 'application/json; charset=utf-16'], OK], BODY)],
  'no content type': ['content-type', say(200, [OK], BODY)],
  'a stream where the task has none': ['content-type', say(200, [['content-type', 'text/event-stream'], OK], 'a b c')],
  'bytes that are no UTF-8': ['malformed', say(200, [JSON_TYPE, OK], Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))],
  'a body that is a list': ['malformed', say(200, [JSON_TYPE, OK], '[1]')],
  'a body nested 100 000 deep': [
    'malformed',
    say(200, [JSON_TYPE, OK], `{"reply":${'['.repeat(40_000)}${']'.repeat(40_000)}}`),
  ],
  'no status': ['malformed', say(200, [JSON_TYPE], BODY)],
  'a status that is no number': ['malformed', say(200, [JSON_TYPE, ['bt_header_axon_status_code', '2e2']], BODY)],
  'a status with too many digits': [
    'malformed',
    say(200, [JSON_TYPE, ['bt_header_axon_status_code', '9'.repeat(400)]], BODY),
  ],
  'an axon that is no object': ['schema', say(200, [JSON_TYPE, OK], '{"axon":[],"text":"a","n":1,"reply":"a|1"}')],
  'a response field of another type': ['schema', say(200, [JSON_TYPE, OK], '{"text":"a","n":1,"reply":{}}')],
  'a field too few': ['schema', say(200, [JSON_TYPE, OK], '{"reply":"a|1"}')],
  'success under another HTTP status': ['busy', say(503, [JSON_TYPE, OK], BODY)],
  'a redirect': ['redirect', say(307, [['location', 'http://169.254.169.254/']], '')],
  'a refusal': ['refused', say(403, [JSON_TYPE], '{"message":"no"}')],
  'a rate limit': ['rate', say(429, [JSON_TYPE], '{"message":"slow down"}')],
  'a refusal without a reason': ['rejected', say(422, [JSON_TYPE], '{}')],
  'a connection closed at once': ['early-close', (socket) => socket.destroy()],
  'a connection closed within the body': ['early-close', raw(`${CHUNKED}${chunk('{"te')}`, true)],
  'two lengths': ['early-close', raw('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}')],
  'a line feed in the status message': [
    'no-http',
    raw('HTTP/1.1 200 OK\r\nbt_header_axon_status_message: a\nb c\r\n\r\n'),
  ],
  'another protocol': ['no-http', raw('SSH-2.0-OpenSSH_9.2\r\n')],
}

const STREAM = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n${OK.join(': ')}\r\n`
const STREAMED = `${STREAM}transfer-encoding: chunked\r\n\r\n`

/** The same of a stream. */
const hostileStreams: Readonly<Record<string, readonly [string, Answering]>> = {
  'that breaks off': ['stream-cut', raw(`${STREAMED}${chunk('alpha ')}`, true)],
  'whose end is the end of the connection': ['stream-cut', raw(`${STREAM}connection: close\r\n\r\nalpha END`, true)],
  'without end': ['oversized', forever(STREAMED, chunk('alpha '.repeat(1_000)))],
  'that stands still': ['trickle', raw(`${STREAMED}${chunk('alpha ')}`)],
  'that is no UTF-8': ['malformed', say(200, [['content-type', 'text/event-stream'], OK], Buffer.from([0xc3, 0x28]))],
  'with a content encoding': [
    'compressed',
    say(200, [['content-type', 'text/event-stream'], OK, ['content-encoding', 'gzip']], gzipSync('alpha END')),
  ],
  'that said no status': ['malformed', say(200, [['content-type', 'text/event-stream']], 'alpha END')],
  'that is refused': ['refused', say(403, [JSON_TYPE], '{"message":"no"}')],
}

/** Odd, and yet an answer. */
const odd: Readonly<Record<string, Answering>> = {
  'a status message beyond latin-1': say(200, [JSON_TYPE, OK, ['bt_header_axon_status_message', '✓ gut 𝄞']], BODY),
  'names of prototypes': say(
    200,
    [JSON_TYPE, OK],
    '{"__proto__":{"reply":"x"},"constructor":1,"text":"a","n":1,"reply":"a|1"}',
  ),
  'changed request fields': say(200, [JSON_TYPE, OK], '{"text":"CHANGED","n":2,"reply":"a|1"}'),
  'gzip within bounds': say(200, [JSON_TYPE, OK, ['content-encoding', 'gzip']], gzipSync(BODY)),
}

const alice: Signer = keypairFromUri('//Alice')
const clock = systemClock
const fresh = (length: number): Uint8Array => randomBytes(length)

/** Opens the asking half of the dendrite as its thread does, in this one. */
function openAsking(inFlight: number) {
  const connections = createConnections({ maxIdle: 512, connectMs: 3_000, clock })
  const send = createSend({ connections, clock, lag: createLagMeter({ clock }) })
  const breakers = createBreakers({ threshold: 3, capacity: 512 })
  let signed = 0
  const speaker = createBittensorSpeaker({ clock, randomBytes: fresh })
  const ask = createAsk({
    limits: { ...ASK_LIMITS, inFlight },
    clock,
    breakers,
    dial: async (address, timeoutMs, signal) => dial({ address, timeoutMs, clock, signal }),
    speakerOf: () => speaker,
    context: {
      send,
      sign: async (message, purpose) => {
        signed += 1
        return alice.sign(message, purpose)
      },
      hotkey: alice,
      netuid: 1 as NetUid,
      genesisHash: `0x${'00'.repeat(32)}` as const,
      clock,
      randomBytes: fresh,
      log: { debug: () => {}, warn: () => {} },
    },
    privateAllowed: true,
  })
  return {
    signed: () => signed,
    close: () => connections.close(),
    ask: (port: number, miner: string, deadlineMs: number, task: 'Echo' | 'StreamEcho' = 'Echo'): Promise<Answer> =>
      ask(
        {
          task,
          hotkey: encodeSs58(sha256(Buffer.from(miner))),
          registeredAt: 0 as Block,
          address: { ip: '127.0.0.1', port },
          isOwn: false,
          version: 10_005_000,
          body: Buffer.from(task === 'Echo' ? '{"text":"a","n":1}' : '{"prompt":"alpha"}'),
          deadlineMs,
          maxResponseBytes: 65_536,
          definition: synapses[task],
        },
        new AbortController().signal,
      ),
  }
}

const wordOf = (answer: Answer): string => (answer.kind === 'answered' ? 'answered' : answer.reason)

describe('a dendrite among Python-like axons', () => {
  const axons: RawAxon[] = []
  const start = async (answering: Answering): Promise<RawAxon> => {
    const axon = await startRawAxon(answering)
    axons.push(axon)
    return axon
  }
  afterAll(() => Promise.all(axons.map((axon) => axon.close())))

  it.each(Object.entries(hostile))('gives one word for %s', async (name, [word, answering]) => {
    const asking = openAsking(8)
    const answer = await asking.ask((await start(answering)).port, name, 1_000)
    expect(wordOf(answer)).toBe(word)
    if (answer.kind === 'fault') expect(answer.why).not.toMatch(/CHANGED|slow down|\n/)
    await asking.close()
  })

  it.each(Object.entries(hostileStreams))('gives one word for a stream %s', async (name, [word, answering]) => {
    const asking = openAsking(8)
    const answer = await asking.ask((await start(answering)).port, name, 1_000, 'StreamEcho')
    expect(wordOf(answer)).toBe(word)
    await asking.close()
  })

  it('takes a stream that is cut between the bytes of a character', async () => {
    const asking = openAsking(8)
    const axon = await start((socket) => {
      socket.write(STREAMED)
      for (const byte of Buffer.from('ä𝄞'))
        socket.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]))
      socket.write('0\r\n\r\n')
    })
    const answer = await asking.ask(axon.port, 'bytes', 5_000, 'StreamEcho')
    if (answer.kind !== 'answered') throw new Error(`${answer.reason}: ${answer.why}`)
    expect(JSON.parse(Buffer.from(answer.body).toString())).toEqual({ completion: 'ä𝄞' })
    await asking.close()
  })

  it.each(Object.entries(odd))('takes an answer with %s', async (name, answering) => {
    const asking = openAsking(8)
    const answer = await asking.ask((await start(answering)).port, name, 5_000)
    if (answer.kind !== 'answered') throw new Error(`${answer.reason}: ${answer.why}`)
    expect(JSON.parse(Buffer.from(answer.body).toString())).toEqual({ reply: 'a|1' })
    expect(answer.signed).toBe(false)
    await asking.close()
  })

  it('asks 256 axons at once, hostile ones among them, and none costs another its answer', async () => {
    const ways = Object.values(hostile).filter(([word]) => !word.includes('timeout') && word !== 'trickle') // these take the whole deadline
    const plans = Array.from({ length: 256 }, (_, index): readonly [string, Answering] => {
      const way = index % 4 === 3 ? ways[(index >> 2) % ways.length] : undefined
      return way ?? ['answered', say(200, [JSON_TYPE, OK], BODY)]
    })
    const ports = await Promise.all(plans.map(async ([, answering]) => (await start(answering)).port))
    const asking = openAsking(256)
    const answers = await Promise.all(ports.map((port, index) => asking.ask(port, `crowd-${index}`, 20_000)))
    expect(answers.map(wordOf)).toEqual(plans.map(([word]) => word))
    await asking.close()
  })

  it('signs nothing for a miner that was not reached three times, until it is there again', async () => {
    const gone = await startRawAxon(() => {})
    await gone.close()
    const asking = openAsking(8)
    const words: string[] = []
    for (let round = 0; round < 5; round += 1) words.push(wordOf(await asking.ask(gone.port, 'gone', 1_000)))
    expect(words).toEqual(['connect-refused', 'connect-refused', 'connect-refused', 'unreachable', 'unreachable'])
    expect(asking.signed()).toBe(3)
    await asking.close()
  })
})
