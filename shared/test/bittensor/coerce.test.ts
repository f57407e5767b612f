import { readFile } from 'node:fs/promises'
import { readFields } from '@arbor/shared/bittensor/coerce'
import { parseJson } from '@arbor/shared/bittensor/json'
import { fieldsOfPlain, plainOf } from '@arbor/shared/bittensor/plain'
import { pyStr } from '@arbor/shared/bittensor/text'
import { fieldsOf } from '@arbor/shared/bittensor/types'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const int = z.bigint()
const float = z.number()
const text = z.string()
/** The types of pydantic.json as schemas. */
const schemas: Readonly<Record<string, z.ZodType>> = {
  int,
  float,
  bool: z.boolean(),
  str: text,
  opt: text.nullable(),
  oi: int.nullable(),
  uif: z.union([int, float]),
  usi: z.union([text, int]),
  ufs: z.union([float, text]),
  ubi: z.union([z.boolean(), int]),
  uil: z.union([int, z.array(text)]),
  li: z.array(int),
  lf: z.array(float),
  uli: z.union([z.array(int), z.array(float)]),
  dif: z.record(text, float).meta({ python: 'int keys' }),
  dict: z.record(text, z.unknown()),
  tis: z.tuple([int, text]),
  any: z.unknown(),
}

const { cases } = JSON.parse(
  await readFile(new URL('../../../test/vectors/wire/pydantic.json', import.meta.url), 'utf8'),
) as { cases: readonly (readonly [type: string, json: string, str: string | null])[] }

/** Texts that Python makes floats of which JSON has no word for. */
const NON_FINITE = ['"inf"', '"nan"']

describe('a field', () => {
  it.each(Object.entries(schemas))('is what pydantic makes of it when it is %s', (type, schema) => {
    const fields = fieldsOf(z.object({ v: schema }))
    const own = cases.filter(
      ([name, json]) => name === type && !(NON_FINITE.includes(json) && /^(?:float|uif)$/.test(name)),
    )
    expect(own.length).toBeGreaterThan(70)
    for (const [, json, expected] of own) {
      const read = parseJson(`{"v":${json}}`)
      if (!read.ok) throw new Error(read.why)
      const made = readFields(fields, read.value)
      expect([json, made.ok ? pyStr(made.fields.get('v') ?? null) : null]).toEqual([json, expected])
    }
  })

  it('takes its default when it is not sent, and is passed over when nobody knows it', () => {
    const fields = fieldsOf(z.object({ a: z.int(), b: z.string().default('x'), c: z.int().optional() }))
    const read = parseJson('{"z":1,"a":"7","__proto__":{"a":1}}')
    if (!read.ok) throw new Error(read.why)
    const made = readFields(fields, read.value)
    expect(made).toEqual({
      ok: true,
      fields: new Map<string, unknown>([
        ['a', 7n],
        ['b', 'x'],
        ['c', null],
      ]),
    })
  })

  it('names all that is wrong', () => {
    const fields = fieldsOf(z.object({ a: z.int(), b: z.string(), c: z.boolean() }))
    expect(
      readFields(
        fields,
        new Map<string, string>([
          ['a', 'x'],
          ['b', 'y'],
        ]),
      ),
    ).toEqual({ ok: false, wrong: ['a', 'c'] })
    expect(readFields(fields, [])).toMatchObject({ ok: false })
  })
})

describe('a plain object', () => {
  const schema = z.object({
    n: z.int(),
    big: z.bigint(),
    f: z.number(),
    l: z.array(z.bigint()),
    d: z.record(z.string(), z.unknown()),
    m: z.object({ x: z.number() }).nullable(),
  })
  const fields = fieldsOf(schema)
  it('fits the schema that the fields are of', () => {
    const read = parseJson('{"n":1,"big":2,"f":3,"l":[4],"d":{"10":1,"9":2.5,"__proto__":{"p":1}},"m":{"x":1}}')
    if (!read.ok) throw new Error(read.why)
    const made = readFields(fields, read.value)
    if (!made.ok) throw new Error(made.wrong.join())
    const plain = plainOf(fields, made.fields)
    expect(schema.safeParse(plain).success).toBe(true)
    expect(plain).toMatchObject({ n: 1, big: 2n, f: 3, l: [4n], m: { x: 1 } })
    expect(({} as Record<string, unknown>).p).toBeUndefined()
  })
  it('becomes fields again, whole numbers by their type', () => {
    const made = fieldsOfPlain(fields, { n: 1, big: 2n, f: 3, l: [4n], d: { a: 1, b: 1.5 }, m: { x: 1 } })
    expect([...(made ?? [])].map(([name, value]) => `${name}=${pyStr(value)}`)).toEqual([
      'n=1',
      'big=2',
      'f=3.0',
      'l=[4]',
      "d={'a': 1, 'b': 1.5}",
      "m={'x': 1.0}",
    ])
    expect(fieldsOfPlain(fields, { n: 'x', big: 2n, f: 3, l: [], d: {}, m: null })).toBeUndefined()
  })
})
