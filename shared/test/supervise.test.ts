import { describe, expect, test } from 'vitest'
import { SubnetError } from '../src/errors.ts'
import { createManualClock } from '../src/manual-clock.ts'
import { runSteps, type Steps } from '../src/supervise.ts'

const never = new AbortController().signal
const coded = (code: string) => expect.objectContaining({ code })

/** A loop whose steps are told what to do, and what it told of them. */
const loopOf = (step: Steps<number>['step'], over: Partial<Steps<number>> = {}) => {
  const clock = createManualClock()
  const told: string[] = []
  let work = 0
  const begun: number[] = []
  const running = runSteps<number>({
    name: 'rounds',
    next: async (signal) => {
      await clock.sleep(1 as Parameters<typeof clock.sleep>[0], signal)
      work += 1
      return work
    },
    step: async (given, signal) => {
      begun.push(clock.monotonic())
      await step(given, signal)
    },
    timeoutMs: 1_000,
    budget: { failures: 5, withinMs: 3_600_000 },
    backoff: { firstMs: 100, mostMs: 400 },
    listener: {
      begun: () => told.push('begun'),
      done: (ms) => told.push(`done ${ms}`),
      failed: (error, pauseMs) =>
        told.push(`failed ${error instanceof SubnetError ? error.code : String(error)}, pause ${pauseMs}`),
    },
    ...over,
    clock,
    signal: never,
  })
  running.catch(() => undefined)
  return { clock, told, running, begun }
}

describe('a loop', () => {
  test('goes on after a failed step, and tells of it (C-02)', async () => {
    const { clock, told } = loopOf(async (work) => {
      if (work === 2) throw new Error('one bad head')
    })
    await clock.advance(150)
    expect(told.slice(0, 5)).toEqual(['begun', 'done 0', 'begun', 'failed Error: one bad head, pause 100', 'begun'])
  })

  test('waits twice as long after each failure in a row, up to a bound, and anew after a success', async () => {
    const { clock, told } = loopOf(
      async (work) => {
        if (work !== 5) throw new Error('down')
      },
      { budget: { failures: 6, withinMs: 3_600_000 } },
    )
    await clock.advance(10_000)
    expect(told.filter((line) => line !== 'begun')).toEqual([
      ...[100, 200, 400, 400].map((ms) => `failed Error: down, pause ${ms}`),
      'done 0',
      ...[100, 200, 400].map((ms) => `failed Error: down, pause ${ms}`),
    ])
  })

  test('ends with its last failure when its budget is spent (C-02)', async () => {
    const { clock, running, begun } = loopOf(() => Promise.reject(new Error('always down')))
    await clock.advance(10_000)
    await expect(running).rejects.toThrow(coded('SUPERVISE_BUDGET_SPENT'))
    await expect(running).rejects.toThrow(/"rounds" failed 6 times .*always down/)
    expect(begun.length).toBe(6)
  })

  test('spends nothing of its budget by failures that are long ago', async () => {
    const { clock, told } = loopOf(() => Promise.reject(new Error('down')), {
      budget: { failures: 2, withinMs: 300 },
      backoff: { firstMs: 200, mostMs: 200 },
    })
    await clock.advance(5_000)
    expect(told.filter((line) => line.startsWith('failed')).length).toBeGreaterThan(20)
  })

  test('aborts a step that takes longer than its deadline, and counts it as a failure', async () => {
    const { clock, told } = loopOf(
      (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    await clock.advance(1_001)
    expect(told).toEqual(['begun', 'failed SUPERVISE_TIMEOUT, pause 100'])
  })

  test('counts the failure of waiting like that of working', async () => {
    const { clock, told, running } = loopOf(async () => undefined, {
      next: () => Promise.reject(new Error('no head')),
    })
    await clock.advance(10_000)
    expect(told[0]).toBe('failed Error: no head, pause 100')
    await expect(running).rejects.toThrow(coded('SUPERVISE_BUDGET_SPENT'))
  })

  test('ends when a step neither ends nor stops, since a second one beside it would do harm', async () => {
    const { clock, running } = loopOf(() => new Promise(() => undefined))
    await clock.advance(1_001 + 59_000)
    await clock.advance(2_000)
    await expect(running).rejects.toThrow(coded('SUPERVISE_STUCK'))
  })

  test('ends at once by an error that no repetition mends', async () => {
    const own = new SubnetError({ code: 'ENGINE_DEAD', message: 'x' })
    const { clock, running, begun } = loopOf(() => Promise.reject(own), { isFatal: (error) => error === own })
    await clock.advance(10)
    await expect(running).rejects.toBe(own)
    expect(begun.length).toBe(1)
  })
})
