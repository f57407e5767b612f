import { Worker } from 'node:worker_threads'
import { SubnetError } from '@arbor/shared/errors'
import type { LogCheck } from './check.ts'
import type { CheckAnswer, CheckTask } from './check-thread.ts'

/**
 * Checks a whole log in a thread with a connection of its own, so that rounds go on meanwhile.
 * @throws LOG_EDITED, LOG_TRUNCATED, LOG_OTHER
 */
export const checkInThread = async (task: CheckTask, signal: AbortSignal): Promise<LogCheck> => {
  signal.throwIfAborted()
  const worker = new Worker(new URL('./check-thread.ts', import.meta.url), { workerData: task, name: 'log-check' })
  const answered = Promise.withResolvers<CheckAnswer>()
  worker.once('message', answered.resolve)
  worker.once('error', answered.reject)
  worker.once('exit', () => answered.reject(new Error('the thread ended without an answer')))
  const stop = (): void => answered.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    const answer = await answered.promise
    if (answer.ok) return answer.check
    throw new SubnetError(answer)
  } finally {
    signal.removeEventListener('abort', stop)
    await worker.terminate()
  }
}
