import { synapseOf } from '@arbor/shared/bittensor/synapse'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { ServedSynapse } from '../../src/bittensor/types.ts'
import { testAxon } from './axon.ts'

const request = z.object({ text: z.string(), n: z.int() })
const streaming = (answer: ServedSynapse['answer'], more: Partial<ServedSynapse> = {}): Partial<ServedSynapse> => ({
  synapse: synapseOf({
    name: 'Echo',
    hashed: ['text', 'n'],
    stream: 'reply',
    request,
    response: z.object({ reply: z.string() }),
  }),
  answer,
  ...more,
})

describe('a streamed synapse', () => {
  it('is answered in raw text, with its content type as the first header', async () => {
    const { app, write } = testAxon({
      served: streaming(async ({ emit }) => {
        for (const word of ['alpha ', '', 'bêta ', 'END']) emit?.(word)
        return { response: { reply: 'alpha bêta END' } }
      }),
    })
    const answer = await app.inject(write())
    expect(answer.statusCode).toBe(200)
    expect(answer.payload).toBe('alpha bêta END')
    expect(Object.keys(answer.headers)[0]).toBe('content-type')
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream',
      name: 'Echo',
      bt_header_axon_status_code: '200',
      bt_header_axon_status_message: 'Success',
    })
  })

  it('that says nothing is empty', async () => {
    const { app, write } = testAxon({ served: streaming(async () => ({ response: { reply: '' } })) })
    const answer = await app.inject(write())
    expect([answer.statusCode, answer.payload]).toEqual([200, ''])
  })

  it('that fails before its first chunk has a status', async () => {
    const { ask } = testAxon({
      served: streaming(async () => {
        throw new Error('secret')
      }),
    })
    expect(await ask()).toMatchObject({ status: 500, message: expect.stringMatching(/^Internal Server Error #/) })
  })

  it.each([
    [
      'fails after its first chunk',
      async ({ emit }) => {
        emit?.('alpha ')
        await new Promise((resolve) => setImmediate(resolve))
        throw new Error('boom')
      },
    ],
    [
      'grows above its bound',
      async ({ emit }) => {
        for (let n = 0; n < 100; n += 1) {
          emit?.('x'.repeat(100))
          await new Promise((resolve) => setImmediate(resolve))
        }
        return { response: { reply: '' } }
      },
    ],
  ] as const satisfies readonly (readonly [
    string,
    ServedSynapse['answer'],
  ])[])('that %s is broken off before its end', async (_name, answer) => {
    const { app, write } = testAxon({ served: streaming(answer) })
    await expect(app.inject(write())).rejects.toThrow(/destroyed/)
  })

  it('gives its place back when it is done, not when it was read', async () => {
    let places = 1
    const { ask } = testAxon({
      served: streaming(async ({ emit }) => {
        expect(places).toBe(0)
        emit?.('x')
        return { response: { reply: 'x' } }
      }),
      door: {
        claimed: () => ({ ok: true, stake: 0n as never }),
        seat: () => {
          places -= 1
          let held = true
          const leave = (): void => {
            if (held) places += 1
            held = false
          }
          return { ok: true, work: async () => ({ ok: true }), leave }
        },
      },
    })
    await ask().catch(() => undefined) // the text is no JSON
    expect(places).toBe(1)
  })
})
