import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/hex.ts'
import type { NetUid, UnixMs } from '../../src/units.ts'
import { requestBytes, requestHash } from '../../src/wire/envelope.ts'
import { checkBody, verifyHead } from '../../src/wire/request.ts'
import { responseBytes, verifyResponse } from '../../src/wire/response.ts'

interface Case {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly signedBytes: string
  readonly requestHash: string
  readonly headers: Readonly<Record<string, string>>
  readonly response: {
    readonly status: number
    readonly body: string
    readonly signedBytes: string
    readonly headers: Readonly<Record<string, string>>
  }
}

/** Made by scripts/protocol-vectors.py with other libraries. */
const { cases } = JSON.parse(
  readFileSync(new URL('../../../test/vectors/protocol/envelope.json', import.meta.url), 'utf8'),
) as { cases: Case[] }

test.each(
  cases,
)('envelope reads what another implementation signed for $path with nonce $headers.arbor-nonce', (vector) => {
  const { method, path, headers } = vector
  const context = {
    now: Number(headers['arbor-timestamp']) as UnixMs,
    receiver: headers['arbor-receiver'] as never,
    netuid: Number(headers['arbor-netuid']) as NetUid,
  }
  const read = verifyHead({ rawHeaders: Object.entries(headers).flat(), method, path, context })
  if (!read.ok) throw new Error(read.code)
  expect(toHex(requestBytes(read.envelope))).toBe(vector.signedBytes)
  expect(toHex(requestHash(read.envelope))).toBe(vector.requestHash)
  expect(checkBody(read.envelope, fromHex(vector.body))).toEqual({ ok: true })
  const { response } = vector
  const answer = {
    requestHash: requestHash(read.envelope),
    status: response.status,
    body: fromHex(response.body),
    sender: read.envelope.receiver,
    receiver: read.envelope.sender,
  }
  expect(toHex(responseBytes(answer))).toBe(response.signedBytes)
  expect(verifyResponse({ headers: response.headers, ...answer })).toEqual({ ok: true })
})
