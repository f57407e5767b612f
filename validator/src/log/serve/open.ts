import { SubnetError } from '@arbor/shared/errors'
import type { Loop } from '@arbor/shared/supervise'
import type { Logger } from 'pino'
import { startServing } from '../../serving-thread.ts'
import { SERVE_LIMITS, type ServeLimits } from './limits.ts'
import type { ServeTask } from './thread.ts'

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
  const url = new URL('./thread.ts', import.meta.url)
  const { ready, worker, run, close } = await startServing<{ readonly port: number }>({
    url,
    name: 'receipts',
    workerData,
    log,
    ended: (why, cause) =>
      new SubnetError({
        code: 'LOG_SERVER_ENDED',
        message: `The thread that serves the receipts ended: ${why}; start the validator again and report this`,
        cause,
      }),
  })
  worker.unref() // a validator that fails to start does not stay for it
  return { port: ready.port, loop: run, close: () => close('close') }
}
