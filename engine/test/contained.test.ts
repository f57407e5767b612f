import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '@arbor/shared/clock'
import type { Ms, UnixMs } from '@arbor/shared/units'
import { afterEach, describe, expect, test } from 'vitest'
import { startContained } from '../src/contained/start.ts'
import type { ContainedOptions, RunOptions } from '../src/contained/types.ts'
import type { TroubleJob } from './workers/trouble.ts'

const stops: AbortController[] = []
const closing: (() => Promise<void>)[] = []

const start = (options: Partial<ContainedOptions> = {}) => {
  const stop = new AbortController()
  stops.push(stop)
  const contained = startContained<TroubleJob, unknown, number>({
    worker: new URL('./workers/trouble.ts', import.meta.url),
    workerData: { greeting: 'hello' },
    threads: 2,
    maxQueue: 2,
    log: { info: () => undefined, warn: () => undefined },
    signal: stop.signal,
    maxRestarts: 2,
    ...options,
  })
  closing.push(contained.close)
  return { ...contained, stop }
}

/** A clock whose sleeps end when the test says so. */
const handClock = () => {
  const sleepers = new Set<() => void>()
  const clock: Clock = {
    now: () => 0 as UnixMs,
    monotonic: () => 0 as Ms,
    sleep: (_, signal) =>
      new Promise((resolve, reject) => {
        sleepers.add(resolve)
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      }),
  }
  return { clock, wake: () => sleepers.forEach((resolve) => void resolve()), sleepers }
}

/** Starts a job and waits until it reports that it runs. */
const begin = async (
  run: (job: TroubleJob, options: RunOptions<number>) => Promise<unknown>,
  kind: 'wait' | 'hang',
) => {
  const controller = new AbortController()
  const started = Promise.withResolvers<void>()
  const done = run({ kind }, { signal: controller.signal, onProgress: () => started.resolve() })
  done.catch(() => undefined)
  await Promise.race([started.promise, done])
  return { done, controller }
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await setImmediate()
}

afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort()
  await Promise.all(closing.splice(0).map((close) => close()))
})

