import assert from 'node:assert/strict'
import { keypairFromUri } from '@arbor/shared/keys'
import type { SynapseAnswer } from '@arbor/validator/bittensor/ask'
import type { Asker } from './asker.ts'

/** One thing that is expected of an axon which serves the table of docs/bittensor.md. */
export interface Check {
  readonly name: string
  /** @throws when the axon does anything else */
  run(asker: Asker): Promise<void>
}

const dave = keypairFromUri('//Dave').address

const responseOf = (answer: SynapseAnswer): unknown => {
  assert.equal(answer.statusCode, 200, `${answer.statusCode} ${answer.statusMessage}`)
  assert.equal(answer.statusMessage, 'Success')
  assert.equal(answer.fault, null)
  return JSON.parse(Buffer.from(answer.response ?? []).toString('utf8'))
}

const statusIs = (answer: SynapseAnswer, statusCode: number, statusMessage: string | RegExp): void => {
  assert.equal(answer.statusCode, statusCode, `${answer.statusCode} ${answer.statusMessage}`)
  if (typeof statusMessage === 'string') assert.equal(answer.statusMessage, statusMessage)
  else assert.match(answer.statusMessage ?? '', statusMessage)
  assert.notEqual(answer.fault, null)
  assert.equal(answer.response, null)
}

const echo = (name: string, text: string, n: string): Check => ({
  name: `Echo ${name}`,
  run: async ({ ask }) => {
    const answer = await ask({ synapse: 'Echo', request: `{"text":${JSON.stringify(text)},"n":${n}}` })
    assert.deepEqual(responseOf(answer), { reply: `${text}|${BigInt(n)}` })
  },
})

const many = (name: string, request: string, got: readonly number[]): Check => ({
  name: `Many ${name}`,
  run: async ({ ask }) => assert.deepEqual(responseOf(await ask({ synapse: 'Many', request })), { out: { got } }),
})

/** Answered with less than the whole table: synapses whose answers are values. */
export const basics: readonly Check[] = [
  {
    name: 'Synapse is the ping',
    run: async ({ ask }) => assert.deepEqual(responseOf(await ask({ synapse: 'Synapse', request: '{}' })), {}),
  },
  echo('of plain text', 'hello', '7'),
  echo('of nothing', '', '0'),
  echo(
    'of quotes, controls and characters beyond the BMP',
    `h\u00e9llo "w\u00f6rld" 'x' \\ \n\t \u2713 \u{1d11e} \u200b`,
    '-1',
  ),
  echo('of a number beyond 64 bits', 'big', '123456789012345678901234567890'),
  echo('of 200 KB', 'äbc '.repeat(40_000), '1'),
  {
    name: 'Dummy doubles, with no hashed field',
    run: async ({ ask }) => {
      const answer = await ask({ synapse: 'Dummy', request: '{"dummy_input":21}' })
      assert.deepEqual(responseOf(answer), { dummy_output: 42 })
    },
  },
  many(
    'of every type',
    `{"s":"q\\"uo'te","i":-5,"f":1e-7,"b":true,"l":[1,2,3],"d":{"k":[1,null,"x'y",1.5,false]}}`,
    [1, 2, 3],
  ),
  many('of a whole float and an optional text', '{"s":"","i":0,"f":1,"b":false,"l":[],"d":{},"o":"here"}', []),
  many(
    'of keys that look like numbers',
    '{"s":"k","i":1,"f":1e16,"b":true,"l":[9],"d":{"10":1,"9":2.0,"a":{"2":"\\u00e9","1":null}}}',
    [9],
  ),
  {
    name: 'StreamEcho streams its words, then END',
    run: async ({ ask }) => {
      const chunks: string[] = []
      const prompt = 'alpha bêta gamma 𝄞'
      const answer = await ask({
        synapse: 'StreamEcho',
        request: JSON.stringify({ prompt }),
        onChunk: (text) => chunks.push(text),
      })
      const completion = 'alpha bêta gamma 𝄞 END'
      assert.deepEqual(responseOf(answer), { completion })
      assert.equal(chunks.join(''), completion)
      assert.ok(chunks.length > 1, 'the stream came in one piece')
    },
  },
]

