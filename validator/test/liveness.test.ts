import { createManualClock } from '@arbor/shared/manual-clock'
import { describe, expect, test } from 'vitest'
import { MOST_LOOPS, openBoard } from '../src/health/board.ts'
import { createWatch } from '../src/health/liveness.ts'

const TICK = 500

const world = () => {
  const clock = createManualClock()
  const board = openBoard()
  const watch = createWatch({
    watched: openBoard(board.buffer), // as another thread opens it
    clock,
    hangMs: 60_000,
    stopMs: 30_000,
    tickMs: TICK,
  })
  /** Lets time pass, with a look each tick. @returns the first reason to end */
  const pass = async (ms: number, doing: () => void = () => undefined): Promise<string | null> => {
    for (let left = ms; left > 0; left -= TICK) {
      doing()
      await clock.advance(TICK)
      const reason = watch.look()
      if (reason !== null) return reason.code
    }
    return null
  }
  return { clock, board, watch, pass }
}

describe('the watchdog', () => {
  test('ends a process whose main thread gives no sign of life for longer than the bound (C-18)', async () => {
    const { watch, pass } = world()
    expect(await pass(60_000)).toBeNull()
    expect(watch.status().live).toBe(false)
    expect(await pass(1_000)).toBe('VALIDATOR_HUNG')
  })

  test('lets a process live that beats, however long it runs', async () => {
    const { board, watch, pass } = world()
    expect(await pass(600_000, board.beat)).toBeNull()
    expect(watch.status()).toMatchObject({ live: true, silentSeconds: 0 })
  })

  test('kills nobody after the machine was suspended, and counts anew from there', async () => {
    const { clock, watch, pass } = world()
    await pass(30_000)
    await clock.advance(8 * 3_600_000) // both threads stood still; the monotonic clock may have gone on
    expect(watch.look()).toBeNull()
    expect(await pass(28_000)).toBeNull()
    expect(await pass(3_000)).toBe('VALIDATOR_HUNG')
  })

  test('ends a process that does not finish stopping, though its main thread lives', async () => {
    const { board, pass } = world()
    await pass(5_000, board.beat)
    board.stopping()
    expect(await pass(30_000, board.beat)).toBeNull()
    expect(await pass(1_000, board.beat)).toBe('VALIDATOR_UNSTOPPABLE')
  })
})

describe('liveness', () => {
  test('is tied to the last finished step of each loop (C-02)', async () => {
    const { board, watch, pass } = world()
    watch.add(0, { name: 'rounds', stepMs: 100_000, idleMs: null })
    const rounds = board.listener(0)
    await pass(5_000, board.beat)
    rounds.begun()
    await pass(20_000, board.beat)
    expect(watch.status().loops).toEqual([
      { loop: 'rounds', state: 'busy', seconds: 19.5, lastStepSeconds: null, done: 0, failed: 0, failedInRow: 0 },
    ])
    await pass(200_000, board.beat)
    expect(watch.status()).toMatchObject({ live: false, loops: [{ state: 'overdue' }] })
    rounds.done(1)
    await pass(1_000, board.beat)
    expect(watch.status()).toMatchObject({ live: true, loops: [{ state: 'idle', done: 1, lastStepSeconds: 0.5 }] })
  })

  test('goes red when a loop that must not be idle for long has no step', async () => {
    const { board, watch, pass } = world()
    watch.add(0, { name: 'chain', stepMs: 10_000, idleMs: 30_000 })
    watch.add(1, { name: 'audits', stepMs: 10_000, idleMs: null })
    await pass(100_000, board.beat)
    expect(watch.status().live).toBe(true)
    await pass(10_000, board.beat)
    expect(watch.status()).toMatchObject({ live: false, loops: [{ state: 'overdue' }, { state: 'idle' }] })
  })

  test('counts failures in a row until a step succeeds', async () => {
    const { board, watch, pass } = world()
    watch.add(3, { name: 'weights', stepMs: 10_000, idleMs: null })
    const weights = board.listener(3)
    for (const error of ['a', 'b']) weights.failed(new Error(error), 1)
    await pass(1_000, board.beat)
    expect(watch.status().loops).toMatchObject([{ failed: 2, failedInRow: 2, state: 'idle' }])
    weights.begun()
    weights.done(1)
    await pass(1_000, board.beat)
    expect(watch.status().loops).toMatchObject([{ failed: 2, failedInRow: 0, done: 1 }])
  })

  test('has room for so many loops, and says so', () => {
    expect(() => openBoard().listener(MOST_LOOPS)).toThrow(RangeError)
  })
})
