import { Worker } from 'node:worker_threads'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Loop, StepListener } from '@arbor/shared/supervise'
import type { Ms } from '@arbor/shared/units'
import type { Logger } from 'pino'
import { openBoard } from './board.ts'
import { type Document, jsonDocument } from './document.ts'
import type { LoopBounds } from './liveness.ts'
import type { Asked, FromGuard, GuardData, ToGuard } from './messages.ts'

/** The main thread's side of the thread that watches it. */
export interface Guard {
  /** Port of `--health`; 0 without. */
  readonly port: number
  /** Begins to watch a loop. */
  watch(bounds: LoopBounds): StepListener
  /** Says what the main thread answers. */
  answer(answers: Readonly<Record<Asked, () => Promise<Document>>>): void
  /** Posts a notice. */
  notify(body: string): void
  /** From here on, stopping has so much time and no more. */
  stopping(): void
  /** Ends when the guard's thread does, which ends the process: unwatched it would not be what was asked for. */
  readonly loop: Loop
  /** Waits until the notices are posted, and ends the thread. */
  close(): Promise<void>
}

/** The thread holds a few strings. */
const SMALL = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 }
const BEAT_MS = 1_000 as Ms
/** A thread that posts the last notices takes 5 s at most. */
const CLOSE_MS = 8_000 as Ms

/** Starts the guard's thread. @throws HEALTH_LISTEN */
export async function openGuard(
  of: Omit<GuardData, 'board'> & { readonly clock: Clock; readonly log: Logger },
): Promise<Guard> {
  const { clock, log, ...data } = of
  const board = openBoard()
  const workerData: GuardData = { ...data, board: board.buffer }
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData,
    name: 'guard',
    resourceLimits: SMALL,
  })
  const tell = (message: ToGuard): void => worker.postMessage(message)
  const listening = Promise.withResolvers<number>()
  const closed = Promise.withResolvers<void>()
  const died = Promise.withResolvers<never>()
  died.promise.catch(() => undefined)
  let answers: Readonly<Record<Asked, () => Promise<Document>>> | null = null
  let loops = 0
  const end = new AbortController()

  const respond = async (id: number, what: Asked): Promise<void> => {
    const starting = jsonDocument(503, { ready: false, code: 'VALIDATOR_STARTING' })
    const document = await (answers?.[what]() ?? Promise.resolve(starting)).catch((error: unknown) =>
      jsonDocument(500, { code: 'INTERNAL', message: String(error) }),
    )
    tell({ kind: 'answer', id, ...document })
  }
  worker.on('message', (message: FromGuard) => {
    if (message.kind === 'listening') listening.resolve(message.port)
    else if (message.kind === 'failed') listening.reject(new SubnetError(message))
    else if (message.kind === 'closed') closed.resolve()
    else if (message.kind === 'log') log[message.level]({ event: message.event }, message.text)
    else void respond(message.id, message.what)
  })
  const dead = (why: string): void => {
    const error = new SubnetError({
      code: 'HEALTH_GUARD_DEAD',
      message: `the thread that watches over the process ended: ${why}; start the process again and report this`,
    })
    listening.reject(error)
    died.reject(error)
    closed.resolve()
  }
  worker.on('error', (error) => dead(error.message))
  worker.on('exit', (code) => dead(`code ${code}`))
  worker.unref()
  const beating = async (): Promise<void> => {
    while (!end.signal.aborted) {
      board.beat()
      await clock.sleep(BEAT_MS, end.signal).catch(() => undefined)
    }
  }
  void beating()
  const close = async (): Promise<void> => {
    tell({ kind: 'close' })
    await Promise.race([closed.promise, clock.sleep(CLOSE_MS, end.signal).catch(() => undefined)])
    end.abort()
    await worker.terminate()
  }
  const port = await listening.promise.catch(async (error: unknown) => {
    end.abort()
    await worker.terminate()
    throw error
  })
  return {
    port,
    watch: (bounds) => {
      const number = loops++
      const listener = board.listener(number)
      tell({ kind: 'loop', number, bounds })
      return listener
    },
    answer: (given) => {
      answers = given
    },
    notify: (body) => tell({ kind: 'notice', body }),
    stopping: board.stopping,
    loop: (signal) =>
      Promise.race([
        died.promise,
        new Promise<void>((resolve) => {
          if (signal.aborted) resolve()
          else signal.addEventListener('abort', () => resolve(), { once: true })
        }),
      ]),
    close,
  }
}
