import { statSync } from 'node:fs'
import type { LinkStatus } from '@arbor/chain/client/link'
import type { ReceiptLog } from '../log/log.ts'
import type { Readings } from './metrics.ts'

/** Reads the state of the connection to the chain. */
export const readLink = ({ reconnects, failovers, endpoint }: LinkStatus): ReturnType<Readings['link']> => ({
  reconnects,
  failovers,
  isConnected: endpoint !== null,
})

/** Reads how large the log of receipts is. @param file the ledger that holds it */
export const readLog = (log: Pick<ReceiptLog, 'extent'>, file: string): ReturnType<Readings['log']> => ({
  entries: log.extent().size,
  bytes: sizeOf(file) + sizeOf(`${file}-wal`),
})

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0
