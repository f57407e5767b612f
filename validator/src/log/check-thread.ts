import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { SubnetError } from '@arbor/shared/errors'
import { checkLog, type LogCheck } from './check.ts'
import type { LogOwner } from './heads.ts'

/** What the thread is given, and what it answers. */
export interface CheckTask {
  readonly file: string
  readonly owner: LogOwner
}
export type CheckAnswer =
  | { readonly ok: true; readonly check: LogCheck }
  | ({ readonly ok: false } & Pick<SubnetError, 'code' | 'message' | 'details'>)

const answer = ({ file, owner }: CheckTask): CheckAnswer => {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  try {
    db.exec('BEGIN') // what is appended meanwhile is not looked at
    return { ok: true, check: checkLog(db, owner) }
  } catch (error) {
    if (!(error instanceof SubnetError)) throw error
    const { code, message, details } = error
    return { ok: false, code, message, details }
  } finally {
    db.close()
  }
}

parentPort?.postMessage(answer(workerData as CheckTask))
