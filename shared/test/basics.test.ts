import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { startDeadline, systemClock } from '../src/clock.ts'
import { nearest, parseConfig, parseConfigText } from '../src/config.ts'
import { SubnetError } from '../src/errors.ts'
import { createGate } from '../src/gate.ts'
import { createLogger } from '../src/log.ts'
import { createManualClock } from '../src/manual-clock.ts'
import { median, roundHalfEven } from '../src/math.ts'
import { createQueue } from '../src/queue.ts'
import { repeat, supervise } from '../src/supervise.ts'
import type { Ms } from '../src/units.ts'

const never = new AbortController().signal
const coded = (code: string) => expect.objectContaining({ code })
const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

describe('clock', () => {
  test.each([
    ['system', () => systemClock],
    ['manual', createManualClock],
  ])('%s sleep rejects with the reason when it is aborted, before or during', async (_, make) => {
    const stop = new AbortController()
    const sleeping = make().sleep(1e9 as Ms, stop.signal)
    stop.abort(new Error('enough'))
    await expect(sleeping).rejects.toThrow('enough')
    await expect(make().sleep(1 as Ms, stop.signal)).rejects.toThrow('enough')
  })

  test('manual wakes sleepers in order when it advances', async () => {
    const clock = createManualClock()
    const woken: number[] = []
    for (const ms of [30, 10, 20]) void clock.sleep(ms as Ms, never).then(() => woken.push(ms))
    await clock.advance(25)
    expect([woken, clock.sleeping(), clock.monotonic()]).toEqual([[10, 20], 1, 25])
  })

  test('deadline aborts at its time, and not when it was disposed before', async () => {
    const clock = createManualClock()
    const make = () => startDeadline({ clock, ms: 10 as Ms, parent: never, reason: () => new Error('late') })
    const [kept, disposed] = [make(), make()]
    disposed[Symbol.dispose]()
    await clock.advance(10)
    expect([kept.signal.aborted, disposed.signal.aborted, clock.sleeping()]).toEqual([true, false, 0])
  })
})

describe('queue', () => {
  test('hands out the highest priority first, and equals in order of arrival', () => {
    const queue = createQueue<string>({ capacity: 9 })
    for (const [item, priority] of [
      ['a', 1n],
      ['b', 3n],
      ['c', 1n],
      ['d', 3n],
    ] as const)
      queue.offer(item, priority)
    expect([queue.poll(), queue.poll(), queue.poll(), queue.poll(), queue.poll()]).toEqual([
      'b',
      'd',
      'a',
      'c',
      undefined,
    ])
  })

  test('refuses or drops the least when it is full', () => {
    const queue = createQueue<string>({ capacity: 1 })
    queue.offer('a', 1n)
    expect(queue.offer('b', 1n)).toEqual({ accepted: false, reason: 'full' })
    expect(queue.offer('c', 2n)).toEqual({ accepted: true, evicted: 'a' })
    expect(queue.close()).toEqual(['c'])
    expect(queue.offer('d', 9n)).toEqual({ accepted: false, reason: 'closed' })
  })

  test('wakes who waits, and lets go when it is aborted or closed', async () => {
    const queue = createQueue<string>({ capacity: 1 })
    const taken = queue.take(never)
    queue.offer('a', 0n)
    expect(await taken).toBe('a')
    const stop = new AbortController()
    const aborted = queue.take(stop.signal)
    stop.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    const closed = queue.take(never)
    queue.close()
    await expect(closed).rejects.toThrow(coded('QUEUE_CLOSED'))
  })
})

describe('gate', () => {
  test('gives a place back when a waiter is aborted, and refuses all when it closes', async () => {
    const gate = createGate({ slots: 1, capacity: 2 })
    const first = await gate.enter({ priority: 0n, signal: never })
    const stop = new AbortController()
    const aborted = gate.enter({ priority: 9n, signal: stop.signal })
    const second = gate.enter({ priority: 1n, signal: never })
    stop.abort(new Error('gone'))
    await expect(aborted).rejects.toThrow('gone')
    if (first.admitted) {
      first.release()
      first.release() // a second call gives nothing back
    }
    const admitted = await second
    expect([admitted.admitted, gate.working, gate.waiting]).toEqual([true, 1, 0])
    const waiting = gate.enter({ priority: 1n, signal: never })
    gate.close()
    expect(await waiting).toEqual({ admitted: false, reason: 'closed' })
  })
})

