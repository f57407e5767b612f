import { readFile } from 'node:fs/promises'
import { bodyHash, fieldHash } from '@arbor/shared/bittensor/body-hash'
import { coerce, readFields } from '@arbor/shared/bittensor/coerce'
import { parseJson, printJson } from '@arbor/shared/bittensor/json'
import { messageBody, messageHeaders, NO_TERMINAL } from '@arbor/shared/bittensor/message'
import { readSignature, signatureText, verifyText } from '@arbor/shared/bittensor/signature'
import { type Synapse, synapseOf } from '@arbor/shared/bittensor/synapse'
import { pyStr } from '@arbor/shared/bittensor/text'
import { fieldsOf, type PyType } from '@arbor/shared/bittensor/types'
import { isDict, type PyValue } from '@arbor/shared/bittensor/value'
import { decodeSs58, isSs58 } from '@arbor/shared/ss58'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const vectors = async <T>(name: string): Promise<T> =>
  JSON.parse(await readFile(new URL(`../../../test/vectors/wire/${name}`, import.meta.url), 'utf8')) as T

const inner = z.object({ a: z.int().default(1), b: z.string().nullable().default(null) })
/** The types of body_hash.json as schemas. */
const schemas: Readonly<Record<string, z.ZodType>> = {
  int: z.bigint(),
  float: z.number(),
  bool: z.boolean(),
  str: z.string(),
  'Optional[str]': z.string().nullable(),
  'List[int]': z.array(z.int()),
  'List[float]': z.array(z.number()),
  'List[str]': z.array(z.string()),
  'List[Any]': z.array(z.unknown()),
  'List[List[int]]': z.array(z.array(z.int())),
  dict: z.record(z.string(), z.unknown()),
  'Dict[str,float]': z.record(z.string(), z.number()),
  'Dict[int,str]': z.record(z.string(), z.string()).meta({ python: 'int keys' }),
  'Tuple[int,str]': z.tuple([z.int(), z.string()]),
  'Tuple[int]': z.tuple([z.int()]),
  'Inner{a:int=1,b:Optional[str]}': inner,
  'List[Inner]': z.array(inner),
  'Enum(str)': z.enum({ RED: 'red', BLUE: 'blue' }).meta({ python: 'Color' }),
  Any: z.unknown(),
  'Union[int,float]': z.union([z.int(), z.number()]),
  'bittensor.Tensor': z.object({ buffer: z.string(), dtype: z.string(), shape: z.array(z.int()) }),
}
const typeOf = (name: string): PyType => {
  const schema = schemas[name]
  if (schema === undefined) throw new Error(`no schema for ${name}`)
  const [field] = fieldsOf(z.object({ v: schema }))
  if (field === undefined) throw new Error('no field')
  return field.type
}
const parse = (json: string): PyValue => {
  const read = parseJson(json, { nonFinite: true })
  if (!read.ok) throw new Error(read.why)
  return read.value
}

const body = await vectors<{
  fields: readonly { type: string; json_on_wire: string; py_str: string; field_hash: string; body_hash: string }[]
  combined: readonly {
    synapse: string
    fields: Readonly<Record<string, string | number | null | readonly number[]>>
    required_hash_fields?: readonly string[]
    expected_order?: readonly string[]
    body_hash: string
  }[]
}>('body_hash.json')

describe('a field hash', () => {
  it('has all the cases', () => {
    expect(body.fields).toHaveLength(87)
    expect(body.combined).toHaveLength(6)
  })
  it.each(
    body.fields.map((entry, index) => [`${index} ${entry.type} ${entry.json_on_wire.slice(0, 40)}`, entry] as const),
  )('is that of Python for %s', (_name, entry) => {
    const value = coerce(typeOf(entry.type), parse(entry.json_on_wire))
    if (value === undefined) throw new Error('refused')
    expect(pyStr(value)).toBe(entry.py_str)
    expect(fieldHash(value)).toBe(entry.field_hash)
    const synapse: Synapse = { name: 'One', request: [], response: [], hashed: ['v'], stream: null }
    expect(bodyHash({ synapse, values: new Map([['v', value]]), timeoutS: 12 })).toBe(entry.body_hash)
  })
})

