import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Asker } from '../../miner/test/net.ts'
import { echoAnew, type Flooded, headBytes, headLines, replyOf, startFlooded, writeEcho } from './support/flooded.ts'
import { exchange, nameOf, type RawAnswer, readAnswers } from './support/raw-http.ts'

const SEED = 20_261_121
/** An answer to a bare request of less than this many bytes may be larger than it; docs/serving.md. */
const SMALLEST = 170
let flooded: Flooded
let asker: Asker
beforeAll(async () => {
  flooded = await startFlooded(100_000)
  asker = await flooded.meet()
  expect(await echoAnew(flooded.port, asker, 'first')).toBe('first')
})
afterAll(async () => {
  expect(await flooded.stop()).toBe('') // it neither warned nor crashed
})

/** What a hostile request may come to: `answered`, `bare` for a refusal of HTTP itself, `closed`, or a code. */
type Outcome = string
interface Hostile {
  readonly bytes: Buffer
  /** Whether our side ends, so that what is missing never comes. */
  readonly isEnded?: boolean
  readonly allowed: readonly Outcome[]
}
/** Turns an honest request's lines and body into a hostile request. */
type Twist = (lines: readonly string[], body: Buffer) => Hostile

/** Refusals of a request whose framing is in doubt. */
const FRAMING = ['bare', 'closed', 'WIRE_LENGTH', 'MINER_BAD_HTTP']

const name = fc.constantFrom('arbor-envelope', 'arbor-certificate')
const at = fc.nat({ max: 10_000 })
const valueIn = (lines: readonly string[], header: string): string =>
  lines.find((line) => line.startsWith(`${header}: `))?.slice(header.length + 2) ?? ''
const withValue = (lines: readonly string[], header: string, value: string): string[] =>
  lines.map((line) => (line.startsWith(`${header}:`) ? `${header}: ${value}` : line))
const joined = (lines: readonly string[], body: Uint8Array): Buffer => Buffer.concat([headBytes(lines), body])
const plant = (text: string, where: number, what: string): string => {
  const index = where % (text.length + 1)
  return text.slice(0, index) + what + text.slice(index)
}
/** Twists one header's value. */
const twisted = (header: string, change: (value: string) => string, allowed: readonly Outcome[]): Twist => {
  return (lines, body) => ({ bytes: joined(withValue(lines, header, change(valueIn(lines, header))), body), allowed })
}

