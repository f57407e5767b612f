import { Worker } from 'node:worker_threads'
import { aborted } from '@arbor/shared/aborted'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from 'pino'

/** What a serving thread tells besides messages of its own. */
export type ThreadMessage<Ready> =
  | ({ readonly kind: 'ready' } & Ready)
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'log'; readonly line: string }

/** A thread that listens. */
export interface ServingThread<Ready> {
  readonly ready: Ready
  readonly worker: Worker
  /** Resolves when the signal aborts; rejects when the thread ends before. */
  run(signal: AbortSignal): Promise<void>
  /** Asks the thread to close, and waits for its end. */
  close(message: unknown): Promise<void>
}

/**
 * Starts a thread and waits until it listens.
 * @param of.ended makes the error of a thread that ended by itself, of the reason in words
 * @param of.onMessage hears what is of the thread's own kinds
 * @throws what the thread says, and `of.ended`
 */
export const startServing = async <Ready, Own extends { readonly kind: string } = never>(of: {
  readonly url: URL
  readonly name: string
  readonly workerData: unknown
  readonly ended: (why: string, cause: unknown) => SubnetError
  readonly log: Logger
  readonly onMessage?: (message: Own) => void
}): Promise<ServingThread<Ready>> => {
  const { url, name, workerData, log } = of
  const worker = new Worker(url, { workerData, name })
  const started = Promise.withResolvers<Ready>()
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => undefined) // `run` hears it, or nobody needs to
  worker.on('message', (message: ThreadMessage<Ready> | Own) => {
    if (isReady<Ready>(message)) started.resolve(message)
    else if (isFailed(message)) started.reject(new SubnetError(message))
    else if (isLine(message)) tell(log, message.line)
    else of.onMessage?.(message as Own)
  })
  const fail = (cause: unknown): void => {
    const error = of.ended(cause instanceof Error ? cause.message : 'it returned', cause)
    started.reject(error)
    ended.reject(error)
  }
  worker.once('error', fail)
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      fail(null)
      resolve()
    })
  })
  const ready = await started.promise.catch(async (error: unknown) => {
    await worker.terminate()
    throw error
  })
  return {
    ready,
    worker,
    run: (signal) => Promise.race([ended.promise, aborted(signal)]),
    close: async (message) => {
      worker.postMessage(message)
      await exited
    },
  }
}

type Kind = { readonly kind: string }
type Of<K extends string> = Extract<ThreadMessage<unknown>, { readonly kind: K }>
const isReady = <Ready>(message: Kind): message is Kind & Ready => message.kind === 'ready'
const isFailed = (message: Kind): message is Of<'failed'> => message.kind === 'failed'
const isLine = (message: Kind): message is Of<'log'> => message.kind === 'log'

/** Writes a line of the thread's log as one of ours. */
const tell = (log: Logger, line: string): void => {
  const { level, msg, time: _time, name: _name, ...fields } = JSON.parse(line)
  if (level === 'warn' || level === 'error') log[level as 'warn' | 'error'](fields, msg)
  else log.info(fields, msg)
}
