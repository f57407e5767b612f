import type { MessagePort } from 'node:worker_threads'
import { SubnetError } from '@arbor/shared/errors'
import { type Outcome, toPlainError } from './protocol.ts'
import type { WorkerHandler } from './worker-context.ts'

/** One job as the child hands it to a worker thread. */
export interface WorkerTask {
  readonly worker: string
  readonly workerData: unknown
  readonly job: unknown
  /** Progress goes out and one message, the abort, comes in. */
  readonly port: MessagePort
}

const handlers = new Map<string, Promise<WorkerHandler<unknown, unknown>>>()

/** Runs one job in this thread with the module that the task names. */
const runTask = async ({ worker, workerData, job, port }: WorkerTask): Promise<Outcome> => {
  const controller = new AbortController()
  port.once('message', () => controller.abort())
  try {
    const handler = await handlerOf(worker)
    const progress = (value: unknown): void => port.postMessage(value)
    return { ok: true, value: await handler(job, { workerData, signal: controller.signal, progress }) }
  } catch (error) {
    return { ok: false, error: toPlainError(error) }
  } finally {
    port.close()
  }
}

const handlerOf = (url: string): Promise<WorkerHandler<unknown, unknown>> => {
  const known = handlers.get(url)
  if (known !== undefined) return known
  const loading = import(url).then((module: { default?: unknown }) => {
    if (typeof module.default === 'function') return module.default as WorkerHandler<unknown, unknown>
    throw new SubnetError({
      code: 'ENGINE_JOB_FAILED',
      message: `The worker module ${url} has no function as default export; export one`,
      details: { url },
    })
  })
  handlers.set(url, loading)
  return loading
}

export default runTask
