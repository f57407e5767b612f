import { openAnswer, readAnswer, verifyAnswer } from '@arbor/shared/protocol/answer'
import { REFUSAL_BYTES } from '@arbor/shared/protocol/refusal'
import type { WrittenRequest } from '@arbor/shared/protocol/request'
import type { LightMyRequestResponse } from 'fastify'
import { expect } from 'vitest'
import { type Asker, headersOf, post, requestOf, type TestNet, write } from './net.ts'

/** Asks a test's miner once, as a first contact. */
export const ask = (net: TestNet, asker: Asker, of: Partial<Parameters<typeof write>[1]> = {}) => {
  const written = write(asker, { now: net.clock.now(), body: requestOf(net.spec), ...of })
  return { written, response: post(net, headersOf(asker, written), written.body) }
}

/** Expects that the miner's session signed this answer to this request. @returns the body, opened */
export const opened = (asker: Asker, written: WrittenRequest, response: LightMyRequestResponse): string => {
  const answer = readAnswer(String(response.headers['arbor-envelope']))
  if (answer === null) throw new Error('the answer has no envelope')
  const { certificate } = asker
  const of = { certificate, requestHash: written.hash, status: response.statusCode, body: response.rawPayload }
  expect(verifyAnswer(answer, of)).toEqual({ ok: true })
  const seal = { keys: asker.keys, counter: written.fields.counter }
  const open = openAnswer(answer, { body: response.rawPayload, seal })
  if (!open.ok) throw new Error(open.fault)
  return Buffer.from(open.body).toString()
}

/** Expects a refusal of constant size that nobody signed. */
export const expectUnsigned = (response: LightMyRequestResponse, status: number, code: string): void => {
  expect([response.statusCode, JSON.parse(response.body).code]).toEqual([status, code])
  expect(response.rawPayload.length).toBe(REFUSAL_BYTES)
  expect(response.headers['arbor-envelope']).toBeUndefined()
}

/** Expects a refusal of constant size with the miner's signature. */
export const expectSigned = async (
  asker: Asker,
  asked: { readonly written: WrittenRequest; readonly response: Promise<LightMyRequestResponse> },
  of: { readonly status: number; readonly code: string },
): Promise<LightMyRequestResponse> => {
  const response = await asked.response
  expect([response.statusCode, JSON.parse(opened(asker, asked.written, response)).code]).toEqual([of.status, of.code])
  expect(response.rawPayload.length).toBe(REFUSAL_BYTES)
  return response
}
