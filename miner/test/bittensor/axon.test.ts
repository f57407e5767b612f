import { createMemoryNonceStore } from '@arbor/shared/bittensor/nonce-store'
import { writeSignature } from '@arbor/shared/bittensor/signature'
import { SubnetError } from '@arbor/shared/errors'
import type { Alpha } from '@arbor/shared/units'
import { describe, expect, it } from 'vitest'
import { alice, bob, eve, said, testAxon } from './axon.ts'

const USED = 'Not Verified with error: Nonce is too old, a newer one was last processed'

describe('an axon', () => {
  it('C-25: takes no request without a signature, however it is missing', async () => {
    const { ask, seen } = testAxon()
    const missing = 'Not Verified with error: Missing Signature'
    for (const signature of [undefined, ''])
      expect(await ask({ headers: { bt_header_dendrite_signature: signature } })).toMatchObject({
        status: 401,
        message: missing,
      })
    for (const signature of [
      '0x',
      '0x00',
      ' ',
      'None',
      `0x${'0'.repeat(128)}`,
      `0x${'g'.repeat(128)}`,
      writeSignature(new Uint8Array(64).fill(255)),
    ])
      expect([signature, (await ask({ headers: { bt_header_dendrite_signature: signature } })).status]).toEqual([
        signature,
        401,
      ])
    expect(seen).toEqual([])
  })

  it('C-26: an unsigned timeout and version open no window, and a future nonce locks nobody out', async () => {
    const { ask, clock, seen } = testAxon()
    const now = BigInt(clock.now()) * 1_000_000n
    const old = now - 70_000_000_000n
    expect(await ask({ nonce: old, headers: { timeout: '1000000.0' } })).toMatchObject({
      status: 401,
      message: expect.stringContaining('acceptable delta is 64.00'),
    })
    for (const version of [undefined, '1', '7001999'])
      expect(await ask({ nonce: old, headers: { bt_header_dendrite_version: version } })).toMatchObject({
        status: 401,
        message: expect.stringContaining('Version is too old'),
      })
    expect(await ask({ nonce: now + 3_600_000_000_000n })).toMatchObject({
      status: 401,
      message: expect.stringContaining('Nonce is too new'),
    })
    expect(await ask({ nonce: now * 1_000n })).toMatchObject({ status: 500 })
    expect(seen).toEqual([])
    expect(await ask()).toMatchObject({ status: 200, reply: 'a|1' })
  })

  it('answers a request once, also after a restart', async () => {
    const store = createMemoryNonceStore()
    const { app, write } = testAxon({ store })
    const request = write()
    expect(said(await app.inject(request))).toMatchObject({ status: 200, reply: 'a|1' })
    expect(said(await app.inject(request))).toMatchObject({ status: 401, message: USED })
    const again = testAxon({ store })
    expect(said(await again.app.inject(request))).toMatchObject({ status: 401, message: USED })
    await again.clock.advance(3_000)
    expect(await again.ask()).toMatchObject({ status: 200 })
  })

  it('uses up no nonce whose signature did not hold', async () => {
    const { ask } = testAxon()
    const nonce = BigInt(1_800_000_000_000) * 1_000_000n
    expect(
      await ask({ nonce, headers: { bt_header_dendrite_signature: writeSignature(eve.sign(new Uint8Array(1))) } }),
    ).toMatchObject({ status: 401 })
    expect(await ask({ nonce })).toMatchObject({ status: 200 })
  })

  it('knows its caller by the signature alone', async () => {
    const { ask, seen } = testAxon()
    const sent = `{"text":"a","n":1,"name":"Other","timeout":99,"dendrite":{"hotkey":"${eve.address}","ip":"6.6.6.6"},"axon":{"hotkey":"${eve.address}"}}`
    const answer = await ask({ sent })
    expect(answer).toMatchObject({
      status: 200,
      body: { name: 'Echo', timeout: 12, dendrite: { hotkey: alice.address }, axon: { hotkey: bob.address } },
    })
    expect(JSON.stringify(answer.body)).not.toContain(eve.address)
    expect(seen).toEqual([
      { by: 'blacklist', caller: alice.address },
      { by: 'handler', caller: alice.address },
    ])
  })

  it('asks its blacklist about no one whose signature did not hold', async () => {
    const { ask, seen } = testAxon()
    expect(await ask({ headers: { bt_header_dendrite_hotkey: eve.address } })).toMatchObject({ status: 401 })
    expect(await ask({ axonHotkey: alice.address })).toMatchObject({
      status: 401,
      message: 'Not Verified with error: Signature mismatch',
    })
    expect(seen).toEqual([])
  })

  it('refuses whom the chain does not know before a signature is verified', async () => {
    const { ask } = testAxon({
      door: {
        claimed: () => ({ ok: false, kind: 'blacklisted', reason: 'no validator permit', retryAfterS: null }),
        seat: () => ({ ok: true, work: async () => ({ ok: true }), leave: () => undefined }),
      },
    })
    expect(await ask()).toMatchObject({ status: 403, message: 'Forbidden. Key is blacklisted: no validator permit.' })
  })

  it.each([
    ['busy', 503, 'Service busy'],
    ['rate', 429, 'Too many requests'],
  ] as const)('tells who is refused as %s when to come again, before and after the body', async (kind, status, message) => {
    const refusal = { ok: false, kind, reason: '', retryAfterS: 7 } as const
    const left: string[] = []
    const late = { ok: true, work: async () => refusal, leave: () => void left.push('left') } as const
    for (const seat of [() => refusal, () => late]) {
      const { app, write, seen } = testAxon({ door: { claimed: () => ({ ok: true, stake: 0n as Alpha }), seat } })
      const answer = await app.inject(write())
      expect(said(answer)).toMatchObject({ status, message })
      expect(answer.headers['retry-after']).toBe('7')
      expect(seen.filter(({ by }) => by === 'handler')).toEqual([])
    }
    expect(left.length).toBeGreaterThan(0)
  })

  it('waits for a place once the body is there, and leaves it in every case', async () => {
    const told: string[] = []
    const door = {
      claimed: () => ({ ok: true, stake: 5n as Alpha }) as const,
      seat: ({ stake, bytes }: { readonly stake: Alpha; readonly bytes: number }) => {
        told.push(`seat ${stake} ${bytes}`)
        const work = async (): Promise<{ readonly ok: true }> => {
          told.push('work')
          return { ok: true }
        }
        return { ok: true, work, leave: () => void told.push('leave') } as const
      },
    }
    const { ask } = testAxon({ door })
    expect(await ask()).toMatchObject({ status: 200 })
    expect(told.slice(0, 3)).toEqual(['seat 5 18', 'work', 'leave'])
    told.length = 0
    expect(await testAxon({ door }).ask({ sent: '{"text":"b","n":1}' })).toMatchObject({ status: 500 })
    expect(told.slice(0, 2)).toEqual(['seat 5 18', 'leave'])
  })

  it('verifies no more signatures for an address whose signatures fail', async () => {
    const { ask, clock } = testAxon()
    const wrong = writeSignature(eve.sign(new Uint8Array(1)))
    const statuses: number[] = []
    for (let n = 0n; n < 70n; n += 1n)
      statuses.push(
        (await ask({ nonce: BigInt(clock.now()) * 1_000_000n + n, headers: { bt_header_dendrite_signature: wrong } }))
          .status,
      )
    expect(statuses.filter((status) => status === 401)).toHaveLength(65)
    expect(statuses.at(-1)).toBe(429)
    expect(await ask()).toMatchObject({ status: 429 })
    await clock.advance(1_000)
    expect(await ask()).toMatchObject({ status: 200 })
  })

  it.each([
    ['a changed hashed field', { sent: '{"text":"b","n":1}' }, 500],
    ['a field of another type', { sent: '{"text":"a","n":"x"}' }, 500],
    ['a field less', { sent: '{"text":"a"}' }, 500],
    ['no JSON', { sent: '{"text":' }, 422],
    ['no object', { sent: '[]' }, 500],
    ['nothing', { sent: '' }, 422],
    ['fields that the schema refuses', { body: `{"text":"${'x'.repeat(2_001)}","n":1}` }, 422],
    ['more than the task takes', { sent: `{"text":"a","n":1,"x":"${'x'.repeat(20_000)}"}` }, 413],
    ['no content type', { headers: { 'content-type': undefined } }, 500],
    ['another content type', { headers: { 'content-type': 'text/plain' } }, 500],
    ['a nonce that is no number', { headers: { bt_header_dendrite_nonce: 'abc' } }, 500],
    ['a negative nonce', { headers: { bt_header_dendrite_nonce: '-1' } }, 500],
    ['a timeout of nothing', { headers: { timeout: '0.0' } }, 500],
    ['a timeout that is no number', { headers: { timeout: 'nan' } }, 500],
    ['an endless timeout', { headers: { timeout: 'inf' } }, 500],
    ['a uuid that would end the text', { headers: { bt_header_dendrite_uuid: 'a.b' } }, 500],
    ['a uuid of 65 characters', { headers: { bt_header_dendrite_uuid: 'a'.repeat(65) } }, 500],
    ['a hash that is none', { headers: { computed_body_hash: 'x' } }, 500],
    ['no hash', { headers: { computed_body_hash: undefined } }, 500],
    ['no empty value of a field', { headers: { bt_header_input_obj_n: undefined } }, 500],
    ['a size that is no number', { headers: { total_size: 'x' } }, 500],
    ['a hotkey that is none', { headers: { bt_header_dendrite_hotkey: 'x' } }, 401],
    ['no hotkey', { headers: { bt_header_dendrite_hotkey: undefined } }, 401],
    ['no nonce', { headers: { bt_header_dendrite_nonce: undefined } }, 401],
  ] as const)('refuses %s in a few bytes', async (_name, of, status) => {
    const { ask, seen } = testAxon()
    const answer = await ask(of)
    expect(answer.status).toBe(status)
    expect(answer.bytes).toBeLessThan(200)
    expect(seen.filter(({ by }) => by === 'handler')).toEqual([])
  })

  it('reads headers whatever the case of their names', async () => {
    const { app, write } = testAxon()
    const { headers, ...request } = write()
    const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
    expect(said(await app.inject({ ...request, headers: upper }))).toMatchObject({
      status: 200,
    })
  })

  it('answers the ping, and other methods and paths as Python does', async () => {
    const { app, write } = testAxon()
    const { headers } = write()
    const to = async (method: 'GET' | 'PUT' | 'POST', url: string) => {
      const { statusCode, payload, headers: got } = await app.inject({ method, url, headers, payload: 'x' })
      return { status: statusCode, body: payload, location: got.location }
    }
    expect(await to('PUT', '/Echo')).toMatchObject({ status: 405, body: '{"detail":"Method Not Allowed"}' })
    expect(await to('POST', '/Echo/')).toMatchObject({ status: 307, location: '/Echo' })
    expect(await to('POST', '/Echo/x')).toMatchObject({ status: 404, body: '{"detail":"Not Found"}' })
    expect(await to('POST', '/echo')).toMatchObject({
      status: 404,
      body: `{"message":"Synapse name 'echo' not found."}`,
    })
    expect(await to('POST', `/${'a'.repeat(65)}`)).toMatchObject({
      status: 404,
      body: '{"message":"Synapse name not found."}',
    })
    expect(said(await app.inject({ method: 'POST', url: '/nothing' }))).toMatchObject({
      status: 404,
      body: { code: 'MINER_NO_TASK' },
    })
  })
})

