import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALICE } from './support/embedded.ts'
import { startRpcChain } from './support/rpc.ts'

let rpc: Awaited<ReturnType<typeof startRpcChain>>
beforeAll(async () => {
  rpc = await startRpcChain()
  await rpc.chain.produce()
})
afterAll(() => rpc.chain.close())

/** Expects what JSON-RPC allows as the answer to one request, and no fault of ours. */
const expectAnswer = (answer: unknown): void => {
  expect(answer).toMatchObject({ jsonrpc: '2.0' })
  const { id, result, error, ...rest } = answer as { id: unknown; result?: unknown; error?: unknown; jsonrpc: unknown }
  expect(Object.keys(rest)).toEqual(['jsonrpc'])
  expect(['string', 'number', 'object']).toContain(typeof id)
  expect((result === undefined) !== (error === undefined)).toBe(true)
  if (error === undefined) return
  expect(error).toMatchObject({ code: expect.any(Number), message: expect.stringMatching(/./) })
  expect(error).not.toMatchObject({ code: -32_603 })
}

const expectAnswers = (text: string | null): void => {
  if (text === null) return
  const parsed: unknown = JSON.parse(text)
  const answers = Array.isArray(parsed) ? parsed : [parsed]
  expect(answers.length).toBeGreaterThan(0)
  for (const answer of answers) expectAnswer(answer)
}

const hexText = fc.uint8Array({ maxLength: 80 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`)
/** What clients send, and what they might. */
const param = fc.oneof(
  hexText,
  hexText.map((hex) => hex.slice(2)),
  fc.constantFrom(
    '0x',
    null,
    0,
    -1,
    2 ** 53,
    Number.POSITIVE_INFINITY,
    '',
    ALICE.address,
    '0x3a636f6465',
    'Core_version',
    [],
    {},
    true,
  ),
  fc.constantFrom(
    'Core_execute_block',
    'Core_initialize_block',
    'BlockBuilder_apply_extrinsic',
    'GenesisBuilder_get_preset',
  ),
  fc.constant(null).map(() => rpc.chain.best().hash),
  fc.integer({ min: -5, max: 5_000 }),
  fc.array(hexText, { maxLength: 4 }),
  fc.jsonValue({ maxDepth: 3 }),
)
const method = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.nat(10_000).map((index) => rpc.dispatcher.methods[index % rpc.dispatcher.methods.length]),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
)
const id = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.constant(null), fc.jsonValue({ maxDepth: 1 }))
const request = fc.record(
  {
    jsonrpc: fc.oneof({ weight: 9, arbitrary: fc.constant('2.0') }, { weight: 1, arbitrary: fc.anything() }),
    id,
    method,
    params: fc.array(param, { maxLength: 5 }),
  },
  { requiredKeys: [] },
)
const text = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part)) ?? ''

describe('any message', () => {
  test('requests of any method with any parameters get an answer that JSON-RPC allows', async () => {
    const client = rpc.client()
    await fc.assert(
      fc.asyncProperty(request, async (value) => expectAnswers(await client.raw(text(value)))),
      { seed: 11, numRuns: 1_500 },
    )
    client.session.close()
    expect(await rpc.get('system_name')).toBe('Arbor')
  })

  test('batches of any requests get an answer for each that wants one', async () => {
    const client = rpc.client()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(request, fc.jsonValue({ maxDepth: 2 })), { maxLength: 8 }), async (values) => {
        const answer = await client.raw(text(values))
        expectAnswers(answer)
        const isSilent = (value: unknown): boolean => {
          const { jsonrpc, id: given, method: name, params } = JSON.parse(text([value]))[0] ?? {}
          return (
            jsonrpc === '2.0' && given === undefined && typeof name === 'string' && typeof (params ?? []) === 'object'
          )
        }
        const wanted = values.filter((value) => !isSilent(value)).length
        const answers: unknown = answer === null ? [] : JSON.parse(answer)
        expect(Array.isArray(answers) ? answers.length : 'one').toBe(values.length === 0 ? 'one' : wanted)
      }),
      { seed: 12, numRuns: 200 },
    )
    client.session.close()
  })

  test('a good message with bytes changed, lost or doubled gets an answer or a parse error', async () => {
    const client = rpc.client()
    const good = fc.constantFrom(
      '{"jsonrpc":"2.0","id":"Zy1","method":"state_getStorageAt","params":["0x3a636f6465",null]}',
      '{"jsonrpc":"2.0","id":7,"method":"state_call","params":["AccountNonceApi_account_nonce","00",null]}',
      '[{"jsonrpc":"2.0","id":1,"method":"chain_getHead","params":[]},{"jsonrpc":"2.0","method":"system_name"}]',
    )
    const edits = fc.array(
      fc.record({
        at: fc.nat(200),
        kind: fc.constantFrom('change', 'lose', 'double'),
        byte: fc.integer({ min: 1, max: 255 }),
      }),
      { minLength: 1, maxLength: 6 },
    )
    await fc.assert(
      fc.asyncProperty(good, edits, async (message, all) => {
        let bytes = Buffer.from(message)
        for (const { at, kind, byte } of all) {
          const [head, tail] = [bytes.subarray(0, at % bytes.length), bytes.subarray(at % bytes.length)]
          const between =
            kind === 'double' ? tail.subarray(0, byte) : kind === 'change' ? Buffer.of(byte) : Buffer.alloc(0)
          bytes = Buffer.concat([head, between, kind === 'double' ? tail : tail.subarray(1)])
          if (bytes.length === 0) return
        }
        expectAnswers(await client.raw(bytes.toString()))
      }),
      { seed: 13, numRuns: 1_000 },
    )
    client.session.close()
  })

  test('extrinsics of any bytes are refused with a code of the pool, and none stays', async () => {
    const good = Buffer.from(rpc.transfer(ALICE, 0).slice(2), 'hex')
    const edited = fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 })
      .map((edits) => {
        const bytes = Buffer.from(good)
        for (const [at, by] of edits) bytes[at] = (bytes[at] ?? 0) ^ by
        return bytes
      })
    const any = fc.oneof(
      edited,
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    )
    await fc.assert(
      fc.asyncProperty(any, async (bytes) => {
        if (bytes.equals(good)) return
        const { error } = await rpc.ask('author_submitExtrinsic', `0x${bytes.toString('hex')}`)
        expect([bytes.toString('hex'), error?.code]).toEqual([
          bytes.toString('hex'),
          expect.toBeOneOf([1001, 1002, 1010, 1011, 1012]),
        ])
      }),
      { seed: 14, numRuns: 400 },
    )
    expect(rpc.pool.status()).toMatchObject({ ready: 0, future: 0 })
  })
})