describe('supervision', () => {
  test('ends all loops with the reason of the one that failed', async () => {
    const clock = createManualClock()
    const failing = async (): Promise<void> => {
      throw new Error('broken')
    }
    const running = supervise({ loops: { good: untilAborted, bad: failing }, signal: never, clock })
    await expect(running).rejects.toThrow(coded('SUPERVISE_LOOP_ENDED'))
    await expect(running).rejects.toThrow(/"bad".*broken/)
  })

  test('ends when a loop returns early, and passes our own errors on', async () => {
    const clock = createManualClock()
    await expect(supervise({ loops: { short: async () => undefined }, signal: never, clock })).rejects.toThrow(
      /"short".*returned/,
    )
    const own = new SubnetError({ code: 'QUEUE_CLOSED', message: 'x' })
    await expect(supervise({ loops: { own: () => Promise.reject(own) }, signal: never, clock })).rejects.toBe(own)
  })

  test('resolves when it is stopped, and waits no longer than its grace for a loop that does not stop', async () => {
    const clock = createManualClock()
    const stop = new AbortController()
    const running = supervise({
      loops: { deaf: () => new Promise(() => undefined), good: untilAborted },
      signal: stop.signal,
      clock,
      graceMs: 100,
    })
    stop.abort()
    await clock.advance(100)
    await expect(running).resolves.toBeUndefined()
  })

  test('repeats through failures within the budget, and ends above it', async () => {
    const clock = createManualClock()
    const errors: unknown[] = []
    const failing = repeat({
      name: 'poll',
      run: () => Promise.reject(new Error('down')),
      everyMs: 10,
      timeoutMs: 5,
      budget: { failures: 2, withinMs: 1_000 },
      clock,
      signal: never,
      onError: (error) => errors.push(error),
    })
    failing.catch(() => undefined)
    await clock.advance(100)
    await expect(failing).rejects.toThrow(coded('SUPERVISE_BUDGET_SPENT'))
    expect(errors.length).toBe(3)
  })
})

describe('configuration', () => {
  const schema = z.object({ port: z.coerce.number().int().max(65_535), threads: z.number().default(1) })

  test('takes flags over the file and defaults for the rest', () => {
    expect(
      parseConfig({ schema, sources: { file: { port: 1, threads: 2 }, flags: { port: '3', threads: undefined } } }),
    ).toEqual({ port: 3, threads: 2 })
  })

  test('names an unknown key and the nearest known one', () => {
    expect(() => parseConfig({ schema, sources: { flags: { prot: 1 } } })).toThrow(coded('CONFIG_UNKNOWN_KEY'))
    expect(() => parseConfig({ schema, sources: { flags: { prot: 1 } } })).toThrow('did you mean "port"?')
  })

  test('names the setting whose value is not allowed, or that is missing', () => {
    expect(() => parseConfig({ schema, sources: { file: { port: 70_000 } } })).toThrow(/"port" is 70000/)
    expect(() => parseConfig({ schema, sources: { file: { port: 1, threads: 'x' } } })).toThrow(coded('CONFIG_INVALID'))
    expect(() => parseConfigText('[]', 'a.json')).toThrow(coded('CONFIG_NOT_JSON'))
    expect(() => parseConfigText('{', 'a.json')).toThrow(coded('CONFIG_NOT_JSON'))
  })

  test('finds near words only', () => {
    expect([nearest('walet', ['wallet', 'hotkey']), nearest('x', ['wallet'])]).toEqual(['wallet', null])
  })
})

test('log writes one JSON line an event and hides secrets at any depth', () => {
  let text = ''
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      text += chunk
      done()
    },
  })
  const log = createLogger({ name: 'test', level: 'info', destination })
  log.info(
    { event: 'a', mnemonic: 'word word', wallet: { secretSeed: '0x1', of: { password: 'p' } }, hotkey: '5G' },
    'done',
  )
  log.debug('quiet')
  const line = JSON.parse(text)
  expect(line).toMatchObject({ level: 'info', name: 'test', event: 'a', msg: 'done', hotkey: '5G' })
  expect(text).not.toMatch(/word word|0x1|"p"/)
})

test('median and rounding follow their definitions', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, Number.NaN])
  expect([0.5, 1.5, 2.5, 2.4, 2.6].map(roundHalfEven)).toEqual([0, 2, 2, 2, 3])
})
