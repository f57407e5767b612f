import { synapseOf } from '@arbor/shared/bittensor/synapse'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readAnswer } from '../src/bittensor/answer.ts'
import { readHead } from '../src/bittensor/head.ts'

const synapse = synapseOf({
  name: 'Echo',
  hashed: ['text', 'n'],
  request: z.object({ text: z.string(), n: z.int() }),
  response: z.object({ reply: z.string().nullable() }),
})
const runs = { seed: 20_261_121, numRuns: 2_000 }

const latin1 = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) })
const name = fc.oneof(
  fc.constantFrom(
    'bt_header_axon_status_code',
    'BT_HEADER_AXON_STATUS_CODE',
    'bt_header_axon_status_message',
    'bt_header_axon_hotkey',
    'Content-Type',
    'content-encoding',
    '__proto__',
  ),
  latin1,
)
const value = fc.oneof(
  fc.constantFrom('200', '500', '-1', 'application/json', 'text/event-stream', 'gzip', 'ok'),
  latin1,
)
const rawHeaders = fc.array(fc.tuple(name, value), { maxLength: 12 }).map((pairs) => pairs.flat())

const fields = fc.dictionary(
  fc.constantFrom('name', 'axon', 'dendrite', 'text', 'n', 'reply', 'message', '__proto__', 'timeout'),
  fc.jsonValue({ maxDepth: 3 }),
)
const body = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fields.map((object) => Buffer.from(JSON.stringify(object))),
  fc
    .record({ text: fc.string(), n: fc.integer(), reply: fc.option(fc.string()), axon: fc.jsonValue() })
    .map((object) => Buffer.from(JSON.stringify(object))),
)
const status = fc.oneof(fc.constant(200), fc.integer({ min: 200, max: 599 }))

describe('any answer', () => {
  it('is read to one verdict, and nothing in it is thrown, kept or believed beyond its fields', () => {
    fc.assert(
      fc.property(rawHeaders, status, body, (raw, httpStatus, bytes) => {
        const head = readHead(['content-type', 'application/json', ...raw])
        if ('bad' in head) return
        const reading = readAnswer({ synapse, head, httpStatus, body: bytes })
        if (!reading.ok) {
          expect(['malformed', 'schema', 'content-type']).toContain(reading.fault)
          return
        }
        const { fault, response, statusCode, statusMessage } = reading.read
        expect(fault === null).toBe(statusCode === 200 && httpStatus === 200)
        expect(statusMessage?.length ?? 0).toBeLessThanOrEqual(1_024)
        if (response === null) expect(httpStatus).not.toBe(200)
        else expect(Object.keys(JSON.parse(Buffer.from(response).toString('utf8')))).toEqual(['reply'])
      }),
      runs,
    )
  })
})
