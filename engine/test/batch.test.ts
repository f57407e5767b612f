import type { GenerateRequest, Generation } from '@arbor/shared/inference'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Decoder, Step } from '../src/decoder.ts'
import {
  type EngineOptions,
  engineOf,
  type OpenedEngine,
  type OpenedModel,
  openEngine,
  openModel,
} from '../src/open.ts'
import { request, seedOf, TINY } from './support/models.ts'

let alone: OpenedEngine
let model: OpenedModel

beforeAll(async () => {
  alone = await openEngine({ folder: TINY })
  model = await openModel({ folder: TINY })
})
afterAll(() => Promise.all([alone.close(), model.release()]))

/** An engine on the shared model, whose session outlives it; its decoder may be replaced. */
const start = (of: EngineOptions, decoder: Partial<Decoder> = {}): Promise<OpenedEngine> =>
  engineOf({ ...model, decoder: { ...model.decoder, ...decoder }, release: async () => undefined }, of)

const LONG = 'The borrow checker ensures that references are valid for as long as they are used. '

/** Requests of different lengths, temperatures and seeds. */
const mixed = (count: number): GenerateRequest[] =>
  Array.from({ length: count }, (_, index) =>
    request({
      prompt: `${LONG.repeat(index % 4)}Item ${index}`,
      maxTokens: 3 + ((index * 7) % 40),
      temperature: index % 3 === 0 ? 0 : 0.8,
      seed: seedOf(index),
    }),
  )

const mustAllBeOk = async (requests: readonly GenerateRequest[], answers: readonly Generation[]): Promise<void> => {
  for (const [index, each] of requests.entries()) {
    const answer = answers[index]
    if (answer === undefined) throw new Error('an answer is missing')
    expect({ index, reason: (await alone.check(each, answer)).reason }).toEqual({ index, reason: 'ok' })
    expect(answer.tokens).toEqual((await alone.generate(each)).tokens)
  }
}

/** Waits for so many tokens of an answer. */
const after = (tokens: number, then: () => void): (() => void) => {
  let count = 0
  return () => {
    if (++count === tokens) then()
  }
}

