import { type OpenEngineOptions, type OpenedEngine, openEngine } from '@arbor/engine/open'
import { describe, expect, test } from 'vitest'
import { answer, judge, planned, reasonOf } from './ask.ts'
import type { Stage } from './suite.ts'

const THREADS = [1, 2, 4]
const BATCHES = [2, 4, 8, 16]

/** Registers the tests of what honest miners may do differently from the validator: nothing of it may be refused. */
export const honestTests = (stage: () => Stage): void => {
  describe('honest answers are believed', () => {
    test.each(THREADS)('from an engine of %i threads', (threads) =>
      using(stage(), { threads }, async (engine) => {
        for (const label of ['one', 'two']) {
          const question = planned(stage().spec, `threads ${threads} ${label}`, 'a')
          expect(await reasonOf(stage(), engine, question)).toBe('ok')
        }
      }))

    test.each(BATCHES)('from a batch of %i', (batch) =>
      using(stage(), { batch }, async (engine) => {
        const questions = Array.from({ length: batch }, (_, index) =>
          planned(stage().spec, `batch ${batch} ${index}`, 'a'),
        )
        const reasons = await Promise.all(questions.map((question) => reasonOf(stage(), engine, question)))
        expect(reasons).toEqual(questions.map(() => 'ok'))
      }))

    test('from a batch that others join and leave while it runs', () =>
      using(stage(), { batch: 4 }, async (engine) => {
        const [first, leaver, ...joiners] = Array.from({ length: 6 }, (_, index) =>
          planned(stage().spec, `joining ${index}`, 'a'),
        )
        if (first === undefined || leaver === undefined) throw new Error('there are six')
        const leaving = new AbortController()
        const left = answer(stage(), engine, leaver, { signal: leaving.signal, emit: () => leaving.abort() })
        const gone = expect(left).rejects.toMatchObject({ code: 'ENGINE_ABORTED' })
        // Each token of the first lets one more in, so that they join at different steps.
        const joined: Promise<unknown>[] = []
        const join = (): void => {
          const next = joiners[joined.length]
          if (next !== undefined) joined.push(answer(stage(), engine, next))
        }
        const whole = await answer(stage(), engine, first, { emit: join })
        await gone
        while (joined.length < joiners.length) join() // where the task emits nothing
        const others = await Promise.all(joined)
        expect((await judge(stage(), first, whole)).reason).toBe('ok')
        for (const [index, question] of joiners.entries())
          expect((await judge(stage(), question, others[index])).reason).toBe('ok')
      }))

    test('from an engine that keeps the prompt from an earlier asker', () =>
      using(stage(), { batch: 2 }, async (engine) => {
        for (const asker of ['a', 'b', 'c'])
          expect(await reasonOf(stage(), engine, planned(stage().spec, 'prefix', asker))).toBe('ok')
        expect(engine.stats().prefixes.hits).toBeGreaterThan(0)
      }))

    test('from an engine that was started again, which gives the same answer', async () => {
      const question = planned(stage().spec, 'restart', 'a')
      const answers: unknown[] = []
      for (let start = 0; start < 2; start++)
        await using(stage(), {}, async (engine) => {
          answers.push(await answer(stage(), engine, question))
        })
      expect(answers[1]).toEqual(answers[0])
      expect((await judge(stage(), question, answers[1])).reason).toBe('ok')
    })
  })
}

const using = async (
  { tried }: Stage,
  options: Omit<OpenEngineOptions, 'folder'>,
  run: (engine: OpenedEngine) => Promise<void>,
): Promise<void> => {
  const engine = await openEngine({ ...options, folder: tried.folder })
  try {
    await run(engine)
  } finally {
    await engine.close()
  }
}
