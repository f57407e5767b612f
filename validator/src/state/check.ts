import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { attempt } from '@arbor/chain/store/guard'
import { inspectStore } from '@arbor/chain/store/inspect'
import type { StoreKind } from '@arbor/chain/store/kind'
import { connectReading } from '@arbor/chain/store/read'
import { SubnetError } from '@arbor/shared/errors'
import { exchangeId } from '../exchange.ts'
import { LEDGER } from '../ledger-schema.ts'
import { readReceipt } from '../receipt-schema.ts'
import { receiptFile } from '../receipts.ts'
import { TRAFFIC } from '../traffic.ts'
import { isTrainingReceipt, readTrainingReceipt } from '../training/receipt.ts'
import { mustBeSound } from './sound.ts'

/** What a check found of one thing that lies in a data folder. */
export interface Finding {
  readonly name: 'ledger' | 'log' | 'bodies' | 'traffic'
  readonly ok: boolean
  /** Why not. */
  readonly code?: string
  readonly message?: string
  /** Sizes and counts. */
  readonly facts: Readonly<Record<string, number | string | null>>
}

/**
 * Checks what a validator must not forget, whether it runs or not: the database's own structure and indexes, the log entry by entry against
 * its tree and its newest signed head, the tables that rows follow from against the log, each receipt that an entry names against its
 * hash, and the file of users' answers. Writes nothing, neither into a file nor beside one.
 */
export const checkData = (data: string): readonly Finding[] => {
  const file = join(data, 'ledger.sqlite')
  const ledger = finding('ledger', () => wholeStore(file, LEDGER))
  if (!ledger.ok) return [ledger, checkTraffic(data)]
  using open = reading(file)
  const { owner } = ledger.facts
  const log = finding('log', () => {
    const found = attempt(() => mustBeSound({ db: open.db, file, owner: String(owner) }), { kind: LEDGER, file })
    return found === null ? { schema: 'without a log' } : { ...found }
  })
  const bodies = finding('bodies', () => bodiesOf(open.db, data))
  return [ledger, log, bodies, checkTraffic(data)]
}

const checkTraffic = (data: string): Finding =>
  finding('traffic', () => {
    const file = join(data, 'traffic.sqlite')
    return existsSync(file) ? wholeStore(file, TRAFFIC) : { bytes: 0 }
  })

const wholeStore = (file: string, kind: StoreKind): Finding['facts'] => {
  const found = inspectStore({ file, kind, owner: null, depth: 'whole', untouched: true })
  if (found === null) {
    throw new SubnetError({
      code: 'STORE_MISSING',
      message: `there is no ${kind.name} at ${file}; name the validator's folder with --data`,
    })
  }
  return { bytes: statSync(file).size, schema: found.version, owner: found.owner }
}

/** Looks for the file of each receipt that an entry of the log names. One that is gone was let go of by its number or age. */
const bodiesOf = (db: DatabaseSync, data: string): Finding['facts'] => {
  const has = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'log_bodies'").get() !== undefined
  const counts = { present: 0, gone: 0 }
  if (!has) return counts
  for (const { receipt } of db.prepare('SELECT receipt FROM log_bodies').iterate()) {
    const id = Buffer.from(receipt as Uint8Array).toString('hex')
    const file = receiptFile(data, id)
    if (!existsSync(file)) counts.gone += 1
    else {
      mustBeBody(file, id)
      counts.present += 1
    }
  }
  return counts
}

/** @throws RECEIPT_EDITED, RECEIPT_UNREADABLE, RECEIPT_INVALID */
const mustBeBody = (file: string, id: string): void => {
  const text = readFileSync(file, 'utf8')
  if (isTrainingReceipt(text)) {
    if (readTrainingReceipt(text).id === id) return
  } else {
    const receipt = readReceipt(text)
    if (receipt.id === id && exchangeId(receipt.exchange) === id) return
  }
  throw new SubnetError({
    code: 'RECEIPT_EDITED',
    message: `the receipt ${file} is not the one that its name and the log say; restore it from a copy, or delete it`,
    details: { file },
  })
}

const reading = (file: string): Disposable & { readonly db: DatabaseSync } => {
  const db = connectReading({ file, untouched: true })
  return { db, [Symbol.dispose]: () => db.close() }
}

const finding = (name: Finding['name'], look: () => Finding['facts']): Finding => {
  try {
    return { name, ok: true, facts: look() }
  } catch (error) {
    if (!(error instanceof SubnetError)) throw error
    return { name, ok: false, code: error.code, message: error.message, facts: {} }
  }
}
