import { writeSync } from 'node:fs'
import process from 'node:process'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'
import { readAlarmFile, writeAlarmFile } from './alarm-file.ts'
import { openBoard } from './board.ts'
import { type Document, jsonDocument } from './document.ts'
import { createWatch } from './liveness.ts'
import type { Asked, FromGuard, GuardData, ToGuard } from './messages.ts'
import { noticeBody } from './notice.ts'
import { createPoster, type Poster } from './poster.ts'

/**
 * The guard's thread: it answers for the process while the main thread cannot, ends the process when that hangs, and posts alarms.
 * Nothing here waits for the main thread without a bound. What few need is loaded where it is: Node's HTTP takes megabytes a thread.
 */

const TICK_MS = 500 as Ms
/** Time in which the main thread answers for itself. */
const ANSWER_MS = 3_000 as Ms
/** Time that the last notice has before the process is killed. */
const LAST_WORD_MS = 5_000

if (parentPort === null) throw new Error('the guard runs as a thread of the validator')
const port = parentPort
const data = workerData as GuardData
const clock = systemClock
const post = (message: FromGuard): void => port.postMessage(message)
const stop = new AbortController()

const watch = createWatch({
  watched: openBoard(data.board),
  clock,
  hangMs: data.hangMs,
  stopMs: data.stopMs,
  tickMs: TICK_MS,
})

const poster: Poster | null =
  data.webhook === null
    ? null
    : createPoster({
        post: (await import('./webhook.ts')).createPost({ url: new URL(data.webhook), clock }),
        clock,
        signal: stop.signal,
        onGivenUp: (text) => post({ kind: 'log', level: 'warn', event: 'alarm.lost', text }),
      })

const asked = new Map<number, (document: Document) => void>()
let questions = 0
const ask = async (what: Asked): Promise<Document> => {
  const id = questions++
  const { promise, resolve } = Promise.withResolvers<Document>()
  const answered = new AbortController()
  asked.set(id, resolve)
  post({ kind: 'ask', id, what })
  const silent = clock.sleep(ANSWER_MS, answered.signal).then(
    () => jsonDocument(503, { ready: false, code: 'VALIDATOR_HUNG', silentSeconds: watch.status().silentSeconds }),
    () => promise,
  )
  const document = await Promise.race([promise, silent])
  answered.abort()
  asked.delete(id)
  return document
}

/** Ends this process: SIGKILL, since a main thread that hangs runs no handler. */
const kill = async (reason: SubnetError): Promise<void> => {
  writeSync(2, `${reason.code}: ${reason.message}\n`) // stderr goes through the main thread otherwise
  await lastWord(`the process is killed: ${reason.code}: ${reason.message}`)
  process.kill(process.pid, 'SIGKILL')
}

/** Tells of the end what the main thread cannot tell, unless an end was told lately. */
const lastWord = async (message: string): Promise<void> => {
  const { alarms } = data
  if (poster === null || alarms === null) return
  const { firing } = readAlarmFile(alarms)
  const at = clock.now()
  writeAlarmFile(alarms, { isRunning: false, firing: { ...firing, ended: firing.ended ?? { since: at, message } } })
  if (firing.ended !== undefined) return
  poster.add(noticeBody({ alarm: 'ended', state: 'firing', at, message }, data.about))
  await poster.drain(LAST_WORD_MS)
}

const watching = async (): Promise<void> => {
  while (!stop.signal.aborted) {
    const reason = watch.look()
    if (reason !== null) return kill(reason)
    await clock.sleep(TICK_MS, stop.signal).catch(() => undefined)
  }
}

const server =
  data.health === null
    ? null
    : await (await import('./server.ts'))
        .serveHealth({ place: data.health, status: watch.status, ask })
        .catch((error: unknown) => {
          if (!(error instanceof SubnetError)) throw error
          post({ kind: 'failed', code: error.code, message: error.message })
          return null
        })

port.on('message', (message: ToGuard) => {
  switch (message.kind) {
    case 'loop':
      return watch.add(message.number, message.bounds)
    case 'answer':
      return asked.get(message.id)?.(message)
    case 'notice':
      return poster?.add(message.body)
    case 'close':
      return void close()
  }
})

const close = async (): Promise<void> => {
  await poster?.drain(LAST_WORD_MS)
  server?.close()
  post({ kind: 'closed' }) // the watch goes on: what is left of stopping may hang, too
}

post({ kind: 'listening', port: server?.port ?? 0 })
await watching()
