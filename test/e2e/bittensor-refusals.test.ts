import { type AddressInfo, connect, type Socket } from 'node:net'
import { writeSignature } from '@arbor/shared/bittensor/signature'
import { SubnetError } from '@arbor/shared/errors'
import type { Alpha } from '@arbor/shared/units'
import { afterEach, describe, expect, test } from 'vitest'
import type { Door, DoorRefusal } from '../../miner/src/bittensor/types.ts'
import { alice, eve, testAxon } from '../../miner/test/bittensor/axon.ts'
import { type RawAnswer, readAnswers } from './support/raw-http.ts'

/** Most bytes of a refusal, head and body together; docs/bittensor.md. */
const MOST_BYTES = 512

type Of = Parameters<typeof testAxon>[0]
type Change = Parameters<ReturnType<typeof testAxon>['write']>[0] & { readonly method?: string; readonly url?: string }

const apps: ReturnType<typeof testAxon>['app'][] = []
const sockets = new Set<Socket>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  await Promise.all(apps.splice(0).map((app) => app.close()))
})

/** Serves the axon of the unit tests on a socket. */
const serve = async (of: Of) => {
  const axon = testAxon(of)
  apps.push(axon.app)
  await axon.app.listen({ host: '127.0.0.1', port: 0 })
  return { ...axon, port: (axon.app.server.address() as AddressInfo).port }
}

/** A request as bytes, with nothing in its head but what Bittensor's dendrite signs or the axon reads. */
const bytesOf = (axon: Awaited<ReturnType<typeof serve>>, { method, url, ...change }: Change): Buffer => {
  const request = axon.write(change)
  const length = Buffer.byteLength(request.payload)
  const head = { host: `127.0.0.1:${axon.port}`, ...request.headers, 'content-length': String(length) }
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(
    `${method ?? request.method} ${url ?? request.url} HTTP/1.1\r\n${lines.join('')}\r\n${request.payload}`,
  )
}

/** Sends bytes and waits for one whole answer. */
const exchange = (port: number, bytes: Uint8Array): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(bytes))
    sockets.add(socket)
    const look = (): RawAnswer | undefined => readAnswers(Buffer.concat(parts))[0]
    socket.on('error', () => undefined) // a body that nobody reads is answered with a reset
    socket.on('data', (part: Buffer) => {
      parts.push(part)
      try {
        const answer = look()
        if (answer !== undefined) resolve(answer)
      } catch {
        // the rest of it is on its way
      }
    })
    socket.on('close', () => reject(new Error(`closed after ${Buffer.concat(parts)}`)))
  })

const door = (refusal: Omit<DoorRefusal, 'ok'>, at: 'claimed' | 'seat' | 'work'): { readonly door: Door } => {
  const refused = { ok: false, ...refusal } as const
  return {
    door: {
      claimed: () => (at === 'claimed' ? refused : { ok: true, stake: 0n as Alpha }),
      seat: () =>
        at === 'seat'
          ? refused
          : { ok: true, work: async () => (at === 'work' ? refused : { ok: true }), leave: () => undefined },
    },
  }
}
const failing = (code: string): Of => ({
  served: { answer: () => Promise.reject(new SubnetError({ code, message: 'x'.repeat(5_000) })) },
})
const header = (name: string, value?: string): Change => ({ headers: { [name]: value } })
const wrong = writeSignature(eve.sign(new Uint8Array(1)))
const LONG = 'the longest reason that a miner has'

/** The ping has no fields and no body. */
const PING: Change = {
  url: '/Synapse',
  sent: '',
  headers: { name: 'Synapse', bt_header_input_obj_text: undefined, bt_header_input_obj_n: undefined },
}