describe('a body hash', () => {
  const mix = z.object({
    text: z.string(),
    n: z.int(),
    f: z.number(),
    l: z.array(z.int()),
    none: z.string().nullable().default(null),
  })
  const shapes: Readonly<Record<string, z.ZodType>> = {
    None0: z.object({ x: z.int() }),
    AB: z.object({ a: z.string(), b: z.string() }),
    BA: z.object({ a: z.string(), b: z.string() }),
    Mix: mix,
    WithBase: z.object({ text: z.string() }),
    Legacy: z.object({ b: z.string(), a: z.string() }),
  }
  it.each(body.combined.map((entry) => [entry.synapse, entry] as const))('is that of Python for %s', (name, entry) => {
    const hashed = entry.expected_order ?? entry.required_hash_fields ?? []
    const request = shapes[name] ?? z.object({})
    const synapse = synapseOf({ name, hashed, request, response: z.object({}) })
    const read = readFields(synapse.request, parse(JSON.stringify(entry.fields)))
    if (!read.ok) throw new Error(read.wrong.join())
    expect(bodyHash({ synapse, values: read.fields, timeoutS: 12 })).toBe(entry.body_hash)
  })
})

const signatures = await vectors<{
  cases: readonly { address: string; message: string; signature: string; expect_valid: boolean; note: string }[]
}>('signatures.json')

/** Keypair.sign() takes such text for hexadecimal; a request's text begins with its nonce. */
const HEX_ONLY = 'message that starts with 0x is hex-decoded before signing'

describe('a signature', () => {
  it.each(
    signatures.cases.filter(({ note }) => note !== HEX_ONLY).map((entry) => [entry.note, entry] as const),
  )('is judged as by Python: %s', (_note, entry) => {
    const bytes = readSignature(entry.signature)
    const valid = bytes !== null && isSs58(entry.address) && verifyText(decodeSs58(entry.address), entry.message, bytes)
    expect(valid).toBe(entry.expect_valid)
  })
  it('covers the text of Python', () => {
    const of = { nonce: 1n, dendriteHotkey: 'd', axonHotkey: 'a', bodyHash: 'h' }
    expect(signatureText({ ...of, uuid: 'u' })).toBe('1.d.a.u.h')
    expect(signatureText({ ...of, uuid: null })).toBe('1.d.a.None.h')
  })
})

const headers = await vectors<{
  to_headers: readonly { note: string; json_body: unknown; headers: Readonly<Record<string, string>> }[]
}>('headers.json')

describe('headers', () => {
  const h1 = {
    name: 'H1',
    hashed: ['s'],
    request: z.object({
      s: z.string(),
      i: z.int(),
      f: z.number(),
      b: z.boolean(),
      l: z.array(z.int()),
      d: z.record(z.string(), z.unknown()),
      o: z.string().nullable(),
      dflt: z.int().default(5),
    }),
    response: z.object({}),
  }
  const text = losslessHeaders()
  it.each(
    headers.to_headers.map((entry, index) => [entry.note, index] as const),
  )('are those of Python: %s', async (_note, index) => {
    const entry = headers.to_headers[index]
    if (entry === undefined) throw new Error('no case')
    const raw = dictOf(((await text).get('to_headers') as readonly PyValue[])[index] ?? null)
    const sent = dictOf(raw.get('json_body') ?? null)
    const [synapse] =
      entry.headers.name === 'H1'
        ? [synapseOf(h1)]
        : [synapseOf({ ...h1, name: 'Synapse', hashed: [], request: z.object({}) })]
    const read = readFields(synapse.request, sent)
    if (!read.ok) throw new Error(read.wrong.join())
    const { dendrite, axon } = {
      dendrite: dictOf(sent.get('dendrite') ?? null),
      axon: dictOf(sent.get('axon') ?? null),
    }
    const message = {
      synapse,
      values: read.fields,
      timeoutS: Number(sent.get('timeout')),
      dendrite: {
        ...NO_TERMINAL,
        ip: String(dendrite.get('ip')),
        version: Number(dendrite.get('version')),
        nonce: dendrite.get('nonce') as bigint,
        uuid: String(dendrite.get('uuid')),
        hotkey: String(dendrite.get('hotkey')),
        signature: String(dendrite.get('signature')),
      },
      axon: { ...NO_TERMINAL, ip: '127.0.0.1', port: 8091, hotkey: String(axon.get('hotkey')) },
      bodyHash: entry.headers.computed_body_hash ?? '',
    }
    const written = messageHeaders(message, 1)
    const sizes = ['header_size', 'total_size']
    const without = (pairs: readonly (readonly [string, string])[]) => pairs.filter(([name]) => !sizes.includes(name))
    expect(without(written)).toEqual(without(Object.entries(entry.headers)))
    const whole = new Map(sent).set('total_size', 0n)
    expect(printJson(messageBody(message))).toBe(printJson(whole))
  })
})

const dictOf = (value: PyValue) => {
  if (value === null || typeof value !== 'object' || !isDict(value)) throw new Error('no object')
  return value
}
async function losslessHeaders() {
  const bytes = await readFile(new URL('../../../test/vectors/wire/headers.json', import.meta.url))
  return dictOf(parse(bytes.toString('utf8')))
}
