import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'

/** A line that a process of the net logged. */
export interface LogEvent {
  readonly process: string
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** The processes of a local net; one that ends by itself ends the net. */
export interface Children {
  /** Starts `arbor <args>` as a process of its own. */
  start(name: string, args: readonly string[]): void
  /** Resolves with the first event that fits; rejects when its process ends first or the signal aborts. */
  waitFor(process: string, event: string, signal: AbortSignal): Promise<LogEvent>
  /** Rejects as soon as a process ends without having been asked to. */
  readonly failed: Promise<never>
  /** Asks every process to stop, the chain last, and kills what has not stopped within 4 seconds. Idempotent. */
  stop(): Promise<void>
}

/** Last lines of a process that are kept to explain its end. */
const keptLines = 20
/** Ctrl-C promises five seconds; one is left for the chain. */
const graceMs = 3_500 as Ms

export function openChildren({
  program,
  env,
  clock,
  onEvent,
}: {
  /** Node and the entry that runs `arbor`. */
  readonly program: readonly [node: string, entry: string]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly onEvent: (event: LogEvent) => void
}): Children {
  const running = new Map<string, ChildProcess>()
  const tails = new Map<string, string[]>()
  const seen: LogEvent[] = []
  const waiters = new Set<(event: LogEvent) => void>()
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined) // whoever cares awaits it; nobody has to
  let stopping: Promise<void> | null = null

  const take = (name: string, line: string): void => {
    const tail = tails.get(name) ?? []
    tails.set(name, [...tail, line].slice(-keptLines))
    const event = parseEvent(name, line)
    if (event === null) return
    if (event.event.endsWith('.ready')) seen.push(event)
    onEvent(event)
    for (const waiter of waiters) waiter(event)
  }

  const start = (name: string, args: readonly string[]): void => {
    // Its own process group: a terminal's Ctrl-C reaches only us, and we stop each process once. The IPC channel ends it if we are killed.
    const child = spawn(program[0], [program[1], ...args], {
      env: { ...env },
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    running.set(name, child)
    if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => take(name, line))
    child.on('error', (cause) => {
      if (child.pid === undefined) running.delete(name) // it never started, so no exit follows
      failure.reject(ended(name, cause.message, tails.get(name)))
    })
    child.on('exit', (code, signal) => {
      running.delete(name)
      if (stopping === null) failure.reject(ended(name, signal ?? `exit code ${code}`, tails.get(name)))
    })
  }

  const waitFor = async (process: string, event: string, signal: AbortSignal): Promise<LogEvent> => {
    const fits = (e: LogEvent): boolean => e.process === process && e.event === event
    const earlier = seen.find(fits)
    if (earlier) return earlier
    const { promise, resolve, reject } = Promise.withResolvers<LogEvent>()
    const waiter = (e: LogEvent): void => void (fits(e) && resolve(e))
    const onAbort = (): void => reject(signal.reason)
    waiters.add(waiter)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([promise, failure.promise])
    } finally {
      waiters.delete(waiter)
      signal.removeEventListener('abort', onAbort)
    }
  }

  const stopAll = async (): Promise<void> => {
    const chain = running.get('chain')
    const others = [...running].filter(([name]) => name !== 'chain').map(([, child]) => child)
    await Promise.all(others.map((child) => stopOne(clock, child, graceMs)))
    if (chain) await stopOne(clock, chain, 1_000 as Ms)
  }

  return {
    start,
    waitFor,
    failed: failure.promise,
    stop: () => {
      stopping ??= stopAll()
      return stopping
    },
  }
}

async function stopOne(clock: Clock, child: ChildProcess, grace: Ms): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  using deadline = startDeadline({
    clock,
    ms: grace,
    parent: new AbortController().signal,
    reason: () => new Error('grace is over'),
  })
  deadline.signal.addEventListener('abort', () => child.kill('SIGKILL'), { once: true })
  await exited
}

/** Reads a pino line; null for anything else. */
export function parseEvent(process: string, line: string): LogEvent | null {
  if (!line.startsWith('{')) return null
  try {
    const fields = JSON.parse(line) as Record<string, unknown>
    return typeof fields.event === 'string' ? { process, event: fields.event, fields } : null
  } catch {
    return null
  }
}

const ended = (name: string, how: string, tail: readonly string[] = []): SubnetError =>
  tail.some((line) => line.startsWith('CHAIN_OTHER_GENESIS:'))
    ? otherNet()
    : new SubnetError({
        code: 'UP_PROCESS_ENDED',
        message: `process ${name} ended by itself (${how}); its last lines:\n${tail.map((line) => `  ${line}`).join('\n')}`,
      })

const otherNet = (): SubnetError =>
  new SubnetError({
    code: 'UP_OTHER_NET',
    message:
      'the data folder holds a net of another kind: its blocks take another time, or its runtime is another one; throw it away with --fresh, or name another folder with --data',
  })