/** Each refusal that the axon has: what it is called, its status, the axon, the request. */
const refusals: [string, number, Of, Change][] = [
  ['no hotkey', 401, {}, header('bt_header_dendrite_hotkey')],
  ['a hotkey that is none', 401, {}, header('bt_header_dendrite_hotkey', '5x')],
  ['no nonce', 401, {}, header('bt_header_dendrite_nonce')],
  ['no signature', 401, {}, header('bt_header_dendrite_signature')],
  ['a signature of another form', 401, {}, header('bt_header_dendrite_signature', 'x'.repeat(130))],
  ['a signature of another length', 401, {}, header('bt_header_dendrite_signature', '0x00')],
  ['a wrong signature', 401, {}, header('bt_header_dendrite_signature', wrong)],
  ['another axon', 401, {}, { axonHotkey: alice.address }],
  ['no version', 401, {}, header('bt_header_dendrite_version')],
  ['an old nonce', 401, {}, { nonce: 1n }],
  ['an old nonce and a long timeout', 401, {}, { nonce: 1n, headers: { timeout: '1000000.0' } }],
  ['an old nonce of the leanest synapse', 401, {}, { ...PING, nonce: 1n }],
  ['a future nonce', 401, {}, { nonce: 9_000_000_000_000_000_000n }],
  ['a blacklist', 403, { served: { blacklist: () => LONG } }, {}],
  ['no permit', 403, door({ kind: 'blacklisted', reason: LONG, retryAfterS: null }, 'claimed'), {}],
  ['a name that is not served', 404, {}, { url: `/${'a'.repeat(64)}` }],
  ['a name that is none', 404, {}, { url: `/${'a'.repeat(65)}` }],
  ['a path below', 404, {}, { url: '/Echo/x' }],
  ['a path that is taken elsewhere', 307, {}, { url: '/Echo/' }],
  ['another method', 405, {}, { method: 'PUT' }],
  ['its time over', 408, failing('MINER_LATE'), {}],
  [
    'its turn not come',
    408,
    { served: { turn: () => Promise.reject(new SubnetError({ code: 'MINER_LATE', message: '' })) } },
    {},
  ],
  ['its time over, and a long timeout', 408, failing('MINER_LATE'), header('timeout', '123456789.12345678')],
  ['more than the route takes', 413, {}, { sent: 'x'.repeat(20_000) }],
  ['more than the task takes', 413, {}, { body: `{"text":"${'x'.repeat(4_200)}","n":1}` }],
  ['no JSON', 422, {}, { sent: '{"text":' }],
  ['what the schema refuses', 422, {}, { body: `{"text":"${'x'.repeat(2_001)}","n":1}` }],
  ['a prompt that is too long', 422, failing('ENGINE_PROMPT_TOO_LONG'), {}],
  ['too many questions', 429, door({ kind: 'rate', reason: LONG, retryAfterS: 60 }, 'seat'), {}],
  ['a malformed header', 500, {}, header('bt_header_dendrite_nonce', 'x')],
  ['a header less', 500, {}, header('bt_header_input_obj_n')],
  ['no hash', 500, {}, header('computed_body_hash')],
  ['another content type', 500, {}, header('content-type', 'text/plain')],
  ['another body', 500, {}, { sent: '{"text":"b","n":1}' }],
  ['fields of other types', 500, {}, { sent: '{"text":"a","n":"x"}' }],
  ['a handler that fails', 500, failing('OTHER'), {}],
  ['a handler that gives nonsense', 500, { served: { answer: async () => ({ response: { reply: 7 } }) } }, {}],
  ['no room for the body', 503, door({ kind: 'busy', reason: LONG, retryAfterS: 60 }, 'seat'), {}],
  ['no place', 503, door({ kind: 'busy', reason: LONG, retryAfterS: 60 }, 'work'), {}],
  ['a busy engine', 503, failing('ENGINE_BUSY'), {}],
]

describe('a refusal of the axon', () => {
  test.each(refusals)('for %s is no larger than the request, and bounded', async (_, status, of, change) => {
    const axon = await serve(of)
    const bytes = bytesOf(axon, change)
    const answer = await exchange(axon.port, bytes)
    expect(answer.status).toBe(status)
    expect(answer.size).toBeLessThanOrEqual(MOST_BYTES)
    expect(answer.size).toBeLessThanOrEqual(bytes.length)
  })

  test('for signatures that fail too often is so, too', async () => {
    const axon = await serve({})
    const statuses = new Set<number>()
    for (let nth = 0n; nth < 70n; nth += 1n) {
      const nonce = BigInt(axon.clock.now()) * 1_000_000n + nth
      const bytes = bytesOf(axon, { nonce, ...header('bt_header_dendrite_signature', wrong) })
      const answer = await exchange(axon.port, bytes)
      statuses.add(answer.status)
      expect(answer.size).toBeLessThanOrEqual(Math.min(MOST_BYTES, bytes.length))
    }
    expect([...statuses]).toEqual([401, 429])
  })

  test.each([
    ['nothing but a name', 500, 'POST /Echo HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'],
    [
      'a hash and nothing else',
      401,
      `POST /Synapse HTTP/1.1\r\nhost: a\r\ncomputed_body_hash: ${'0'.repeat(64)}\r\ncontent-length: 0\r\n\r\n`,
    ],
    ['another method', 405, 'DELETE /Echo HTTP/1.1\r\nhost: a\r\n\r\n'],
  ])('for %s may be larger than it, and is bounded all the same', async (_, status, text) => {
    const { port } = await serve({})
    const answer = await exchange(port, Buffer.from(text))
    expect(answer.status).toBe(status)
    expect(answer.size).toBeLessThanOrEqual(MOST_BYTES)
  })

  test('has been tried with every status but 400, which is HTTP that cannot be read', () => {
    const tried = new Set(refusals.map(([, status]) => status))
    expect([...tried].sort()).toEqual([307, 401, 403, 404, 405, 408, 413, 422, 429, 500, 503])
  })
})
