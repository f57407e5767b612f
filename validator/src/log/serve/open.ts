import { Worker } from 'node:worker_threads'
import { SubnetError } from '@arbor/shared/errors'
import type { Loop } from '@arbor/shared/supervise'
import type { Logger } from 'pino'
import { SERVE_LIMITS, type ServeLimits } from './limits.ts'
import type { FromServer, ServeTask } from './thread.ts'

/** The thread that serves a validator's log. */
export interface LogServer {
  readonly port: number
  /** Resolves when the signal aborts. @throws LOG_SERVER_ENDED when the thread ends before */
  readonly loop: Loop
  close(): Promise<void>
}

/**
 * Starts to serve a log.
 * @throws RELAY_PORT_IN_USE, RELAY_ADDRESS, LOG_SERVER_ENDED
 */
export const openLogServer = async (
  of: Omit<ServeTask, 'limits'> & { readonly limits?: ServeLimits; readonly log: Logger },
): Promise<LogServer> => {
  const { log, limits = SERVE_LIMITS, ...task } = of
  const workerData: ServeTask = { ...task, limits }
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData, name: 'receipts' })
  const ready = Promise.withResolvers<number>()
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => undefined) // the loop hears it, or nobody needs to
  worker.on('message', (message: FromServer) => {
    if (message.kind === 'ready') ready.resolve(message.port)
    else if (message.kind === 'failed') ready.reject(new SubnetError(message))
    else tell(log, message.line)
  })
  const fail = (cause: unknown): void => {
    const error = new SubnetError({
      code: 'LOG_SERVER_ENDED',
      message: `The thread that serves the receipts ended: ${cause instanceof Error ? cause.message : 'it returned'}; start the validator again and report this`,
      cause,
    })
    ready.reject(error)
    ended.reject(error)
  }
  worker.once('error', fail)
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      fail(null)
      resolve()
    })
  })
  const port = await ready.promise.catch(async (error: unknown) => {
    await worker.terminate()
    throw error
  })
  worker.unref() // a validator that fails to start does not stay for it
  return {
    port,
    loop: (signal) =>
      Promise.race([
        ended.promise,
        new Promise<void>((resolve) => {
          if (signal.aborted) resolve()
          else signal.addEventListener('abort', () => resolve(), { once: true })
        }),
      ]),
    close: async () => {
      worker.postMessage('close')
      await exited
    },
  }
}

/** Writes a line of the thread's log as one of ours. */
const tell = (log: Logger, line: string): void => {
  const { level, msg, time: _, name: __, ...fields } = JSON.parse(line)
  if (level === 'warn' || level === 'error') log[level as 'warn' | 'error'](fields, msg)
  else log.info(fields, msg)
}
