import type { BlockRef } from '@arbor/chain/client/types'
import type { Block, Hex } from '@arbor/shared/units'
import type { LedgerPart } from './ledger-part.ts'

/** The newest final block that a validator has seen. It outlives the process: one that ended because of another fork knows it when it is back. */
export interface SeenLedger {
  /** Null before the first. */
  newestSeen(): BlockRef | null
  keepSeen(block: BlockRef): void
}

/** Makes the part of a ledger that remembers the newest final block. */
export function seenLedger({ db }: Pick<LedgerPart, 'db'>): SeenLedger {
  const read = db.prepare("SELECT value FROM meta WHERE key = 'seen'")
  const write = db.prepare(
    "INSERT INTO meta (key, value) VALUES ('seen', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  )
  return {
    newestSeen: () => {
      const row = read.get()
      if (row === undefined) return null
      const [number, hash] = String(row.value).split(' ')
      return { number: Number(number) as Block, hash: hash as Hex }
    },
    keepSeen: ({ number, hash }) => void write.run(`${number} ${hash}`),
  }
}