describe('a handler', () => {
  it('may set a status of its own', async () => {
    const { ask } = testAxon({
      served: { answer: async () => ({ response: {}, statusCode: 418, statusMessage: 'teapot\r\nx: ☃' }) },
    })
    expect(await ask()).toMatchObject({
      status: 418,
      body: { axon: { status_code: 418, status_message: 'teapot??x: ?' }, reply: null },
    })
  })

  it.each([
    ['MINER_BUSY', 503],
    ['ENGINE_BUSY', 503],
    ['ENGINE_PROMPT_TOO_LONG', 422],
    ['ENGINE_ABORTED', 408],
    ['OTHER', 500],
  ])('that fails with %s has a status for it, and tells nothing else', async (code, status) => {
    const { ask } = testAxon({
      served: {
        answer: async () => {
          throw new SubnetError({ code: code === 'MINER_BUSY' ? 'ENGINE_BUSY' : code, message: 'secret reason' })
        },
      },
    })
    const answer = await ask()
    expect(answer.status).toBe(status)
    expect(JSON.stringify(answer.body)).not.toContain('secret')
  })

  it('that answers with other types than it says is an error', async () => {
    expect(await testAxon({ served: { answer: async () => ({ response: { reply: 7 } }) } }).ask()).toMatchObject({
      status: 500,
    })
  })

  it('that takes too long is stopped and answered for', async () => {
    let stopped = false
    const { app, clock, write } = testAxon({
      served: {
        answer: ({ signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              stopped = true
              reject(signal.reason)
            })
          }),
      },
    })
    const answering = app.inject(write())
    while (clock.sleeping() === 0) await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(10_000)
    expect(said(await answering)).toMatchObject({ status: 408, message: 'Response timeout after: 12.0s' })
    expect(stopped).toBe(true)
  })
})
