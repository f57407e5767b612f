import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import type { Check, CheckShare } from '@arbor/shared/inference'
import type { Block, Hex, Ss58, UnixMs } from '@arbor/shared/units'
import type { Verdict } from '@arbor/subnet-spec/define'
import type { Exchange } from './exchange.ts'
import type { TrainingReceipt } from './training/receipt.ts'

/** The block that chose what was looked at. */
export interface DrawnBy {
  readonly block: { readonly number: Block; readonly hash: Hex }
  /** 32 bytes made of the block's hash, the answer's and the miner's key. */
  readonly draw: Hex
}

/** A judged answer, so that anyone can judge it again. */
export interface Receipt {
  readonly format: typeof RECEIPT_FORMAT
  /** SHA-256 of the exchange as canonical JSON. */
  readonly id: string
  readonly exchange: Exchange
  /** Null where no block was there in time; all of the answer was looked at then. */
  readonly drawn: DrawnBy | null
  /** How much was looked at; null for all. */
  readonly share: CheckShare | null
  readonly verdict: Verdict
  /** What the engine measured; null where it was not asked. */
  readonly check: Check | null
  readonly judgedBy: Ss58
  readonly judgedAt: UnixMs
}

export const RECEIPT_FORMAT = 'arbor/receipt/1'
/** Two weeks of 256 miners are ten times as many; failures are a small part of these. */
export const KEPT_RECEIPTS = 10_000
/** Bytes of receipts that are kept; most have a few KB. */
export const KEPT_RECEIPT_BYTES = 2 * 2 ** 30
/** A receipt that would be larger is not kept, so that all of them have a bound. */
const MAX_BYTES = 2 ** 20

/** A folder of receipts, by id. */
export interface Receipts {
  /**
   * Writes a receipt at once, as a whole or not at all; the oldest go when there are too many, or too many bytes.
   * @throws RECEIPTS_UNWRITABLE, as on a full disk; nothing of it is there then
   */
  write(receipt: Receipt): void
  /** Writes the receipt of a judged update, among the others. @throws RECEIPTS_UNWRITABLE */
  writeUpdate(receipt: TrainingReceipt): void
  /** Removes those that are no longer of use. */
  forget(ids: readonly string[]): void
}

/** Keeps nothing. */
export const noReceipts: Receipts = { write: () => undefined, writeUpdate: () => undefined, forget: () => undefined }

/** Says where a receipt lies in a data folder. */
export const receiptFile = (data: string, id: string): string => join(data, 'receipts', id.slice(0, 2), `${id}.json`)

/**
 * Opens the receipts of a validator's data folder.
 * @param of.most receipts that are kept
 * @param of.mostBytes bytes that they have at most
 * @throws RECEIPTS_UNWRITABLE when the folder cannot be used
 */
export function openReceipts({
  data,
  most,
  mostBytes = KEPT_RECEIPT_BYTES,
}: {
  readonly data: string
  readonly most: number
  readonly mostBytes?: number
}): Receipts {
  const folder = join(data, 'receipts')
  const kept = guarded(folder, () => listed(folder))
  let bytes = [...kept.values()].reduce((sum, each) => sum + each, 0)
  const remove = (file: string): void => {
    rmSync(file, { force: true })
    bytes -= kept.get(file) ?? 0
    kept.delete(file)
  }
  const write = (receipt: Receipt | TrainingReceipt): void => {
    const text = `${JSON.stringify(receipt, null, 1)}\n`
    const size = Buffer.byteLength(text)
    if (size > MAX_BYTES) return
    const file = receiptFile(data, receipt.id)
    guarded(folder, () => {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      put(file, text)
      bytes += size - (kept.get(file) ?? 0)
      kept.delete(file)
      kept.set(file, size)
      for (const oldest of kept.keys()) {
        if (kept.size <= most && bytes <= mostBytes) break
        remove(oldest)
      }
    })
  }
  return {
    write,
    writeUpdate: write,
    forget: (ids) => {
      for (const file of ids.map((id) => receiptFile(data, id))) if (kept.has(file)) remove(file)
    },
  }
}

/** Puts a file there as a whole; where that fails, nothing of it stays. */
function put(file: string, text: string): void {
  const part = `${file}.part`
  try {
    writeFileSync(part, text, { mode: 0o600 })
    renameSync(part, file)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}

/** Lists the receipts and their bytes, oldest first; what a killed process had not finished goes. */
function listed(folder: string): Map<string, number> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  for (const part of files.filter((file) => file.endsWith('.part'))) rmSync(part, { force: true })
  const aged = files
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({ file, stat: statSync(file) }))
    .sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs)
  return new Map(aged.map(({ file, stat }) => [file, stat.size]))
}

function guarded<T>(folder: string, body: () => T): T {
  try {
    return body()
  } catch (cause) {
    throw new SubnetError({
      code: 'RECEIPTS_UNWRITABLE',
      message: `receipts cannot be written to ${folder}: ${cause instanceof Error ? cause.message : String(cause)}; make room, or set --receipts 0`,
      cause,
    })
  }
}
