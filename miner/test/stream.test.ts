import { SubnetError } from '@arbor/shared/errors'
import { createStreamReader, verifyEnd } from '@arbor/shared/protocol/stream'
import { describe, expect, test } from 'vitest'
import { type Asker, askerOf, headersOf, manualNet, requestOf, type TestNet, testNet, write } from './net.ts'

/** Opens a stream at the service itself, frame by frame as a transport pulls them. */
const stream = async (net: TestNet, asker: Asker, of: { readonly isSealed?: boolean } = {}) => {
  const written = write(asker, { now: net.clock.now(), body: requestOf(net.spec), accept: 'stream', ...of })
  const headers = { ...headersOf(asker, written), 'content-length': String(written.body.length) }
  const gone = new AbortController()
  const head = { method: 'POST', path: '/chat', rawHeaders: Object.entries(headers).flat(), remote: 'test' }
  const met = await net.service.open({ ...head, sealedOnly: false }, gone.signal)
  if (met.kind !== 'admitted') throw new Error(String(met.answer.body))
  const { admitted } = met
  return { written, gone, admitted, answer: () => net.service.answer(admitted, written.body) }
}
type Streamed = Awaited<ReturnType<typeof stream>>

const framesOf = async (streamed: Streamed): Promise<AsyncIterator<Uint8Array>> => {
  const answer = await streamed.answer()
  if (answer.kind !== 'stream') throw new Error(String(answer.body))
  return answer.frames[Symbol.asyncIterator]()
}

/** Reads a whole stream and expects that the miner's session signed its end. */
const read = async (asker: Asker, { written }: Streamed, frames: AsyncIterator<Uint8Array>) => {
  const seal = { keys: asker.keys, counter: written.fields.counter }
  const isSealed = written.contentType === 'application/arbor-sealed'
  const reader = createStreamReader({ seal: isSealed ? seal : null, maxBytes: 1 << 20 })
  const chunks: string[] = []
  for (;;) {
    const { value, done } = await frames.next()
    if (done === true) break
    const pushed = reader.push(value)
    if (!pushed.ok) throw new Error(pushed.fault)
    chunks.push(...pushed.chunks.map((chunk) => Buffer.from(chunk).toString()))
  }
  const finished = reader.finish()
  if (!finished.ok) throw new Error(finished.fault)
  expect(verifyEnd(finished.end, { certificate: asker.certificate, requestHash: written.hash })).toEqual({ ok: true })
  return { chunks, status: finished.end.fields.status, code: finished.end.fields.code }
}