describe('batch', () => {
  test.each([2, 5, 16])('answers are those of an engine alone, and believed, when %i run at once', async (batch) => {
    const engine = await start({ batch })
    const requests = mixed(batch + 3)
    await mustAllBeOk(requests, await Promise.all(requests.map((each) => engine.generate(each))))
    expect(engine.stats()).toMatchObject({ limits: { rows: batch, single: null } })
    expect(engine.stats().steps).toBeLessThan(requests.reduce((sum, { maxTokens }) => sum + maxTokens, 0))
    await engine.close()
  })

  test('answers are believed when others join and leave while they run', async () => {
    const engine = await start({ batch: 4 })
    const requests = mixed(9)
    const answers: Promise<Generation>[] = []
    const next = async (): Promise<Generation> => {
      const index = answers.length
      const each = requests[index]
      if (each === undefined) throw new Error('no request is left')
      const joined = after(2, () => {
        if (answers.length < requests.length) answers.push(next())
      })
      return engine.generate(each, { onToken: joined })
    }
    answers.push(next())
    for (let index = 0; index < answers.length; index++) await answers[index]
    expect(answers).toHaveLength(9)
    await mustAllBeOk(requests, await Promise.all(answers))
    await engine.close()
  })

  test('the others go on as if alone when one answer of a batch is given up', async () => {
    const engine = await start({ batch: 4 })
    const requests = mixed(4).map((each) => ({ ...each, maxTokens: 30 }))
    const giveUp = new AbortController()
    const all = await Promise.allSettled(
      requests.map((each, index) =>
        engine.generate(
          each,
          index === 1 ? { signal: giveUp.signal, onToken: after(5, () => giveUp.abort(new Error('enough'))) } : {},
        ),
      ),
    )
    expect(all[1]).toMatchObject({
      status: 'rejected',
      reason: { code: 'ENGINE_ABORTED', details: { position: 5 }, retryable: true },
    })
    const kept = all.flatMap((each, index) => (index === 1 || each.status === 'rejected' ? [] : [each.value]))
    await mustAllBeOk(
      requests.filter((_, index) => index !== 1),
      kept,
    )
    await engine.close()
  })

  test('an answer that waits is given up at once when nobody wants it any more', async () => {
    const engine = await start({ batch: 1 })
    const giveUp = new AbortController()
    const first = engine.generate(request({ maxTokens: 20 }), { onToken: after(2, () => giveUp.abort()) })
    await expect(engine.generate(request(), { signal: giveUp.signal })).rejects.toMatchObject({
      code: 'ENGINE_ABORTED',
      details: { position: 0 },
    })
    expect((await first).tokens).toHaveLength(20)
    await expect(engine.generate(request(), { signal: giveUp.signal })).rejects.toMatchObject({
      code: 'ENGINE_ABORTED',
    })
    await engine.close()
  })

  test('a long prompt runs in pieces and answers go on between them when both are there', async () => {
    const engine = await start({ batch: 2 })
    const order: string[] = []
    const short = engine.generate(request({ maxTokens: 30 }), {
      onToken: (() => {
        let count = 0
        return () => {
          order.push('short')
          if (++count === 2) long = engine.generate(slow, { onToken: () => order.push('long') })
        }
      })(),
    })
    const slow = request({ prompt: LONG.repeat(8), maxTokens: 4 })
    let long: Promise<Generation> | undefined
    const answer = await short
    const { promptTokens = 0 } = (await long) ?? {}
    expect(promptTokens).toBeGreaterThan(192) // three pieces of 64 at least
    expect(order.indexOf('long')).toBeGreaterThanOrEqual(4)
    expect(answer.tokens).toEqual((await alone.generate(request({ maxTokens: 30 }))).tokens)
    await engine.close()
  })

  test('an answer is refused when it never fits the cache, and waits when it fits later', async () => {
    const engine = await start({ batch: 4, cacheTokens: 120 })
    await expect(engine.generate(request({ maxTokens: 200 }))).rejects.toMatchObject({
      code: 'ENGINE_CACHE_FULL',
      retryable: true,
      details: { bound: 120 },
    })
    const requests = Array.from({ length: 5 }, (_, byte) => request({ seed: seedOf(byte), maxTokens: 60 }))
    let most = 0
    const watch = {
      onToken: () => {
        most = Math.max(most, engine.stats().cacheTokens)
      },
    }
    await mustAllBeOk(requests, await Promise.all(requests.map((each) => engine.generate(each, watch))))
    expect(most).toBeGreaterThan(60)
    expect(most).toBeLessThanOrEqual(120)
    await engine.close()
  })

  test('answers are refused as too many when the queue is full', async () => {
    const engine = await start({ batch: 1 })
    const { waiting } = engine.stats().limits
    const giveUp = new AbortController()
    const options = { signal: giveUp.signal }
    const all = Array.from({ length: waiting + 3 }, () => engine.generate(request(), options).catch((error) => error))
    const refused = await Promise.race([all.at(-1), all[0]])
    expect(refused).toMatchObject({ code: 'ENGINE_CACHE_FULL', retryable: true })
    giveUp.abort()
    await Promise.all(all)
    expect(engine.stats()).toMatchObject({ waiting: 0, prefilling: 0 })
    await engine.close()
  })

  test('everything ends at the next token when the engine closes, and nothing starts after', async () => {
    const engine = await start({ batch: 2 })
    const requests = mixed(5).map((each) => ({ ...each, maxTokens: 200 }))
    let closing: Promise<void> | undefined
    const close = after(3, () => {
      closing = engine.close()
    })
    const all = await Promise.allSettled(requests.map((each) => engine.generate(each, { onToken: close })))
    for (const each of all) expect(each).toMatchObject({ status: 'rejected', reason: { code: 'ENGINE_CLOSED' } })
    await closing
    await expect(engine.generate(request())).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
    await engine.close()
  })
})

