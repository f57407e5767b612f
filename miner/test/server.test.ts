import { fileURLToPath } from 'node:url'
import { openEngine } from '@arbor/engine/open'
import { SubnetError } from '@arbor/shared/errors'
import type { Generation } from '@arbor/shared/inference'
import { REFUSAL_BYTES } from '@arbor/shared/wire/refusal'
import { verifyResponse } from '@arbor/shared/wire/response'
import { describe, expect, test } from 'vitest'
import { miner, poor, post, requestOf, rich, sign, stranger, testNet, unpermitted } from './net.ts'

const tiny = fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url))

const expectRefusal = (
  response: { statusCode: number; body: string; rawPayload: Buffer },
  status: number,
  code: string,
): void => {
  expect([response.statusCode, JSON.parse(response.body).code]).toEqual([status, code])
  expect(response.rawPayload.length).toBe(REFUSAL_BYTES)
}

describe('miner', () => {
  test('answers a permitted validator with a signed answer that its engine believes', async () => {
    const engine = await openEngine({ folder: tiny })
    const net = await testNet({
      solve: ({ request, signal }) =>
        net.spec.tasks.chat?.solve({ request, engine, signal }) ?? Promise.reject(new Error('no task')),
    })
    const body = requestOf(net.spec)
    const request = sign(net, body)
    const response = await post(net, request.headers, body)
    expect(response.statusCode).toBe(200)
    const parties = { sender: miner.address, receiver: rich.address, requestHash: request.hash, status: 200 }
    const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]))
    expect(verifyResponse({ headers, body: response.rawPayload, ...parties })).toEqual({ ok: true })
    expect(
      verifyResponse({ headers, body: Buffer.concat([response.rawPayload, Buffer.from(' ')]), ...parties }).ok,
    ).toBe(false)
    const verdict = await net.spec.tasks.chat?.score({
      request: JSON.parse(body.toString()),
      response: JSON.parse(response.body) as Generation,
      engine,
      timing: { totalMs: 10, deadlineMs: 10_000 },
    })
    expect(verdict).toEqual({ reason: 'ok', value: 1, sigma: 0 })
    await engine.close()
  })

  test.each([
    ['a stranger', stranger, 'MINER_UNKNOWN_CALLER'],
    ['a neuron without permit', unpermitted, 'MINER_NO_PERMIT'],
  ])('refuses %s', async (_, signer, code) => {
    const net = await testNet()
    const body = requestOf(net.spec)
    expectRefusal(await post(net, sign(net, body, { signer }).headers, body), 403, code)
  })

  test('refuses a validator with too little stake', async () => {
    const net = await testNet({ minStake: 11n as never })
    const body = requestOf(net.spec)
    expectRefusal(await post(net, sign(net, body, { signer: poor }).headers, body), 403, 'MINER_LOW_STAKE')
  })

  test('refuses a request without envelope, and one that was answered before', async () => {
    const net = await testNet({ solve: async () => ({}) })
    const body = requestOf(net.spec)
    expectRefusal(await post(net, {}, body), 400, 'WIRE_HEADERS')
    const { headers } = sign(net, body)
    expect((await post(net, headers, body)).statusCode).toBe(200)
    expectRefusal(await post(net, headers, body), 409, 'WIRE_REPLAY')
  })

  test('refuses an expired request', async () => {
    const net = await testNet()
    const body = requestOf(net.spec)
    const { headers } = sign(net, body)
    await net.clock.advance(15_000)
    expectRefusal(await post(net, headers, body), 401, 'WIRE_EXPIRED')
  })

  test('refuses a body that is not the signed one, before it parses it', async () => {
    const net = await testNet()
    const { headers } = sign(net, requestOf(net.spec, 1))
    expectRefusal(await post(net, headers, requestOf(net.spec, 2)), 400, 'WIRE_BODY_HASH')
  })

  test.each([
    ['no JSON', Buffer.from('{"prompt":')],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['another shape', Buffer.from('{"prompt":1}')],
    [
      'more tokens than the task allows',
      Buffer.from(`{"prompt":"a","maxTokens":49,"temperature":0,"seed":"0x${'00'.repeat(32)}"}`),
    ],
    ['nothing', Buffer.alloc(0)],
  ])('refuses a signed body that is %s', async (_, body) => {
    const net = await testNet()
    expectRefusal(
      await post(net, { ...sign(net, body).headers, 'content-length': String(body.length) }, body),
      422,
      'MINER_BAD_REQUEST',
    )
  })

  test('refuses a body above the limit of the task', async () => {
    const net = await testNet()
    const body = Buffer.alloc(16_385, 32)
    expectRefusal(await post(net, sign(net, body).headers, body), 413, 'WIRE_TOO_LARGE')
  })

  test('refuses a caller that asks too often, and not another one', async () => {
    const net = await testNet({ solve: async () => ({}) })
    const body = requestOf(net.spec)
    const ask = (signer: typeof rich) => post(net, sign(net, body, { signer }).headers, body)
    for (let index = 0; index < 10; index += 1) expect((await ask(rich)).statusCode).toBe(200)
    expectRefusal(await ask(rich), 429, 'MINER_RATE')
    expect((await ask(poor)).statusCode).toBe(200)
    await net.clock.advance(1_000)
    expect((await ask(rich)).statusCode).toBe(200)
  })

  test('lets more stake wait in place of less when the queue is full', async () => {
    const release: (() => void)[] = []
    const net = await testNet({ solve: () => new Promise((resolve) => release.push(() => resolve({}))) })
    const body = requestOf(net.spec)
    const ask = (signer: typeof rich) => post(net, sign(net, body, { signer }).headers, body)
    const [working, first, second] = [ask(poor), ask(poor), ask(poor)]
    await expect.poll(() => [net.deps.gate.working, net.deps.gate.waiting]).toEqual([1, 2])
    expectRefusal(await ask(poor), 503, 'MINER_BUSY')
    const richOne = ask(rich)
    expectRefusal(await second, 503, 'MINER_BUSY')
    for (let answered = 0; answered < 3; answered += 1) {
      await expect.poll(() => release.length).toBe(answered + 1)
      release[answered]?.()
    }
    expect((await Promise.all([working, first, richOne])).map(({ statusCode }) => statusCode)).toEqual([200, 200, 200])
    expect([net.deps.gate.working, net.deps.gate.waiting]).toEqual([0, 0])
  })

  test('gives up at the deadline and frees its place', async () => {
    const net = await testNet({
      solve: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    })
    const body = requestOf(net.spec)
    const waiting = post(net, sign(net, body).headers, body)
    await expect.poll(() => net.deps.gate.working).toBe(1)
    await net.clock.advance(10_000)
    expectRefusal(await waiting, 504, 'MINER_LATE')
    await expect.poll(() => net.deps.gate.working).toBe(0)
  })

  test('takes a caller that hangs up while it waits for no failure of its own', async () => {
    const gone = new SubnetError({ code: 'MINER_CALLER_GONE', message: 'The caller closed the connection' })
    const net = await testNet({ solve: () => Promise.reject(gone) })
    const body = requestOf(net.spec)
    expectRefusal(await post(net, sign(net, body).headers, body), 504, 'MINER_LATE')
  })

  test('says nothing of an error but its code', async () => {
    const net = await testNet({ solve: () => Promise.reject(new Error('secret path /home/miner')) })
    const body = requestOf(net.spec)
    expectRefusal(await post(net, sign(net, body).headers, body), 500, 'MINER_FAILED')
  })

  test('has nothing but its tasks and its health', async () => {
    const net = await testNet()
    for (const [method, url] of [
      ['GET', '/'],
      ['GET', '/chat'],
      ['HEAD', '/health'],
      ['POST', '/health'],
      ['POST', '/chat/'],
      ['POST', '/%zz'],
      ['DELETE', '/chat'],
    ] as const) {
      const response = await net.app.inject({ method, url })
      expect([response.statusCode >= 400, response.rawPayload.length <= REFUSAL_BYTES, url]).toEqual([true, true, url])
    }
    expect((await net.app.inject('/health')).json()).toEqual({ ready: true, uid: 3, block: 10 })
  })
})
