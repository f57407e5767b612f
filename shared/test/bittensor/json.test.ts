import { parseJson, printJson } from '@arbor/shared/bittensor/json'
import { pyFloat } from '@arbor/shared/bittensor/text'
import type { PyValue } from '@arbor/shared/bittensor/value'
import { describe, expect, it } from 'vitest'

const parse = (text: string | Uint8Array): PyValue => {
  const read = parseJson(text)
  if (!read.ok) throw new Error(read.why)
  return read.value
}

describe('lossless JSON', () => {
  it.each([
    '1',
    '1.0',
    '-0',
    '123456789012345678901234567890',
    '{"10":1,"9":2.5,"a":[],"__proto__":{}}',
    '[1,1.0,true,null,"x",[],{},[1,[2,{"a":null}]]]',
    '"\\"\\\\\\u0000\\n é 𝄞"',
    '""',
  ])('gives back %s', (text) => {
    expect(printJson(parse(text))).toBe(text === '-0' ? '0' : text)
  })

  it('keeps the place of the first of equal keys and the value of the last, as Python does', () => {
    expect(printJson(parse('{"a":1,"b":2,"a":3}'))).toBe('{"a":3,"b":2}')
  })

  it('reads escapes, spaces and pairs of surrogates', () => {
    expect(parse(' \n\t\r{ "a" : [ 1 , "\\ud834\\udd1e\\/\\b" ] } ')).toEqual(new Map([['a', [1n, '𝄞/\b']]]))
  })

  it.each([
    ['', 'no value'],
    ['{', 'no key'],
    ['{"a"}', 'no colon'],
    ['{"a":1,}', 'no key'],
    ['[1,]', 'no value'],
    ['[1 2]', 'neither a comma'],
    ['01', 'text after'],
    ['1.', 'text after'],
    ['+1', 'no value'],
    ['.5', 'no value'],
    ['NaN', 'no value'],
    ['-Infinity', 'no value'],
    ['1e999', 'beyond 64 bits'],
    ['"a', 'without its end'],
    ['"a\nb"', 'a control'],
    ['"a\\\\\\"', 'without its end'],
    ['"\\x"', 'wrong escape'],
    ['"\\ud834"', 'surrogate'],
    ["{'a':1}", 'no key'],
    ['nul', 'no value'],
    [`${'['.repeat(101)}${']'.repeat(101)}`, 'within each other'],
    ['1'.repeat(4_301), 'digits'],
  ])('refuses %s', (text, why) => {
    expect(parseJson(text)).toEqual({ ok: false, why: expect.stringContaining(why) })
  })

  it('refuses bytes that are no UTF-8, and a mark of their order', () => {
    expect(parseJson(Uint8Array.of(0x22, 0xff, 0x22))).toEqual({ ok: false, why: 'bytes that are no UTF-8' })
    expect(parseJson(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31))).toMatchObject({ ok: false })
  })

  it('reads as JSON.parse does, whatever the text', () => {
    let state = 42
    const next = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return state % below
    }
    const alphabet = ['{', '}', '[', ']', ',', ':', '"a"', '"\\n"', '1', '-2', '3.5', '1e3', 'true', 'null', ' ', '"']
    for (let round = 0; round < 20_000; round += 1) {
      const text = Array.from({ length: 1 + next(8) }, () => alphabet[next(alphabet.length)]).join('')
      let valid = true
      try {
        JSON.parse(text)
      } catch {
        valid = false
      }
      expect([text, parseJson(text).ok]).toEqual([text, valid])
    }
  })
})

describe('a float', () => {
  it.each([
    [0, '0.0'],
    [-0, '-0.0'],
    [123456789, '123456789.0'],
    [9999999999999998, '9999999999999998.0'],
    [1e16, '1e+16'],
    [0.0001, '0.0001'],
    [0.00009999, '9.999e-05'],
    [-1.5e-300, '-1.5e-300'],
    [0.1 + 0.2, '0.30000000000000004'],
  ])('is written as Python writes %s', (value, text) => {
    expect(pyFloat(value)).toBe(text)
  })
})
