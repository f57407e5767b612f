import '../runtime-env.ts'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { systemClock } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'
import { Piscina } from 'piscina'
import { type ChildSetup, type Outcome, type ToChild, type ToParent, toPlainError } from './protocol.ts'
import type { WorkerTask } from './worker.ts'

/**
 * The process that native inference may bring down: it hosts the worker threads, and everything it knows, the parent knows too.
 * Ending a thread while onnxruntime computes aborts the process, so jobs are asked to stop and waited for, never cut off.
 */

/** Time that jobs get to stop after the parent is gone. */
const ORPHAN_GRACE_MS = 2_000 as Ms

interface Hosted {
  readonly setup: ChildSetup
  readonly pool: Piscina<WorkerTask, Outcome>
}

const ports = new Map<number, MessagePort>()
const running = new Set<Promise<void>>()
let hosted: Hosted | undefined

const send = (message: ToParent): void => {
  if (process.connected) process.send?.(message)
}

const start = (setup: ChildSetup): void => {
  const pool = new Piscina<WorkerTask, Outcome>({
    filename: new URL('./worker.ts', import.meta.url).href,
    minThreads: setup.threads,
    maxThreads: setup.threads,
    concurrentTasksPerWorker: setup.jobsPerThread,
    maxQueue: setup.threads * setup.jobsPerThread, // the parent sends no more than may run
    atomics: 'disabled', // a thread must hear an abort while its job awaits
  })
  hosted = { setup, pool }
}

const run = async (id: number, job: unknown): Promise<void> => {
  const { port1, port2 } = new MessageChannel()
  ports.set(id, port1)
  port1.on('message', (value: unknown) => send({ kind: 'progress', id, value }))
  const drained = new Promise<void>((resolve) => port1.once('close', resolve))
  const outcome = await execute(job, port2)
  if (outcome.answered) await drained // progress posted before the end arrives before it
  ports.delete(id)
  port1.close()
  send({ kind: 'settled', id, outcome: outcome.value })
}

const execute = async (job: unknown, port: MessagePort): Promise<{ answered: boolean; value: Outcome }> => {
  try {
    if (hosted === undefined) throw new Error('a job came before the setup')
    const { setup, pool } = hosted
    const task: WorkerTask = { worker: setup.worker, workerData: setup.workerData, job, port }
    return { answered: true, value: await pool.run(task, { transferList: [port] }) }
  } catch (error) {
    // The thread itself ended: an uncaught error, its memory limit, or process.exit.
    const plain = toPlainError(error)
    return { answered: false, value: { ok: false, error: { ...plain, code: 'ENGINE_CRASHED', retryable: true } } }
  }
}

const close = async (): Promise<void> => {
  await Promise.all(running)
  await hosted?.pool.close()
  process.exit(0)
}

process.on('message', (message: ToChild) => {
  if (message.kind === 'start') start(message.setup)
  else if (message.kind === 'abort') ports.get(message.id)?.postMessage('abort')
  else if (message.kind === 'close') void close()
  else {
    const job = run(message.id, message.job).finally(() => running.delete(job))
    running.add(job)
  }
})

process.on('disconnect', async () => {
  for (const port of ports.values()) port.postMessage('abort')
  await Promise.race([Promise.all(running), systemClock.sleep(ORPHAN_GRACE_MS, new AbortController().signal)])
  process.exit(0)
})

// A terminal's Ctrl-C reaches every process of its group; the parent decides when this one ends.
process.on('SIGINT', () => undefined)
