import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { createLogger } from '@arbor/shared/log'
import { boundedServer, listenAt, type Place } from '../../relay/server.ts'
import type { ThreadMessage } from '../../serving-thread.ts'
import type { LogOwner } from '../heads.ts'
import { publicFiles } from './blobs.ts'
import { documentsOf } from './documents.ts'
import { createHandler } from './handler.ts'
import type { ServeLimits } from './limits.ts'

/** What the thread is given, and what it tells. */
export interface ServeTask {
  /** The ledger's file, and the data folder with the receipts. */
  readonly file: string
  readonly data: string
  readonly owner: LogOwner
  readonly place: Place
  readonly limits: ServeLimits
}
export type FromServer = ThreadMessage<{ readonly port: number }>

/** The thread that serves the log: it only reads, by a connection of its own, and whoever asks takes no time of the validator's main loop. */

if (parentPort === null) throw new Error('the log is served by a thread of the validator')
const parent = parentPort
const post = (message: FromServer): void => parent.postMessage(message)

const serve = async ({ file, data, owner, place, limits }: ServeTask): Promise<void> => {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 1_000 })
  const log = createLogger({
    name: 'receipts',
    level: 'info',
    destination: { write: (line) => post({ kind: 'log', line }) },
  })
  const { sockets, socketsPerAddress, idleMs, keepAliveMs, answerMs } = limits
  const http = boundedServer({
    limits: { sockets, socketsPerAddress, timeoutMs: idleMs, graceMs: 0 },
    handle: createHandler({
      documents: documentsOf({ db, owner, data, limits }),
      files: publicFiles({ db, folder: join(data, 'blobs') }),
      limits,
      clock: systemClock,
    }),
    log,
  })
  http.timeout = idleMs
  http.keepAliveTimeout = keepAliveMs
  http.maxRequestsPerSocket = Math.ceil(answerMs / 100)
  post({ kind: 'ready', port: await listenAt(http, place) })
  parent.once('message', () => {
    http.closeAllConnections()
    http.close(() => {
      db.close()
      parent.close()
    })
  })
}

try {
  await serve(workerData as ServeTask)
} catch (error) {
  if (!(error instanceof SubnetError)) throw error
  post({ kind: 'failed', code: error.code, message: error.message })
}
