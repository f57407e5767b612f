import { expect, test } from 'vitest'
import { createInbox, MOST_WAITING, type Waiting } from '../../src/training/inbox.ts'
import { held, never, published } from './support.ts'

const waiting = (): Waiting => ({ event: published([]), merged: null, held })

test('an inbox hands out the oldest step until it is done', async () => {
  const inbox = createInbox({ dropped: () => undefined })
  const [one, two] = [waiting(), waiting()]
  inbox.put(one)
  inbox.put(two)
  expect(await inbox.next(never)).toBe(one)
  expect(await inbox.next(never)).toBe(one)
  inbox.done(one)
  expect(await inbox.next(never)).toBe(two)
})

test('an inbox wakes whoever waits, and gives up with the signal', async () => {
  const inbox = createInbox({ dropped: () => undefined })
  const next = inbox.next(never)
  const one = waiting()
  inbox.put(one)
  expect(await next).toBe(one)
  inbox.done(one)
  const stop = new AbortController()
  const waits = inbox.next(stop.signal)
  stop.abort(new Error('enough'))
  await expect(waits).rejects.toThrow('enough')
})

test('an inbox gives a step up that failed three times', () => {
  const inbox = createInbox({ dropped: () => undefined })
  const one = waiting()
  inbox.put(one)
  expect([inbox.failed(one), inbox.failed(one), inbox.failed(one)]).toEqual([false, false, true])
  expect(inbox.size).toBe(0)
})

test('a full inbox drops the oldest step that nobody works on', () => {
  const dropped: Waiting[] = []
  const inbox = createInbox({ dropped: (one) => void dropped.push(one) })
  const all = Array.from({ length: MOST_WAITING + 2 }, waiting)
  for (const one of all) inbox.put(one)
  expect(dropped).toEqual(all.slice(1, 3))
  expect(inbox.size).toBe(MOST_WAITING)
})