const headers: Readonly<Record<string, fc.Arbitrary<Twist>>> = {
  'that is absent': fc.constantFrom(
    ...(
      [
        ['arbor-envelope', ['WIRE_HEADERS']],
        ['arbor-certificate', ['answered']], // the session is known
        ['content-length', FRAMING],
        ['host', ['bare']],
      ] as const
    ).map(
      ([header, allowed]): Twist =>
        (lines, body) => ({
          bytes: joined(
            lines.filter((line) => !line.startsWith(`${header}:`)),
            body,
          ),
          allowed,
        }),
    ),
  ),
  'that is empty': fc
    .tuple(name, fc.constantFrom('', ' ', '\t', ' '.repeat(99)))
    .map(([header, value]) => twisted(header, () => value, ['WIRE_HEADERS'])),
  'that is there twice': fc.tuple(name, fc.boolean(), fc.boolean()).map(
    ([header, isSame, isUpper]): Twist =>
      (lines, body) => ({
        bytes: joined(
          [...lines, `${isUpper ? header.toUpperCase() : header}: ${isSame ? valueIn(lines, header) : 'x.x'}`],
          body,
        ),
        allowed: ['WIRE_HEADERS'],
      }),
  ),
  'whose name has another case': fc.tuple(name, fc.infiniteStream(fc.boolean())).map(
    ([header, cases]): Twist =>
      (lines, body) => ({
        bytes: joined(
          lines.map((line) =>
            line.replace(header, (text) =>
              [...text].map((each) => (cases.next().value ? each.toUpperCase() : each)).join(''),
            ),
          ),
          body,
        ),
        allowed: ['answered'],
      }),
  ),
  'whose value has another case': name.map((header) =>
    twisted(header, (value) => value.toUpperCase(), ['WIRE_HEADERS', 'WIRE_VERSION', 'WIRE_CERTIFICATE']),
  ),
  'with one character changed': fc.tuple(name, at, fc.constantFrom(...'Aa0-_.=+/ ')).map(([header, where, to]) =>
    twisted(
      header,
      (value) => {
        const index = 1 + (where % (value.length - 2))
        return value.slice(0, index) + (value[index] === to ? 'B' : to) + value.slice(index + 1)
      },
      [
        ...['WIRE_HEADERS', 'WIRE_VERSION', 'WIRE_RECEIVER', 'WIRE_NETUID', 'WIRE_SESSION', 'WIRE_SESSION_EXPIRED'],
        ...['WIRE_CERTIFICATE', 'WIRE_KEYS', 'WIRE_PROOF'],
      ],
    ),
  ),
  'that is too long': fc
    .tuple(name, fc.integer({ min: 1_025, max: 15_000 }), fc.constantFrom('A', '.', ' A'))
    .map(([header, length, filler]) =>
      twisted(
        header,
        (value) =>
          value
            .padEnd(length, filler)
            .slice(0, length - 1)
            .concat('A'),
        ['WIRE_HEADERS'],
      ),
    ),
  'that no head has room for': fc
    .tuple(name, fc.integer({ min: 16_385, max: 100_000 }))
    .map(([header, length]) => twisted(header, (value) => value.padEnd(length, 'A'), ['bare', 'closed'])),
  'with a byte that is not ASCII': fc
    .tuple(name, at, fc.integer({ min: 0x80, max: 0xff }))
    .map(([header, where, byte]) =>
      twisted(header, (value) => plant(value, where, String.fromCharCode(byte)), ['WIRE_HEADERS', 'WIRE_CERTIFICATE']),
    ),
  'with a control byte': fc
    .tuple(
      name,
      at,
      fc.integer({ min: 0, max: 31 }).filter((byte) => byte !== 9),
    )
    .map(([header, where, byte]) =>
      twisted(header, (value) => plant(`${value}`, 1 + (where % (value.length - 1)), String.fromCharCode(byte)), [
        'bare',
        'closed',
        'WIRE_HEADERS',
        'WIRE_CERTIFICATE',
      ]),
    ),
  'that is unknown': fc.constantFrom('arbor-', 'arbor-x', 'Arbor-Session', 'ARBOR-ENVELOPE2').map(
    (header): Twist =>
      (lines, body) => ({ bytes: joined([...lines, `${header}: 1`], body), allowed: ['WIRE_HEADERS'] }),
  ),
  'with a space before its colon': name.map(
    (header): Twist =>
      (lines, body) => ({
        bytes: joined(
          lines.map((line) => line.replace(`${header}:`, `${header} :`)),
          body,
        ),
        allowed: ['bare', 'closed'],
      }),
  ),
  'that goes on in the next line': fc
    .tuple(name, at, fc.constantFrom('\r\n ', '\r\n\t', '\n ', '\r '))
    .map(([header, where, fold]) =>
      twisted(header, (value) => plant(value, 1 + (where % (value.length - 1)), fold), [
        'bare',
        'closed',
        'WIRE_HEADERS',
      ]),
    ),
}

