import type { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex, toHex } from '@arbor/shared/hex'
import type { SignedHead } from '@arbor/shared/tree-head'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'

/** Whose log it is. */
export interface LogOwner {
  readonly genesisHash: Hex
  readonly netuid: NetUid
  readonly hotkey: Ss58
}

/** A head that the chain holds, and in which block it was read there. */
export interface AnchoredHead {
  readonly head: SignedHead
  readonly anchoredAt: Block
}

/** The heads that a validator signed of its log. */
export interface LogHeads {
  newest(): SignedHead | null
  /** The head of exactly this size. */
  at(size: number): SignedHead | null
  /** The largest head that was read back from the chain. */
  anchored(): AnchoredHead | null
  /**
   * Keeps a head. The same once more changes nothing.
   * @throws LOG_EQUIVOCATION when one of this size with another root was signed, or a larger one
   */
  add(head: SignedHead): void
  /** Notes that the chain holds the head of this size. */
  setAnchored(size: number, block: Block): void
}

/** Reads and writes the heads of a ledger's log. */
export const headsOf = (db: DatabaseSync, owner: LogOwner): LogHeads => {
  const headIn = (row: Record<string, unknown> | undefined): SignedHead | null =>
    row === undefined
      ? null
      : {
          genesisHash: owner.genesisHash,
          netuid: owner.netuid,
          hotkey: owner.hotkey,
          size: Number(row.size),
          root: toHex(row.root as Uint8Array),
          block: Number(row.block) as Block,
          signature: toHex(row.signature as Uint8Array),
        }
  const newest = db.prepare('SELECT * FROM log_heads ORDER BY size DESC LIMIT 1')
  const at = db.prepare('SELECT * FROM log_heads WHERE size = ?')
  const anchored = db.prepare('SELECT * FROM log_heads WHERE anchored_at IS NOT NULL ORDER BY size DESC LIMIT 1')
  return {
    newest: () => headIn(newest.get()),
    at: (size) => headIn(at.get(size)),
    anchored: () => {
      const row = anchored.get()
      const head = headIn(row)
      return row === undefined || head === null ? null : { head, anchoredAt: Number(row.anchored_at) as Block }
    },
    add: (head) => {
      const held = headIn(newest.get())
      if (held !== null && (held.size > head.size || (held.size === head.size && held.root !== head.root)))
        throw new SubnetError({
          code: 'LOG_EQUIVOCATION',
          message: `a head of ${head.size} entries with root ${head.root} would contradict the one of ${held.size} entries with root ${held.root} that was signed; restore the newest copy of ledger.sqlite`,
          details: { size: head.size, root: head.root, signedSize: held.size, signedRoot: held.root },
        })
      if (held?.size === head.size) return
      db.prepare('INSERT INTO log_heads (size, root, block, signature) VALUES (?, ?, ?, ?)').run(
        head.size,
        fromHex(head.root, 32),
        head.block,
        fromHex(head.signature, 64),
      )
    },
    setAnchored: (size, block) =>
      void db.prepare('UPDATE log_heads SET anchored_at = ? WHERE size = ? AND anchored_at IS NULL').run(block, size),
  }
}
