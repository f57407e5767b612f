import { fileURLToPath } from 'node:url'
import { openEngine } from '@arbor/engine/open'
import { SubnetError } from '@arbor/shared/errors'
import type { Generation } from '@arbor/shared/inference'
import { openAnswer, readAnswer, verifyAnswer } from '@arbor/shared/protocol/answer'
import { readCertificate, verifyCertificate } from '@arbor/shared/protocol/certificate'
import { REFUSAL_BYTES } from '@arbor/shared/protocol/refusal'
import type { WrittenRequest } from '@arbor/shared/protocol/request'
import type { LightMyRequestResponse } from 'fastify'
import { describe, expect, test } from 'vitest'
import {
  type Asker,
  askerOf,
  headersOf,
  manualNet,
  miner,
  poor,
  post,
  requestOf,
  stranger,
  type TestNet,
  testNet,
  unpermitted,
  write,
} from './net.ts'

const tiny = fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url))

const expectRefusal = (response: LightMyRequestResponse, status: number, code: string): void => {
  expect([response.statusCode, JSON.parse(response.body).code]).toEqual([status, code])
  expect(response.rawPayload.length).toBe(REFUSAL_BYTES)
}

/** Verifies who signed an answer to what; the opened body. */
const opened = (asker: Asker, written: WrittenRequest, response: LightMyRequestResponse): string => {
  const answer = readAnswer(String(response.headers['arbor-envelope']))
  if (answer === null) throw new Error('the answer has no envelope')
  const { certificate } = certificateIn(response)
  const of = { certificate, requestHash: written.hash, status: response.statusCode, body: response.rawPayload }
  expect(verifyAnswer(answer, of)).toEqual({ ok: true })
  const seal = { keys: asker.keys, counter: written.fields.counter }
  const open = openAnswer(answer, { body: response.rawPayload, seal })
  if (!open.ok) throw new Error(open.fault)
  return Buffer.from(open.body).toString()
}
const certificateIn = (response: LightMyRequestResponse) => {
  const read = readCertificate(String(response.headers['arbor-certificate']))
  if (!read.ok) throw new Error(read.code)
  return read
}

const ask = (net: TestNet, asker: Asker, of: Partial<Parameters<typeof write>[1]> = {}) => {
  const written = write(asker, { now: net.clock.now(), body: requestOf(net.spec), ...of })
  return { written, response: post(net, headersOf(asker, written), written.body) }
}

describe('miner', () => {
  test('answers a permitted validator with a signed, sealed answer that its engine believes', async () => {
    const engine = await openEngine({ folder: tiny })
    const net = await testNet({
      solve: ({ request, signal }) =>
        net.spec.tasks.chat?.solve({ request, engine, signal }) ?? Promise.reject(new Error('no task')),
    })
    const asker = await askerOf(net)
    const { written, response } = ask(net, asker)
    const answer = await response
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/arbor-sealed'])
    expect(answer.body).not.toContain('tokens')
    expect(verifyCertificate(certificateIn(answer).certificate)).toBe(true)
    const verdict = await net.spec.tasks.chat?.score({
      request: JSON.parse(requestOf(net.spec).toString()),
      response: JSON.parse(opened(asker, written, answer)) as Generation,
      engine,
      timing: { totalMs: 10, deadlineMs: 10_000 },
    })
    expect(verdict).toEqual({ reason: 'ok', value: 1, sigma: 0 })
    await engine.close()
  })
})