const framing: Readonly<Record<string, fc.Arbitrary<Twist>>> = {
  'a body that is cut': fc.nat({ max: 30 }).map(
    (short): Twist =>
      (lines, body) => ({
        bytes: joined(lines, body.subarray(0, Math.max(0, body.length - 1 - short))),
        isEnded: true,
        allowed: ['closed', 'bare'],
      }),
  ),
  'a head that is cut': at.map(
    (where): Twist =>
      (lines) => {
        const whole = headBytes(lines)
        return { bytes: whole.subarray(0, where % (whole.length - 1)), isEnded: true, allowed: ['closed', 'bare'] }
      },
  ),
  'a body with a byte changed': at.map(
    (where): Twist =>
      (lines, body) => ({
        bytes: joined(
          lines,
          body.map((byte, index) => (index === where % body.length ? byte ^ 0x20 : byte)),
        ),
        allowed: ['WIRE_BODY_HASH'],
      }),
  ),
  'both content-length and transfer-encoding': fc
    .tuple(
      fc.constantFrom('chunked', 'Chunked', 'identity', 'gzip, chunked', 'chunked, chunked', 'xchunked', '\tchunked'),
      fc.boolean(),
    )
    .map(
      ([encoding, isFirst]): Twist =>
        (lines, body) => {
          const [first = '', ...rest] = lines
          const header = `transfer-encoding: ${encoding}`
          return {
            bytes: joined(isFirst ? [first, header, ...rest] : [...lines, header], Buffer.from(`0\r\n\r\n${body}`)),
            allowed: FRAMING,
          }
        },
    ),
  'transfer-encoding alone': fc.constantFrom('chunked', 'CHUNKED', 'identity', 'deflate').map(
    (encoding): Twist =>
      (lines, body) => ({
        bytes: joined(
          [...lines.filter((line) => !line.startsWith('content-length')), `transfer-encoding: ${encoding}`],
          Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]),
        ),
        allowed: FRAMING,
      }),
  ),
  'two content-lengths': fc.tuple(fc.boolean(), fc.nat({ max: 99 })).map(
    ([isSame, other]): Twist =>
      (lines, body) => ({
        bytes: joined([...lines, `content-length: ${isSame ? body.length : other}`], body),
        allowed: FRAMING,
      }),
  ),
  'another spelling of content-length': fc
    .constantFrom('0', '+', '-', '0x', ' 1 ', '1,', '1;', '1e', '.', '٣', '\0', '18446744073709551617')
    .map((odd) => twisted('content-length', (value) => odd + value, FRAMING)),
  'a bare line feed': at.map(
    (where): Twist =>
      (lines, body) => {
        const line = where % (lines.length + 1)
        const text = `${lines.join('\r\n')}\r\n\r\n`
          .split('\r\n')
          .reduce((all, next, index) => all + (index - 1 === line ? '\n' : '\r\n') + next)
        return { bytes: Buffer.concat([Buffer.from(text, 'latin1'), body]), isEnded: true, allowed: ['bare', 'closed'] }
      },
  ),
  'bare carriage returns': at.map(
    (where): Twist =>
      (lines, body) => {
        const line = where % lines.length
        const text = [...lines, '', ''].reduce((all, next, index) => all + (index - 1 === line ? '\r' : '\r\n') + next)
        return {
          bytes: Buffer.concat([Buffer.from(text, 'latin1'), body]),
          isEnded: true,
          allowed: ['bare', 'closed', 'WIRE_HEADERS'],
        }
      },
  ),
  'a NUL byte in its head': at.map(
    (where): Twist =>
      (lines, body) => {
        const head = headBytes(lines).toString('latin1')
        return {
          bytes: Buffer.concat([Buffer.from(plant(head.slice(0, -3), where, '\0') + head.slice(-3), 'latin1'), body]),
          isEnded: true,
          allowed: ['bare', 'closed', 'WIRE_HEADERS'],
        }
      },
  ),
  'another method': fc.constantFrom('GET', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'post', 'PRI', 'M-SEARCH').map(
    (method): Twist =>
      ([, ...lines], body) => ({
        bytes: joined([`${method} /echo HTTP/1.1`, ...lines], body),
        allowed: ['bare', 'closed', 'MINER_NO_TASK'],
      }),
  ),
  'another target': fc
    .constantFrom(
      ...['/%65cho', '/echo?a=1', '/echo?', '/echo/', '//echo', '/ECHO', '/echo%00', '/echo#a', '/echo;a', '*'],
    )
    .chain((target) =>
      fc.constantFrom(target, `http://miner${target}`, `${target}${'a'.repeat(70)}`, `/..${target}`, `${target}%zz`),
    )
    .map(
      (target): Twist =>
        ([, ...lines], body) => ({
          bytes: joined([`POST ${target} HTTP/1.1`, ...lines], body),
          allowed: ['bare', 'closed', 'MINER_NO_TASK', 'MINER_BAD_HTTP', 'WIRE_TARGET'],
        }),
    ),
  'another version of HTTP': fc
    .constantFrom('HTTP/2.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/9.9', 'http/1.1', 'ICE/1.1', '')
    .map(
      (version): Twist =>
        ([, ...lines], body) => ({
          bytes: joined([`POST /echo ${version}`, ...lines], body),
          // the parser takes these two for 1.1, which changes nothing: the version decides nothing
          allowed: version === 'HTTP/2.0' || version === 'HTTP/0.9' ? ['answered'] : ['bare', 'closed'],
        }),
    ),
  'an expectation': fc.constantFrom('100-continue', '100-Continue').map(
    (value): Twist =>
      (lines, body) => ({ bytes: joined([...lines, `expect: ${value}`], body), allowed: ['answered'] }),
  ),
  'an expectation that nobody knows': fc.constantFrom('200-ok', 'x', '100-continue, x').map(
    (value): Twist =>
      (lines, body) => ({
        bytes: joined([...lines, `expect: ${value}`], body),
        allowed: ['bare', 'answered', 'WIRE_HEADERS'],
      }),
  ),
  noise: fc.uint8Array({ minLength: 1, maxLength: 2_000 }).map(
    (noise): Twist =>
      () => ({ bytes: Buffer.from(noise), isEnded: true, allowed: ['bare', 'closed'] }),
  ),
}

