import { readAskerHeaders } from '@arbor/shared/bittensor/asker'
import { synapseOf } from '@arbor/shared/bittensor/synapse'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const HASH = 'a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a'
const raw = (headers: readonly (readonly [string, string])[]): readonly string[] =>
  [['computed_body_hash', HASH] as const, ...headers].flat()

describe('the headers of an asker', () => {
  it('say what they say, and 12 seconds otherwise', () => {
    expect(
      readAskerHeaders(
        raw([
          ['BT_Header_Dendrite_Nonce', '0017'],
          ['x-other', 'é'],
          ['bt_header_input_obj_n', 'MA=='],
        ]),
      ),
    ).toEqual({
      ok: true,
      headers: {
        timeoutS: 12,
        nonce: 17n,
        version: null,
        uuid: null,
        hotkey: null,
        signature: null,
        bodyHash: HASH,
        dendriteIp: null,
        axonIp: null,
        axonPort: null,
        inputs: new Set(['n']),
      },
    })
  })
  it.each([
    'timeout',
    'computed_body_hash',
    'bt_header_dendrite_nonce',
    'bt_header_dendrite_signature',
    'bt_header_dendrite_hotkey',
    'bt_header_dendrite_uuid',
    'bt_header_dendrite_version',
  ])('are refused when %s is there twice, in whatever case', (name) => {
    const value = name === 'computed_body_hash' ? HASH : '1'
    const read = readAskerHeaders(
      raw([...(name === 'computed_body_hash' ? [] : [[name, value] as const]), [name.toUpperCase(), value]]),
    )
    expect(read).toEqual({ ok: false, why: `${name} is there twice` })
  })
  it.each([
    ['bt_header_dendrite_nonce', '1'.repeat(21)],
    ['bt_header_dendrite_nonce', '1.5'],
    ['bt_header_dendrite_nonce', '٣'],
    ['bt_header_dendrite_version', '-1'],
    ['bt_header_dendrite_ip', 'host.name'],
    ['bt_header_axon_port', '123456'],
    ['bt_header_dendrite_signature', '0'.repeat(257)],
    ['bt_header_dendrite_hotkey', 'é'],
    ['timeout', '-1.0'],
    ['timeout', '1e999'],
    ['header_size', '1.0'],
  ])('are refused when %s is %s', (name, value) => {
    expect(readAskerHeaders(raw([[name, value]]))).toEqual({ ok: false, why: `${name} is malformed` })
  })
})

describe('a synapse', () => {
  const task = {
    name: 'Echo',
    hashed: ['text'],
    request: z.object({ text: z.string() }),
    response: z.object({ reply: z.string(), score: z.number().default(0.5) }),
  }
  it('has the request, then the response, which may be None', () => {
    const { request, response } = synapseOf(task)
    expect(request).toEqual([{ name: 'text', type: { kind: 'str' }, fallback: undefined }])
    expect(response.map(({ name, fallback }) => [name, fallback])).toEqual([
      ['reply', null],
      ['score', 0.5],
    ])
  })
  it.each([
    ['a name of two words', { name: 'Text Prompt' }],
    ['a lower-case name', { name: 'echo' }],
    ['a hashed field that is none', { hashed: ['other'] }],
    ['a field hashed twice', { hashed: ['text', 'text'] }],
    ['a stream into nothing', { stream: 'other' }],
    ['a stream into a number', { stream: 'score' }],
    ['a field of every synapse', { request: z.object({ axon: z.string() }) }],
    ['a field in both', { response: z.object({ text: z.string() }) }],
    ['a field that is no name', { request: z.object({ 'a-b': z.string() }) }],
  ])('is refused with %s', (_name, change) => {
    expect(() => synapseOf({ ...task, ...change })).toThrow(expect.objectContaining({ code: 'SYNAPSE_INVALID' }))
  })
  it.each([
    ['z.date()', z.date()],
    ['z.map()', z.map(z.string(), z.string())],
    ['z.set()', z.set(z.string())],
    ['z.literal(1)', z.literal(1)],
    ['z.intersection()', z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() }))],
    ['z.tuple() with a rest', z.tuple([z.string()], z.string())],
  ])('is refused with a field of %s', (_name, field) => {
    const request = z.object({ text: z.string(), field })
    expect(() => synapseOf({ ...task, request })).toThrow(expect.objectContaining({ code: 'SYNAPSE_SCHEMA' }))
  })
  it('is refused without an object', () => {
    expect(() => synapseOf({ ...task, hashed: [], request: z.string() })).toThrow(
      expect.objectContaining({ code: 'SYNAPSE_SCHEMA' }),
    )
  })
})