describe('contained jobs', () => {
  test('a job returns its result with binary data and its worker data when it succeeds', async () => {
    const { run } = start()
    expect(await run({ kind: 'echo', value: new Float32Array([1, 2]) })).toEqual(new Float32Array([1, 2]))
    expect(await run({ kind: 'data' })).toBe('hello')
  })

  test('progress arrives whole and in order before the result when a job reports it', async () => {
    const { run } = start()
    const seen: number[] = []
    expect(await run({ kind: 'count', to: 200 }, { onProgress: (value) => seen.push(value) })).toBe(200)
    expect(seen).toEqual(Array.from({ length: 200 }, (_, value) => value))
  })

  test('an error keeps code, details and retryable when it crosses the boundary', async () => {
    const { run } = start()
    await expect(run({ kind: 'throw', code: 'TASK_REFUSED' })).rejects.toMatchObject({
      name: 'SubnetError',
      code: 'TASK_REFUSED',
      details: { value: 7 },
      retryable: true,
    })
    await expect(run({ kind: 'bug' })).rejects.toMatchObject({ code: 'ENGINE_JOB_FAILED', retryable: false })
  })

  test('a job fails alone when it or its result cannot be cloned', async () => {
    const { run, stats } = start({ threads: 1 })
    await expect(run({ kind: 'echo', value: () => 1 })).rejects.toMatchObject({ code: 'ENGINE_JOB_FAILED' })
    await expect(run({ kind: 'function' })).rejects.toMatchObject({ code: expect.stringMatching(/^ENGINE_/) })
    expect(await run({ kind: 'echo', value: 1 })).toBe(1)
    expect(stats()).toMatchObject({ state: 'running', running: 0, crashes: 0 })
  })

  test('jobs fail with a reason when the worker module cannot be loaded', async () => {
    const { run } = start({ worker: new URL('./workers/none.ts', import.meta.url) })
    await expect(run({ kind: 'data' })).rejects.toMatchObject({ code: 'ENGINE_JOB_FAILED', message: /none\.ts/ })
  })

  test('a job is refused as busy when threads and queue are full', async () => {
    const { run, stats } = start({ threads: 1, maxQueue: 1 })
    const first = await begin(run, 'wait')
    const second = run({ kind: 'echo', value: 1 })
    await expect(run({ kind: 'echo', value: 2 })).rejects.toMatchObject({ code: 'ENGINE_BUSY', retryable: true })
    expect(stats()).toMatchObject({ running: 1, queued: 1 })
    first.controller.abort()
    await expect(first.done).rejects.toMatchObject({ code: 'ENGINE_ABORTED' })
    expect(await second).toBe(1)
  })

  test('one thread runs as many jobs at once as it may, and the rest wait, when it may run several', async () => {
    const { run, stats } = start({ threads: 1, jobsPerThread: 3, maxQueue: 1 })
    const waiting = await Promise.all([begin(run, 'wait'), begin(run, 'wait')])
    expect(await run({ kind: 'echo', value: 'beside them' })).toBe('beside them')
    const third = await begin(run, 'wait')
    const queued = run({ kind: 'echo', value: 'after one' })
    await expect(run({ kind: 'echo', value: 0 })).rejects.toMatchObject({ code: 'ENGINE_BUSY' })
    expect(stats()).toMatchObject({ running: 3, queued: 1 })
    third.controller.abort()
    expect(await queued).toBe('after one')
    for (const { controller, done } of [...waiting, third]) {
      controller.abort()
      await expect(done).rejects.toMatchObject({ code: 'ENGINE_ABORTED' })
    }
    expect(await run({ kind: 'echo', value: 1 })).toBe(1)
    // Callers leave at once, their jobs at the next chance to hear of it.
    await expect.poll(stats).toMatchObject({ running: 0, queued: 0, crashes: 0 })
  })

  test('only the jobs in flight fail when the process aborts, and a new one serves the queue', async () => {
    const { run, stats } = start({ threads: 1 })
    const before = stats().pid
    const lost = run({ kind: 'abort' })
    const queued = run({ kind: 'echo', value: 'kept' })
    await expect(lost).rejects.toMatchObject({ code: 'ENGINE_CRASHED', retryable: true })
    expect(await queued).toBe('kept')
    expect(stats()).toMatchObject({ state: 'running', crashes: 1 })
    expect(stats().pid).not.toBe(before)
  })

  test('the process survives when a worker thread exits', async () => {
    const { run, stats } = start()
    await expect(run({ kind: 'exit' })).rejects.toMatchObject({ code: 'ENGINE_CRASHED', retryable: true })
    expect(await run({ kind: 'echo', value: 1 })).toBe(1)
    expect(stats().crashes).toBe(0)
  })

  test('jobs go on in a new process when the old one is killed', async () => {
    const { run, stats } = start()
    const { done } = await begin(run, 'wait')
    process.kill(stats().pid ?? 0, 'SIGKILL')
    await expect(done).rejects.toMatchObject({ code: 'ENGINE_CRASHED', details: { signal: 'SIGKILL' } })
    expect(await run({ kind: 'echo', value: 1 })).toBe(1)
  })

  test('everything is refused as dead when the process crashes more often than its budget', async () => {
    const { run, stats } = start({ threads: 1 })
    for (let crash = 0; crash < 3; crash++) {
      await expect(run({ kind: 'abort' })).rejects.toMatchObject({ code: 'ENGINE_CRASHED' })
    }
    expect(stats().state).toBe('dead')
    await expect(run({ kind: 'echo', value: 1 })).rejects.toMatchObject({ code: 'ENGINE_DEAD', retryable: false })
  })

  test('the budget starts anew when a job finishes between crashes', async () => {
    const { run, stats } = start({ threads: 1 })
    for (let crash = 0; crash < 4; crash++) {
      await expect(run({ kind: 'abort' })).rejects.toMatchObject({ code: 'ENGINE_CRASHED' })
      expect(await run({ kind: 'echo', value: crash })).toBe(crash)
    }
    expect(stats()).toMatchObject({ state: 'running', crashes: 4, finished: 4 })
  })

  test('the process stays when an aborted job stops in time', async () => {
    const { run, stats } = start({ threads: 1 })
    const before = stats().pid
    const { done, controller } = await begin(run, 'wait')
    controller.abort()
    await expect(done).rejects.toMatchObject({ code: 'ENGINE_ABORTED', retryable: true })
    expect(await run({ kind: 'echo', value: 1 })).toBe(1)
    expect(stats()).toMatchObject({ pid: before, crashes: 0 })
  })

  test('the process is killed and replaced when a job hangs through the grace after its abort', async () => {
    const { clock, wake, sleepers } = handClock()
    const { run, stats } = start({ threads: 1, clock })
    const { done, controller } = await begin(run, 'hang')
    const queued = run({ kind: 'echo', value: 'kept' })
    controller.abort()
    await expect(done).rejects.toMatchObject({ code: 'ENGINE_ABORTED' })
    await until(() => sleepers.size === 1)
    wake()
    expect(await queued).toBe('kept')
    expect(stats().crashes).toBe(1)
  })

  test('a queued job leaves the queue when it is aborted', async () => {
    const { run, stats } = start({ threads: 1 })
    const first = await begin(run, 'wait')
    const controller = new AbortController()
    const queued = run({ kind: 'echo', value: 1 }, { signal: controller.signal })
    controller.abort()
    await expect(queued).rejects.toMatchObject({ code: 'ENGINE_ABORTED' })
    expect(stats()).toMatchObject({ running: 1, queued: 0 })
    first.controller.abort()
  })

  test('close waits for what runs and what is queued, then refuses, when it is called with work left', async () => {
    const { run, close, stats } = start({ threads: 1 })
    const results = [run({ kind: 'count', to: 3 }), run({ kind: 'echo', value: 'last' })]
    const closed = close()
    await expect(run({ kind: 'echo', value: 1 })).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
    expect(await Promise.all(results)).toEqual([3, 'last'])
    await closed
    expect(stats()).toMatchObject({ state: 'closed', pid: null, running: 0 })
  })

  test('every job is aborted and the process ends when the signal aborts', async () => {
    const { run, close, stop, stats } = start({ threads: 1 })
    const { done } = await begin(run, 'wait')
    const queued = run({ kind: 'echo', value: 1 })
    stop.abort()
    await expect(done).rejects.toMatchObject({ code: 'ENGINE_ABORTED' })
    await expect(queued).rejects.toMatchObject({ code: 'ENGINE_ABORTED' })
    await close()
    expect(stats().state).toBe('closed')
  })

  test('the process ends by itself when its parent is killed', async () => {
    const parent = spawn(process.execPath, [new URL('./workers/parent.ts', import.meta.url).pathname], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    await until(() => !isAlive(pid))
  })
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