describe('batch in trouble', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY])('one answer fails alone when its logits are %d', async (value) => {
    const run = async (batch: Parameters<Decoder['run']>[0]): Promise<Step> => {
      const step = await model.decoder.run(batch)
      if (batch.tokens.length === 3) step.logits[2 * step.vocabulary - 1] = value // of the second row
      return step
    }
    const engine = await start({ batch: 3 }, { run })
    const requests = mixed(3).map((each) => ({ ...each, maxTokens: 12 }))
    const all = await Promise.allSettled(requests.map((each) => engine.generate(each)))
    expect(all.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(all.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'ENGINE_BAD_LOGITS' } })
    await engine.close()
  })

  test('answers in flight fail with a reason, and later ones are served, when the runtime fails', async () => {
    let broken = false
    const run = async (batch: Parameters<Decoder['run']>[0]): Promise<Step> => {
      if (broken && batch.tokens.length === 2) throw new Error('failed to allocate memory')
      return model.decoder.run(batch)
    }
    const engine = await start({ batch: 2 }, { run })
    broken = true
    const requests = mixed(2).map((each) => ({ ...each, maxTokens: 8 }))
    for (const each of await Promise.allSettled(requests.map((asked) => engine.generate(asked)))) {
      expect(each).toMatchObject({ reason: { code: 'ENGINE_RUN_FAILED', retryable: true } })
    }
    broken = false
    await mustAllBeOk(requests, await Promise.all(requests.map((each) => engine.generate(each))))
    await engine.close()
  })

  test.each(['assemble', 'hold'] as const)('no answer waits for ever when the cache fails to %s', async (what) => {
    let broken = false
    const fail = (): never => {
      throw new Error('failed to allocate memory')
    }
    const { assemble, hold } = model.decoder
    const decoder: Partial<Decoder> =
      what === 'assemble'
        ? { assemble: async (pieces) => (broken ? fail() : assemble(pieces)) }
        : { hold: (cache) => (broken ? fail() : hold(cache)) }
    const engine = await start({ batch: 3 }, decoder)
    const requests = mixed(3).map((each) => ({ ...each, prompt: LONG.repeat(3), maxTokens: 8 }))
    await engine.generate(request({ prompt: LONG.repeat(3) })) // leaves a prefix
    broken = true
    for (const each of await Promise.allSettled(requests.map((asked) => engine.generate(asked)))) {
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'ENGINE_RUN_FAILED', retryable: true } })
    }
    broken = false
    await mustAllBeOk(requests, await Promise.all(requests.map((each) => engine.generate(each))))
    await engine.close()
  })

  test('the others go on when what a complete answer leaves cannot be kept', async () => {
    let failed = 0
    const assemble: Decoder['assemble'] = async (pieces) => {
      if (pieces.length === 1 && failed++ === 0) throw new Error('failed to allocate memory')
      return model.decoder.assemble(pieces)
    }
    const engine = await start({ batch: 2 }, { assemble })
    const requests = [4, 9].map((maxTokens, index) => request({ prompt: `${index} ${LONG.repeat(2)}`, maxTokens }))
    await mustAllBeOk(requests, await Promise.all(requests.map((each) => engine.generate(each))))
    expect(failed).toBeGreaterThan(0)
    await engine.close()
  })

  test('answers run one by one, with the reason, when rows of the graph are not independent', async () => {
    const run = async (batch: Parameters<Decoder['run']>[0]): Promise<Step> => {
      const step = await model.decoder.run(batch)
      if (batch.tokens.length > 1) step.logits.reverse()
      return step
    }
    const engine = await start({ batch: 8 }, { run })
    expect(engine.stats().limits).toMatchObject({ rows: 1, single: expect.stringContaining('differ by') })
    const requests = mixed(3)
    await mustAllBeOk(requests, await Promise.all(requests.map((each) => engine.generate(each))))
    await engine.close()
  })

  test('answers run one by one, with the reason, when the graph takes one row alone', async () => {
    const run = async (batch: Parameters<Decoder['run']>[0]): Promise<Step> => {
      if (batch.tokens.length > 1) throw new Error('index 0 has 2 and 1 is due')
      return model.decoder.run(batch)
    }
    const engine = await start({ batch: 8 }, { run })
    expect(engine.stats().limits).toMatchObject({ rows: 1, single: expect.stringContaining('1 is due') })
    await engine.close()
  })

  test("answers run one by one when the model's card says so", async () => {
    const folder = { ...model.folder, card: { ...model.folder.card, batches: false } }
    const engine = await engineOf({ ...model, folder, release: async () => undefined }, { batch: 8 })
    expect(engine.stats().limits).toMatchObject({ rows: 1, single: expect.stringContaining('card') })
    await engine.close()
  })
})

describe('prefixes', () => {
  test('a prompt that goes on from an earlier answer runs its new tokens alone, and is believed', async () => {
    const engine = await start({ batch: 1 })
    const first = request({ prompt: LONG.repeat(3) })
    const answer = await engine.generate(first)
    const second = request({ prompt: `${LONG.repeat(3)}${answer.text} And then`, seed: seedOf(9) })
    const next = await engine.generate(second)
    const { prefixes } = engine.stats()
    expect(prefixes).toMatchObject({ hits: 1 })
    expect(prefixes.reused).toBeGreaterThan(answer.promptTokens ?? 0)
    await mustAllBeOk([first, second], [answer, next])
    await engine.close()
  })

  test('many prompts with one beginning reuse it when they run in one batch', async () => {
    const engine = await start({ batch: 4 })
    const requests = Array.from({ length: 6 }, (_, index) =>
      request({ prompt: `${LONG.repeat(2)} Question ${index}:`, seed: seedOf(index), maxTokens: 12 }),
    )
    await mustAllBeOk(requests, await Promise.all(requests.map((each) => engine.generate(each))))
    expect(engine.stats().prefixes.hits).toBeGreaterThanOrEqual(2)
    await engine.close()
  })

  test('what is kept stays within its bound when prompts differ', async () => {
    const engine = await start({ batch: 2, cacheTokens: 400 })
    for (let index = 0; index < 6; index++) {
      await engine.generate(request({ prompt: `${index} ${LONG.repeat(2)}`, maxTokens: 4 }))
      expect(engine.stats().prefixes.tokens).toBeLessThanOrEqual(100)
    }
    expect(engine.stats().prefixes.entries).toBeGreaterThan(0)
    await engine.close()
  })
})