/** Names an answer, and holds it to its size: a refusal is no larger than the request. */
const outcomeOf = (answer: RawAnswer, written: ReturnType<typeof writeEcho>, sent: number): Outcome => {
  if (answer.status === 200) return replyOf(asker, written, answer) === 'hostile' ? 'answered' : 'another answer'
  const outcome = nameOf(answer)
  expect(answer.size, outcome).toBeLessThanOrEqual(Math.max(sent, SMALLEST + 40))
  return outcome
}

/** Sends a twisted request and an honest one after it. */
const holds = async (twist: Twist): Promise<void> => {
  const written = writeEcho(asker, 'hostile')
  const hostile = twist(headLines(asker, written), Buffer.from(written.body))
  const received = await exchange({
    port: flooded.port,
    bytes: hostile.bytes,
    isEnded: hostile.isEnded ?? false,
    patienceMs: 4_000,
  })
  const answers = readAnswers(received)
  const [answer] = answers
  const outcome = answer === undefined ? 'closed' : outcomeOf(answer, written, hostile.bytes.length)
  expect(hostile.allowed, received.toString('latin1')).toContain(outcome)
  // what was left of it is at most one more thing that is no request
  expect(
    answers
      .slice(1)
      .map(nameOf)
      .filter((each) => each !== 'bare'),
  ).toEqual([])
  expect(await echoAnew(flooded.port, asker, 'next')).toBe('next')
}
const run = (twists: fc.Arbitrary<Twist>) =>
  fc.assert(fc.asyncProperty(twists, holds), { seed: SEED, numRuns: 40, endOnFailure: true })

describe('miner refuses, and answers the next honest request,', { timeout: 60_000 }, () => {
  test.each(Object.entries(headers))('a header %s', (_, twists) => run(twists))
  test.each(Object.entries(framing))('a request with %s', (_, twists) => run(twists))
})

describe('miner asked for what it has not', () => {
  test.each([0, 5, 5_000])('says so and closes, whatever length %i of a body is announced', async (length) => {
    const bytes = Buffer.from(
      `POST /nothing HTTP/1.1\r\nhost: miner\r\nconnection: close\r\ncontent-length: ${length}\r\n\r\n`,
    )
    const answers = readAnswers(await exchange({ port: flooded.port, bytes, isEnded: false, patienceMs: 4_000 }))
    expect(answers.map(nameOf)).toEqual(['MINER_NO_TASK'])
  })
})

describe('miner on one connection', { timeout: 60_000 }, () => {
  test('answers pipelined requests in their order, and stops at the first that is no HTTP', async () => {
    const step = fc.constantFrom('honest', 'refused', 'broken')
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const requests = [...steps, 'last'].map((kind, index, all) => {
        const written = writeEcho(asker, `${kind} ${index}`)
        const lines = headLines(asker, written).filter(
          (line) => index === all.length - 1 || !line.startsWith('connection'),
        )
        if (kind === 'refused') return { kind, written, bytes: joined([...lines, 'arbor-x: 1'], written.body) }
        if (kind === 'broken') return { kind, written, bytes: Buffer.from('GET\0 / HTTP/1.1\r\n\r\n') }
        return { kind, written, bytes: joined(lines, written.body) }
      })
      const bytes = Buffer.concat(requests.map((request) => request.bytes))
      const answers = readAnswers(await exchange({ port: flooded.port, bytes, isEnded: false }))
      const broken = steps.indexOf('broken')
      // what came before the broken one may be cut off with it, what comes after it is never answered
      if (broken < 0) expect(answers).toHaveLength(requests.length)
      else expect(answers.length).toBeLessThanOrEqual(broken + 1)
      for (const [index, answer] of answers.entries()) {
        const { kind, written } = requests[index] ?? {}
        if (kind === undefined || written === undefined) throw new Error('more answers than requests')
        if (answer.status === 200) expect(replyOf(asker, written, answer)).toBe(`${kind} ${index}`)
        else if (nameOf(answer) !== 'bare') expect([kind, nameOf(answer)]).toEqual(['refused', 'WIRE_HEADERS'])
        else expect(index).toBe(answers.length - 1)
      }
      expect(await echoAnew(flooded.port, asker, 'next')).toBe('next')
    })
    await fc.assert(property, { seed: SEED, numRuns: 60, endOnFailure: true })
  })
})
