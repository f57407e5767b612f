import { fileURLToPath } from 'node:url'
import { openEngine } from '@arbor/engine/open'
import { SubnetError } from '@arbor/shared/errors'
import type { Generation } from '@arbor/shared/inference'
import { verifyCertificate } from '@arbor/shared/protocol/certificate'
import type { Alpha } from '@arbor/shared/units'
import { bindingOf } from '@arbor/subnet-spec/binding'
import { describe, expect, test } from 'vitest'
import { ask, expectSigned, expectUnsigned, opened } from './ask.ts'
import {
  askerOf,
  genesisHash,
  headersOf,
  manualNet,
  miner,
  netuid,
  poor,
  post,
  requestOf,
  rich,
  stranger,
  testNet,
  unpermitted,
  write,
} from './net.ts'

const tiny = fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url))

describe('miner', () => {
  test('answers a permitted validator with a signed, sealed answer that its engine believes', async () => {
    const engine = await openEngine({ folder: tiny })
    const net = await testNet({
      solve: ({ request, binding, signal }) =>
        net.spec.tasks.chat?.solve({ request, binding, engine, signal }) ?? Promise.reject(new Error('no task')),
    })
    const asker = await askerOf(net)
    const { written, response } = ask(net, asker)
    const answer = await response
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/arbor-sealed'])
    expect(answer.body).not.toContain('tokens')
    expect(answer.headers['arbor-certificate']).toBe(asker.certificate.text)
    expect(verifyCertificate(asker.certificate)).toBe(true)
    const verdict = await net.spec.tasks.chat?.score({
      request: JSON.parse(requestOf(net.spec).toString()),
      response: JSON.parse(opened(asker, written, answer)) as Generation,
      binding: bindingOf({ genesisHash, netuid, hotkey: miner.address, requestHash: written.hash }),
      engine,
      timing: { class: 0 },
    })
    expect(verdict).toEqual({ reason: 'ok', value: 1, sigma: 0 })
    await engine.close()
  })

  test('writes an answer as slowly as it is told to', async () => {
    const asked = Promise.withResolvers<void>()
    const solve = async () => {
      asked.resolve()
      return { a: 'x'.repeat(200) }
    }
    const net = await manualNet({ solve, pace: () => 50 })
    const asker = await askerOf(net)
    let bytes = 0
    const ended = ask(net, asker).response.then(({ rawPayload }) => {
      bytes = rawPayload.length
    })
    const pass = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) {
        await new Promise((resolve) => setImmediate(resolve))
        await net.clock.advance(1_000)
      }
    }
    await asked.promise
    await pass(3)
    expect(bytes).toBe(0)
    await pass(5)
    await ended
    expect(bytes).toBeGreaterThan(200)
  })

  test('knows a session that it has met, and sends no certificate that was not asked for', async () => {
    const net = await testNet({ solve: async () => ({ a: 1 }) })
    const asker = await askerOf(net)
    expect((await ask(net, asker).response).statusCode).toBe(200)
    for (const proof of ['mac', 'signature'] as const) {
      const written = write(asker, { now: net.clock.now(), body: requestOf(net.spec), proof })
      const answer = await post(net, { 'arbor-envelope': written.envelope }, written.body)
      expect([answer.statusCode, answer.headers['arbor-certificate']]).toEqual([200, undefined])
      expect(opened(asker, written, answer)).toBe('{"a":1}')
    }
  })

  test('answers what is signed and not sealed without a pair of sessions', async () => {
    const net = await testNet({ solve: async () => ({ a: 1 }) })
    const asker = await askerOf(net)
    const { response } = ask(net, asker, { pair: null, isSealed: false, proof: 'signature' })
    const answer = await response
    expect([answer.statusCode, answer.headers['content-type'], answer.body]).toEqual([
      200,
      'application/json',
      '{"a":1}',
    ])
  })

  test('gives its certificate, and no other', async () => {
    const net = await testNet()
    const own = await net.app.inject(`/.arbor/certificate/${miner.address}`)
    expect([own.statusCode, own.body]).toEqual([200, net.sessions.current()?.certificate.text])
    for (const other of [rich.address, 'x', `${miner.address}x`])
      expectUnsigned(await net.app.inject(`/.arbor/certificate/${other}`), 404, 'MINER_NO_TASK')
  })

  test.each([
    ['a stranger', stranger, 'MINER_UNKNOWN_CALLER'],
    ['a neuron without permit', unpermitted, 'MINER_NO_PERMIT'],
  ])('refuses %s before it verifies a certificate', async (_, signer, code) => {
    const net = await testNet({ checks: { take: () => ({ ok: false, retryAfterS: 1 }), size: 0 } })
    expectUnsigned(await ask(net, await askerOf(net, { signer })).response, 403, code)
  })

  test('refuses a validator with too little stake', async () => {
    const net = await testNet({ minStake: 11n as Alpha })
    expectUnsigned(await ask(net, await askerOf(net, { signer: poor })).response, 403, 'MINER_LOW_STAKE')
  })

  test('refuses a session without its certificate, and one whose registration is another', async () => {
    const net = await testNet()
    const asker = await askerOf(net)
    const written = write(asker, { now: net.clock.now(), body: requestOf(net.spec) })
    const bare = await post(net, { 'arbor-envelope': written.envelope }, written.body)
    expectUnsigned(bare, 401, 'WIRE_SESSION')
    const moved = await askerOf(net, { registeredAt: 2 })
    expectUnsigned(await ask(net, moved).response, 401, 'WIRE_REGISTRATION')
    const abroad = await askerOf(net, { genesis: `0x${'cd'.repeat(32)}` })
    expectUnsigned(await ask(net, abroad).response, 421, 'WIRE_CHAIN')
    const server = await askerOf(net, { purpose: 'serve' })
    expectUnsigned(await ask(net, server).response, 401, 'WIRE_CERTIFICATE')
    expect(genesisHash).not.toBe(`0x${'cd'.repeat(32)}`)
  })

  test('refuses a certificate that another signed, and soon does not look at more of them from there', async () => {
    const net = await testNet()
    const [honest, thief] = [await askerOf(net), await askerOf(net, { signer: poor })]
    const [payload] = honest.session.certificate.text.split('.')
    const [, signature] = thief.session.certificate.text.split('.')
    const forged = { 'arbor-certificate': `${payload}.${signature}` }
    const once = () => {
      const written = write(honest, { now: net.clock.now(), body: requestOf(net.spec) })
      return post(net, { ...headersOf(honest, written), ...forged }, written.body)
    }
    for (let index = 0; index < 8; index += 1) expectUnsigned(await once(), 401, 'WIRE_CERTIFICATE')
    const ninth = await once()
    expectUnsigned(ninth, 429, 'MINER_RATE')
    expect(ninth.headers['retry-after']).toBe('1')
  })

  test('refuses a request without envelope, and one that was answered before', async () => {
    const net = await testNet({ solve: async () => ({}) })
    expectUnsigned(await post(net, {}, requestOf(net.spec)), 400, 'WIRE_HEADERS')
    const asker = await askerOf(net)
    const { written, response } = ask(net, asker)
    expect((await response).statusCode).toBe(200)
    const again = { written, response: post(net, headersOf(asker, written), written.body) }
    await expectSigned(asker, again, { status: 409, code: 'WIRE_REPLAY' })
  })

  test('refuses an expired request', async () => {
    const net = await manualNet()
    const asker = await askerOf(net)
    const written = write(asker, { now: net.clock.now(), body: requestOf(net.spec) })
    await net.clock.advance(15_000)
    const response = post(net, headersOf(asker, written), written.body)
    await expectSigned(asker, { written, response }, { status: 401, code: 'WIRE_EXPIRED' })
  })

  test('refuses a body that is not the proven one, before it parses it', async () => {
    const net = await testNet()
    const asker = await askerOf(net)
    const written = write(asker, { now: net.clock.now(), body: requestOf(net.spec, 1) })
    const other = Buffer.from(written.body).fill(7)
    const response = post(net, headersOf(asker, written), other)
    await expectSigned(asker, { written, response }, { status: 400, code: 'WIRE_BODY_HASH' })
  })

  test.each([
    ['no JSON', Buffer.from('{"prompt":')],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['another shape', Buffer.from('{"prompt":1}')],
    [
      'more tokens than the task allows',
      Buffer.from(`{"prompt":"a","maxTokens":257,"temperature":0,"seed":"0x${'00'.repeat(32)}"}`),
    ],
    ['nothing', Buffer.alloc(0)],
  ])('refuses a proven body that is %s', async (_, body) => {
    const net = await testNet()
    const asker = await askerOf(net)
    await expectSigned(asker, ask(net, asker, { body }), { status: 422, code: 'MINER_BAD_REQUEST' })
  })

  test('refuses a body above the limit of the task, sealed or not, and takes one at the limit', async () => {
    const net = await testNet()
    const asker = await askerOf(net)
    for (const isSealed of [true, false]) {
      const over = ask(net, asker, { body: Buffer.alloc(16_385, 32), isSealed })
      await expectSigned(asker, over, { status: 413, code: 'WIRE_TOO_LARGE' })
      const at = ask(net, asker, { body: Buffer.alloc(16_384, 32), isSealed })
      await expectSigned(asker, at, { status: 422, code: 'MINER_BAD_REQUEST' })
    }
  })

  test('refuses an open question when it asks for seals', async () => {
    const net = await testNet({ requireSeal: true, solve: async () => ({}) })
    const asker = await askerOf(net)
    const open = ask(net, asker, { isSealed: false })
    await expectSigned(asker, open, { status: 426, code: 'WIRE_SEAL_REQUIRED' })
    expect((await ask(net, asker).response).statusCode).toBe(200)
  })

  test('refuses who is on no list that it should be on', async () => {
    const net = await testNet({ lists: { admits: (hotkey) => hotkey !== rich.address }, solve: async () => ({}) })
    const asker = await askerOf(net)
    await expectSigned(asker, ask(net, asker), { status: 403, code: 'MINER_DENIED' })
    expect((await ask(net, await askerOf(net, { signer: poor })).response).statusCode).toBe(200)
  })

  test('refuses a caller that asks too often, says when to come again, and refuses nobody else', async () => {
    const net = await manualNet({ solve: async () => ({}) })
    const [busy, other] = [await askerOf(net), await askerOf(net, { signer: poor })]
    for (let index = 0; index < 10; index += 1) expect((await ask(net, busy).response).statusCode).toBe(200)
    const refused = await expectSigned(busy, ask(net, busy), { status: 429, code: 'MINER_RATE' })
    expect(refused.headers['retry-after']).toBe('1')
    expect((await ask(net, other).response).statusCode).toBe(200)
    await net.clock.advance(1_000)
    expect((await ask(net, busy).response).statusCode).toBe(200)
  })

  test('lets more stake wait in place of less when the queue is full', async () => {
    const release: (() => void)[] = []
    const net = await testNet({ solve: () => new Promise((resolve) => release.push(() => resolve({}))) })
    const [little, much] = [await askerOf(net, { signer: poor }), await askerOf(net)]
    const [working, first, second] = [ask(net, little), ask(net, little), ask(net, little)]
    await expect.poll(() => [net.gate.working, net.gate.waiting]).toEqual([1, 2])
    const refused = await expectSigned(little, ask(net, little), { status: 503, code: 'MINER_BUSY' })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    const rich = ask(net, much)
    await expectSigned(little, second, { status: 503, code: 'MINER_BUSY' })
    for (const served of [working, rich, first]) {
      await expect.poll(() => release.length).toBe(1)
      release.splice(0)[0]?.()
      expect((await served.response).statusCode).toBe(200)
    }
    expect([net.gate.working, net.gate.waiting]).toEqual([0, 0])
  })

  test('says when the queue will have moved, by how long answers take', async () => {
    const release: (() => void)[] = []
    const net = await manualNet({ solve: () => new Promise((resolve) => release.push(() => resolve({}))) })
    const asker = await askerOf(net)
    const slow = ask(net, asker)
    await expect.poll(() => release.length).toBe(1)
    await net.clock.advance(4_000)
    release.splice(0)[0]?.()
    expect((await slow.response).statusCode).toBe(200)
    const held = [ask(net, asker), ask(net, asker), ask(net, asker)]
    await expect.poll(() => net.gate.waiting).toBe(2)
    const refused = await expectSigned(asker, ask(net, asker), { status: 503, code: 'MINER_BUSY' })
    expect(refused.headers['retry-after']).toBe('12') // three before it, four seconds each
    for (const { response } of held) {
      await expect.poll(() => release.length).toBe(1)
      release.splice(0)[0]?.()
      await response
    }
  })

  test('gives up at the deadline, at work and in the queue', async () => {
    const net = await manualNet({
      solve: ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    })
    const asker = await askerOf(net)
    const [working, waiting] = [ask(net, asker), ask(net, asker, { timeoutMs: 5_000 })]
    await expect.poll(() => [net.gate.working, net.gate.waiting]).toEqual([1, 1])
    await net.clock.advance(5_000)
    await expectSigned(asker, waiting, { status: 504, code: 'MINER_LATE' })
    await net.clock.advance(5_000)
    await expectSigned(asker, working, { status: 504, code: 'MINER_LATE' })
    expect([net.gate.working, net.gate.waiting]).toEqual([0, 0])
  })

  test.each([
    ['MINER_CALLER_GONE', 504, 'MINER_LATE'],
    ['ENGINE_CRASHED', 503, 'MINER_BUSY'],
    ['ENGINE_PROMPT_TOO_LONG', 422, 'MINER_BAD_REQUEST'],
    ['SECRET_PATH', 500, 'MINER_FAILED'],
  ])('says nothing of an error %s but a code', async (code, status, told) => {
    const error = new SubnetError({ code, message: 'secret path /home/miner' })
    const net = await testNet({ solve: () => Promise.reject(error) })
    const asker = await askerOf(net)
    await expectSigned(asker, ask(net, asker), { status, code: told })
  })

  test('refuses to serve while it has no session, and a question for one that is gone', async () => {
    const without = await testNet()
    const { sessions } = without
    const nobody = await testNet({ sessions: { ...sessions, current: () => null, find: () => null } })
    const asker = await askerOf(without)
    const unpaired = ask(nobody, asker, { pair: null, isSealed: false, proof: 'signature' })
    expectUnsigned(await unpaired.response, 503, 'MINER_NOT_READY')
    expectUnsigned(await ask(nobody, asker).response, 409, 'WIRE_KEYS')
  })

  test('has nothing but its tasks, its certificate and its health', async () => {
    const net = await testNet()
    for (const [method, url] of [
      ['GET', '/'],
      ['GET', '/chat'],
      ['HEAD', '/health'],
      ['POST', '/health'],
      ['POST', '/chat/'],
      ['POST', '/%zz'],
      ['DELETE', '/chat'],
      ['GET', '/.arbor/certificate/'],
    ] as const) {
      const response = await net.app.inject({ method, url })
      expect([response.statusCode >= 400, response.rawPayload.length <= 64, url]).toEqual([true, true, url])
    }
    expect((await net.app.inject('/health')).json()).toEqual({ ready: true, uid: 3, block: 10 })
  })
})
