import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from 'pino'
import { isRight, type Signed } from './signature.ts'

/** Verifies signatures in a thread of its own. */
export interface VerifyThread {
  /** Starts the thread before the first signature comes: that takes some 0.5 s. */
  warm(): void
  /** @throws CHAIN_CHECKS_FULL when too many wait */
  verify(signed: Signed): Promise<boolean>
  close(): Promise<void>
}

/** A thread as this file uses it; tests give one that dies. */
export interface Thread {
  post(batch: readonly (readonly [number, Signed])[]): void
  stop(): Promise<unknown>
}

/** Starts a thread. `onAnswers` hears number and answer of each signature, `onDeath` is called once when it has ended. */
export type StartThread = (of: {
  readonly onAnswers: (answers: readonly (readonly [number, boolean])[]) => void
  readonly onDeath: (reason: unknown) => void
}) => Thread

/** 4 096 × 0.2 ms = 0.8 s of the thread's time. */
const MOST_WAITING = 4_096
/** Threads that may die one after the other without an answer; then signatures are verified here. */
const MOST_DEATHS = 3
/** Signatures verified here before others get their turn: 8 × 0.2 ms. */
const SLICE = 8

interface Waiting {
  readonly signed: Signed
  readonly resolve: (answer: boolean) => void
}

/**
 * Creates the service; the thread starts with the first signature, unless it is warmed before. When it dies, what waits is verified in this thread, in
 * slices, and a new one is started, up to three times in a row.
 */
export const createVerifyThread = ({
  log,
  start = startWorker,
  most = MOST_WAITING,
}: {
  readonly log: Logger
  readonly start?: StartThread
  readonly most?: number
}): VerifyThread => {
  const waiting = new Map<number, Waiting>()
  let unsent: (readonly [number, Signed])[] = []
  let thread: Thread | null = null
  let deaths = 0
  let asked = 0
  let isClosed = false

  const settle = (number: number, answer: boolean): void => {
    const entry = waiting.get(number)
    waiting.delete(number)
    entry?.resolve(answer)
  }
  const verifyHere = async (entries: readonly (readonly [number, Waiting])[]): Promise<void> => {
    for (const [index, [number, { signed }]] of entries.entries()) {
      if (index % SLICE === SLICE - 1) await turn()
      if (!waiting.has(number)) continue // another pass came first
      settle(number, isRight(signed))
    }
  }
  const onDeath = (dead: Thread | null, reason: unknown): void => {
    if (isClosed || thread !== dead) return
    thread = null
    deaths += 1
    log.warn(
      { event: 'chain.verify_thread_died', err: reason, deaths },
      deaths < MOST_DEATHS ? 'it is started again' : 'signatures are verified in the main thread from now on',
    )
    void verifyHere([...waiting])
  }
  const ensureThread = (): Thread | null => {
    if (thread !== null || deaths >= MOST_DEATHS) return thread
    const started: Thread = start({
      onAnswers: (answers) => {
        deaths = 0
        for (const [number, answer] of answers) settle(number, answer)
      },
      onDeath: (reason) => onDeath(started, reason),
    })
    thread = started
    return thread
  }
  const send = (): void => {
    const batch = unsent
    unsent = []
    const to = isClosed ? null : ensureThread()
    if (to !== null) to.post(batch)
    else void verifyHere([...waiting])
  }
  return {
    warm: () => void ensureThread(),
    verify: (signed) => {
      if (waiting.size >= most) return Promise.reject(full(most))
      asked += 1
      const number = asked
      // What comes in one turn of the loop goes to the thread together.
      if (unsent.length === 0) queueMicrotask(send)
      unsent.push([number, signed])
      return new Promise((resolve) => waiting.set(number, { signed, resolve }))
    },
    close: async () => {
      isClosed = true
      const last = thread
      thread = null
      await last?.stop()
      await verifyHere([...waiting])
    },
  }
}

const full = (most: number): SubnetError =>
  new SubnetError({
    code: 'CHAIN_CHECKS_FULL',
    message: `${most} signatures wait to be verified; submit again when some of them are through`,
    retryable: true,
  })

const startWorker: StartThread = ({ onAnswers, onDeath }) => {
  const worker = new Worker(new URL('verify-worker.ts', import.meta.url))
  worker.unref() // a chain that is forgotten must not keep its process alive
  worker.on('message', onAnswers)
  let reason: unknown = null
  worker.on('error', (error) => {
    reason = error
  })
  worker.once('exit', (code) => onDeath(reason ?? new Error(`the thread ended with ${code}`)))
  return { post: (batch) => worker.postMessage(batch), stop: () => worker.terminate() }
}