describe('miner that streams', () => {
  test.each([true, false])('sends pieces, the mark, the whole and a signed end (sealed: %s)', async (isSealed) => {
    const net = await testNet({
      solve: async ({ emit }) => {
        for (const text of ['a', '', 'b', 'ü']) emit?.(text)
        return { text: 'abü' }
      },
    })
    const asker = await askerOf(net)
    const streamed = await stream(net, asker, { isSealed })
    const answer = await read(asker, streamed, await framesOf(streamed))
    expect(answer).toEqual({ chunks: ['a', 'b', 'ü', '', '{"text":"abü"}'], status: 200, code: '' })
    expect(net.gate.working).toBe(0)
  })

  test('sends a piece as soon as it is there, long before the end', async () => {
    const go = Promise.withResolvers<void>()
    const net = await testNet({
      solve: async ({ emit }) => {
        emit?.('first')
        await go.promise
        emit?.('second')
        return {}
      },
    })
    const asker = await askerOf(net)
    const streamed = await stream(net, asker, { isSealed: false })
    const frames = await framesOf(streamed)
    const first = await frames.next()
    expect(Buffer.from(first.value ?? []).toString('latin1')).toContain('first')
    go.resolve()
    expect((await read(asker, streamed, withFirst(first, frames))).chunks).toEqual(['first', 'second', '', '{}'])
  })

  test('cuts long pieces and a long whole into frames that are read one by one', async () => {
    const text = 'x'.repeat(200_000)
    const net = await testNet({ solve: async () => ({ text }) })
    const asker = await askerOf(net)
    const streamed = await stream(net, asker)
    const { chunks } = await read(asker, streamed, await framesOf(streamed))
    expect(chunks.map((chunk) => chunk.length)).toEqual([0, 65_520, 65_520, 65_520, 200_011 - 3 * 65_520])
    expect(JSON.parse(chunks.join(''))).toEqual({ text })
  })

  test('refuses like any other request what fails before the first piece', async () => {
    const net = await testNet({
      solve: () => Promise.reject(new SubnetError({ code: 'ENGINE_PROMPT_TOO_LONG', message: 'too long' })),
    })
    const asker = await askerOf(net)
    const { written, answer } = await stream(net, asker)
    const refused = await answer()
    expect([refused.kind, refused.head.status, refused.head.envelope === null]).toEqual(['whole', 422, false])
    expect([written.fields.accept, net.gate.working]).toEqual(['stream', 0])
  })

  test('ends with the reason, signed, when it fails after a piece', async () => {
    const go = Promise.withResolvers<void>()
    const net = await testNet({
      solve: async ({ emit }) => {
        emit?.('a')
        await go.promise
        throw new Error('secret path /home/miner')
      },
    })
    const asker = await askerOf(net)
    const streamed = await stream(net, asker)
    const frames = await framesOf(streamed)
    go.resolve()
    expect(await read(asker, streamed, frames)).toEqual({ chunks: ['a'], status: 500, code: 'MINER_FAILED' })
  })

  test('ends at the deadline', async () => {
    const net = await manualNet({
      solve: ({ emit, signal }) => {
        emit?.('a')
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
    })
    const asker = await askerOf(net)
    const streamed = await stream(net, asker)
    const frames = await framesOf(streamed)
    await net.clock.advance(10_000)
    expect(await read(asker, streamed, frames)).toEqual({ chunks: ['a'], status: 504, code: 'MINER_LATE' })
  })

  test('stops the work when nobody reads on, and when the caller is gone', async () => {
    const stopped: string[] = []
    const net = await testNet({
      solve: ({ emit, signal }) => {
        emit?.('a')
        const { promise, reject } = Promise.withResolvers<never>()
        signal.addEventListener('abort', () => {
          stopped.push(signal.reason.code)
          reject(signal.reason)
        })
        return promise
      },
    })
    const asker = await askerOf(net)
    const frames = await framesOf(await stream(net, asker))
    await frames.next()
    await frames.return?.()
    const streamed = await stream(net, asker)
    const other = await framesOf(streamed)
    await other.next()
    streamed.gone.abort(new SubnetError({ code: 'MINER_CALLER_GONE', message: 'gone' }))
    await other.next()
    expect(stopped).toEqual(['MINER_CALLER_GONE', 'MINER_CALLER_GONE'])
    expect(net.gate.working).toBe(0)
  })

  test('holds no more for a slow reader than an answer may have, and stops a task that emits more', async () => {
    let aborted = false
    const go = Promise.withResolvers<void>()
    const net = await testNet({
      solve: async ({ emit, signal }) => {
        for (let index = 0; index < 1_000 && !signal.aborted; index += 1) emit?.('x'.repeat(1_024))
        await go.promise
        aborted = signal.aborted
        return {}
      },
    })
    const asker = await askerOf(net)
    const streamed = await stream(net, asker)
    const frames = await framesOf(streamed)
    go.resolve()
    const answer = await read(asker, streamed, frames)
    const most = net.spec.tasks.chat?.maxResponseBytes
    expect([answer.code, answer.chunks.join('').length, aborted]).toEqual(['MINER_FAILED', most, true])
  })

  test('gives the place back when the work is done, however slow the reader', async () => {
    const net = await testNet({
      solve: async ({ emit }) => {
        emit?.('a')
        return {}
      },
    })
    const asker = await askerOf(net)
    const streamed = await stream(net, asker)
    const frames = await framesOf(streamed)
    await expect.poll(() => net.gate.working).toBe(0)
    expect((await read(asker, streamed, frames)).code).toBe('')
  })

  test('answers as a whole when the task has no stream', async () => {
    const net = await testNet({ solve: async () => ({ a: 1 }) })
    const { chat } = net.spec.tasks
    if (chat === undefined) throw new Error('no task')
    const { stream: _, ...plain } = chat
    const still = await testNet({ solve: async () => ({ a: 1 }), spec: { ...net.spec, tasks: { chat: plain } } })
    const asker = await askerOf(still)
    const { written, answer } = await stream(still, asker)
    const whole = await answer()
    expect([whole.kind, whole.head.status, written.fields.accept]).toEqual(['whole', 200, 'stream'])
  })
})

async function* withFirst(first: IteratorResult<Uint8Array>, rest: AsyncIterator<Uint8Array>) {
  for (let next = first; next.done !== true; next = await rest.next()) yield next.value
}