/** What becomes of questions that an axon does not answer, and of those that are not what was signed. */
export const refusals: readonly Check[] = [
  {
    name: 'Slow answers after 3 s within its deadline',
    run: async ({ ask }) => {
      const answer = await ask({ synapse: 'Slow', request: '{"x":5}' })
      assert.deepEqual(responseOf(answer), {})
      assert.ok((answer.timing?.firstByteMs ?? 0) >= 2_900, `it took ${answer.timing?.firstByteMs} ms`)
    },
  },
  {
    name: 'Slow is given up at a deadline of 1 s',
    run: async ({ ask }) => {
      const answer = await ask({ synapse: 'Slow', request: '{"x":5}', deadlineMs: 1_000 })
      statusIs(answer, 408, 'Request timeout after 1.0 seconds')
      assert.equal(answer.fault, 'timeout')
      assert.ok((answer.timing?.totalMs ?? 0) < 2_500, `it took ${answer.timing?.totalMs} ms`)
    },
  },
  {
    name: 'Boom is an error without its reason',
    run: async ({ ask }) =>
      statusIs(await ask({ synapse: 'Boom', request: '{"x":1}' }), 500, /^Internal Server Error #[0-9a-f-]{36}$/),
  },
  {
    name: 'Black is forbidden with its reason',
    run: async ({ ask }) =>
      statusIs(
        await ask({ synapse: 'Black', request: '{"x":1}' }),
        403,
        'Forbidden. Key is blacklisted: not a validator.',
      ),
  },
  {
    name: 'Prio times out',
    run: async ({ ask }) =>
      statusIs(await ask({ synapse: 'Prio', request: '{"x":1}' }), 408, 'Response timeout after: 12.0s'),
  },
  {
    name: 'Custom has a status of its own',
    run: async ({ ask }) => statusIs(await ask({ synapse: 'Custom', request: '{"x":1}' }), 418, 'teapot'),
  },
  {
    name: 'a synapse that is not served is not found',
    run: async ({ ask }) => {
      const answer = await ask({
        synapse: 'Dummy',
        request: '{"dummy_input":1}',
        change: (request) => ({ ...request, path: '/Nowhere' }),
      })
      statusIs(answer, 404, /^Synapse name 'Nowhere' not found\./)
    },
  },
  {
    name: 'a question signed for another axon is not verified',
    run: async ({ ask }) => {
      const answer = await ask({ synapse: 'Echo', request: '{"text":"a","n":1}', hotkey: dave })
      statusIs(answer, 401, /^Not Verified with error: Signature mismatch/)
    },
  },
  {
    name: 'a question in the name of another hotkey is not verified',
    run: async ({ ask }) => {
      const answer = await ask({
        synapse: 'Echo',
        request: '{"text":"a","n":1}',
        change: (request) => ({
          ...request,
          headers: { ...request.headers, bt_header_dendrite_hotkey: dave },
        }),
      })
      statusIs(answer, 401, /^Not Verified with error: Signature mismatch/)
    },
  },
  {
    name: 'a body that is not the signed one is an error',
    run: async ({ ask }) => {
      const answer = await ask({
        synapse: 'Echo',
        request: '{"text":"mine","n":1}',
        change: (request) => ({
          ...request,
          body: Buffer.from(
            Buffer.from(request.body ?? [])
              .toString('utf8')
              .replace('mine', 'fake'),
          ),
        }),
      })
      statusIs(answer, 500, /^Internal Server Error #/)
    },
  },
  {
    name: 'the same question sent again is not verified',
    run: async ({ ask, last, send }) => {
      responseOf(await ask({ synapse: 'Echo', request: '{"text":"once","n":1}' }))
      const request = last()
      assert.ok(request !== null)
      const { onHead: _, onChunk: __, ...plain } = request
      const reply = await send(plain, new AbortController().signal)
      assert.ok(reply.ok)
      assert.equal(reply.status, 401)
      assert.match(Buffer.from(reply.body).toString('utf8'), /Nonce is too old/)
    },
  },
]

/** Many questions at once, each of which must be answered. */
export const crowd = (of: { readonly questions: number; readonly atOnce: number }): Check => ({
  name: `${of.questions} questions, ${of.atOnce} at once, are all answered`,
  run: async ({ ask }) => {
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < of.questions) {
        const n = next++
        const answer = await ask({ synapse: 'Echo', request: `{"text":"crowd","n":${n}}`, deadlineMs: 60_000 })
        assert.deepEqual(responseOf(answer), { reply: `crowd|${n}` })
      }
    }
    await Promise.all(Array.from({ length: of.atOnce }, worker))
  },
})
