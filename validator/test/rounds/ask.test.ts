import { createManualClock } from '@arbor/shared/manual-clock'
import type { Block } from '@arbor/shared/units'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AskDeps, askMiners } from '../../src/rounds/ask.ts'
import type { KeptAnswer } from '../../src/rounds/outcome.ts'
import { answered, axon, keys, never, setUp, uid } from './support.ts'

const full = Object.assign(new Error('the disk is full'), { code: 'STORE_FULL' })
const settled = () => new Promise((resolve) => setImmediate(resolve))

let unheard: unknown[] = []
const hear = (error: unknown): void => void unheard.push(error)
beforeEach(() => {
  unheard = []
  process.on('unhandledRejection', hear)
})
afterEach(() => void process.off('unhandledRejection', hear))

const miners = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    hotkey: keys.a,
    uid: uid(index),
    registeredAt: 1 as Block,
    axon,
  }))
const questionOf = () => ({ task: 'chat', seed: '0x00', request: {} }) as const

const ask = (over: Partial<AskDeps>, count: number, signal: AbortSignal = never) => {
  const { deps } = setUp()
  const of = { roundBlock: 100 as Block, repeat: 0, miners: miners(count), questionOf }
  return askMiners({ ...deps, ...over }, of, signal)
}

test('answers that a full disk does not take end the asking with its reason, and those that came are written once there is room', async () => {
  const clock = createManualClock()
  const kept: KeptAnswer[] = []
  let isFull = true
  let written = 0
  const keepAnswers = (_: Block, answers: readonly KeptAnswer[]): void => {
    written += 1
    if (isFull) {
      isFull = false
      throw full
    }
    kept.push(...answers)
  }
  /** The first answers at once; the second never, until it is told to stop. */
  const first: AskDeps['ask'] = (task, signal) =>
    task.uid === 0
      ? Promise.resolve(answered)
      : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  const asking = ask({ clock, ledger: { keepAnswers }, ask: first }, 2)
  const outcome = expect(asking).rejects.toBe(full)
  await settled()
  clock.advance(250 as never)
  await outcome
  await settled()
  expect(written).toBe(2)
  expect(kept.map((answer) => answer.uid)).toEqual([0])
  expect(unheard).toEqual([])
})

test('asking that is stopped while questions are still handed out hands out no more, and rejects with the reason', async () => {
  const stop = new AbortController()
  const why = new Error('told to stop')
  let asked = 0
  const asking = ask(
    {
      ask: (_, signal) => {
        asked += 1
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
      },
    },
    200,
    stop.signal,
  )
  const outcome = expect(asking).rejects.toBe(why)
  setImmediate(() => stop.abort(why))
  await outcome
  await settled()
  expect(asked).toBeLessThan(200)
  expect(unheard).toEqual([])
})
