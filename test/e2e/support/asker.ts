import { systemClock } from '@arbor/shared/clock'
import { openAnswer, readAnswer, verifyAnswer } from '@arbor/shared/protocol/answer'
import { SEALED_TYPE } from '@arbor/shared/protocol/limits'
import { REFUSAL_BYTES, readRefusal } from '@arbor/shared/protocol/refusal'
import type { WrittenRequest } from '@arbor/shared/protocol/request'
import { expect } from 'vitest'
import { type Asker, headersOf, openAsker, write } from '../../../miner/test/net.ts'

/** What came back for a request over HTTP. */
export interface Reply {
  /** Of the request that it answers. */
  readonly requestHash: Uint8Array
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  /** The opened body of a signed answer, the refusal's body otherwise. */
  readonly text: string
  readonly isSigned: boolean
}

/** Opens a session with a miner that runs somewhere, by the certificate that it gives. */
export const meet = async (
  url: string,
  of: Omit<Parameters<typeof openAsker>[0], 'certificate' | 'now'> & { readonly now?: number },
): Promise<Asker> => {
  const { address } = of.receiver ?? { address: '' }
  const response = await fetch(`${url}/.arbor/certificate/${address}`)
  const certificate = await response.text()
  return openAsker({ now: systemClock.now(), ...of, certificate })
}

/** Sends a written request, as a first contact does, and verifies what is signed in its answer. */
export const send = async (url: string, asker: Asker, written: WrittenRequest): Promise<Reply> => {
  const response = await fetch(`${url}${written.fields.path}`, {
    method: 'POST',
    headers: headersOf(asker, written),
    body: new Uint8Array(written.body),
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  const envelope = response.headers.get('arbor-envelope')
  const { status, headers } = response
  const about = { requestHash: written.hash, status, headers, bytes }
  if (envelope === null) return { ...about, text: bytes.toString(), isSigned: false }
  const answer = readAnswer(envelope)
  if (answer === null) throw new Error('the envelope is malformed')
  const of = { certificate: asker.certificate, requestHash: written.hash, status, body: bytes }
  expect(verifyAnswer(answer, of)).toEqual({ ok: true })
  const isSealed = written.contentType === SEALED_TYPE
  const seal = isSealed ? { keys: asker.keys, counter: written.fields.counter } : null
  const opened = openAnswer(answer, { body: bytes, seal })
  if (!opened.ok) throw new Error(opened.fault)
  return { ...about, text: Buffer.from(opened.body).toString(), isSigned: true }
}

/** Asks once. */
export const ask = (url: string, asker: Asker, of: Omit<Parameters<typeof write>[1], 'now'>): Promise<Reply> =>
  send(url, asker, write(asker, { now: systemClock.now(), ...of }))

/** Reads the code of a refusal of constant size. */
export const codeOf = ({ bytes }: Reply): string | null => {
  expect(bytes.length).toBe(REFUSAL_BYTES)
  return readRefusal(bytes)
}
