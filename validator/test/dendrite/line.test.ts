import { describe, expect, test } from 'vitest'
import { createLine, createLines, type Leave } from '../../src/dendrite/line.ts'

const never = new AbortController().signal
const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false
  const settle = (): void => {
    done = true
  }
  void promise.then(settle, settle)
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
  return done
}
const leave = (given: Leave | null): void => given?.()

describe('line', () => {
  test('admits as many as there are places, and the others in order of arrival', async () => {
    const line = createLine({ places: 2, bytes: 100, capacity: 10 })
    const first = await line.enter({ bytes: 1, signal: never })
    await line.enter({ bytes: 1, signal: never })
    const third = line.enter({ bytes: 1, signal: never })
    const fourth = line.enter({ bytes: 1, signal: never })
    expect([await settled(third), line.working, line.waiting]).toEqual([false, 2, 2])
    leave(first)
    leave(first) // a second time does nothing
    expect([await settled(third), await settled(fourth), line.working]).toEqual([true, false, 2])
  })

  test('admits what there is room for, and lets nobody overtake', async () => {
    const line = createLine({ places: 9, bytes: 100, capacity: 10 })
    const first = await line.enter({ bytes: 60, signal: never })
    const large = line.enter({ bytes: 60, signal: never })
    const small = line.enter({ bytes: 1, signal: never })
    expect([await settled(large), await settled(small)]).toEqual([false, false])
    leave(first)
    expect([await settled(large), await settled(small)]).toEqual([true, true])
  })

  test('lets one that needs more than all of it work alone', async () => {
    const line = createLine({ places: 9, bytes: 100, capacity: 10 })
    const huge = await line.enter({ bytes: 1_000, signal: never })
    const next = line.enter({ bytes: 1, signal: never })
    expect(await settled(next)).toBe(false)
    leave(huge)
    expect(await settled(next)).toBe(true)
  })

  test('is left by a waiter whose signal aborts, which makes room for the one behind', async () => {
    const line = createLine({ places: 2, bytes: 100, capacity: 10 })
    await line.enter({ bytes: 90, signal: never })
    const stop = new AbortController()
    const large = line.enter({ bytes: 50, signal: stop.signal })
    const small = line.enter({ bytes: 5, signal: never })
    stop.abort(new Error('stop'))
    await expect(large).rejects.toThrow('stop')
    expect([await settled(small), line.working, line.waiting]).toEqual([true, 2, 0])
  })

  test('refuses whoever comes when too many wait', async () => {
    const line = createLine({ places: 1, bytes: 100, capacity: 1 })
    await line.enter({ bytes: 1, signal: never })
    void line.enter({ bytes: 1, signal: never })
    expect(await line.enter({ bytes: 1, signal: never })).toBeNull()
  })

  test('gives a place without waiting only while there is one and nobody is before', async () => {
    const line = createLine({ places: 2, bytes: 100, capacity: 9 })
    const first = line.tryEnter(60)
    expect([first === null, line.tryEnter(60)]).toEqual([false, null])
    const large = line.enter({ bytes: 60, signal: never })
    expect(line.tryEnter(1)).toBeNull()
    leave(first)
    expect([await settled(large), line.tryEnter(1) === null]).toEqual([true, false])
  })

  test('refuses a signal that has aborted already', async () => {
    const line = createLine({ places: 1, bytes: 100, capacity: 1 })
    await expect(line.enter({ bytes: 1, signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
    expect(line.working).toBe(0)
  })
})

describe('lines', () => {
  test('bound each key by itself, and are forgotten when nobody is in them', async () => {
    const lines = createLines({ places: 1, bytes: 100, capacity: 1 })
    const a = await lines('a').enter({ bytes: 1, signal: never })
    const again = lines('a').enter({ bytes: 1, signal: never })
    const b = await lines('b').enter({ bytes: 1, signal: never })
    expect([await settled(again), b === null]).toEqual([false, false])
    expect(lines('a').working).toBe(1)
    leave(a)
    leave(await again)
    expect(lines('a').working).toBe(0)
    expect((await lines('a').enter({ bytes: 1, signal: never })) === null).toBe(false)
  })
})
