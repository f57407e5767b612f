import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'

/** A kind of SQLite file: what it is called, how it is known again, and how its tables came to be. */
export interface StoreKind {
  /** As errors call it: "ledger". */
  readonly name: string
  /** Four letters that stand in the file's header as its `application_id`. */
  readonly mark: string
  /** A table that files of this kind had before their header named it. */
  readonly table: string
  /** SQL that takes the tables one version further each; one that was released is never edited. All make a `meta (key, value)`. */
  readonly migrations: readonly string[]
  /** `NORMAL` where what a power cut takes with it is not worth a flush of every write; a kill takes nothing in either. */
  readonly synchronous?: 'FULL' | 'NORMAL'
  /** What to do when a file is of no use, as the end of a sentence. */
  readonly remedy: string
}

/** Whom a store belongs to; null where several share it. */
export interface StoreOwner {
  readonly genesisHash: Hex
  /** Absent where a store serves all subnets. */
  readonly netuid?: NetUid
  readonly hotkey: Ss58
}

/** A store of which an error speaks. */
export interface StoreName {
  readonly kind: Pick<StoreKind, 'name' | 'remedy'>
  readonly file: string
}

/** Encodes a mark as SQLite keeps it: a signed 32-bit number. */
export const applicationId = ({ mark }: Pick<StoreKind, 'mark'>): number => Buffer.from(mark, 'ascii').readInt32BE()

/** Writes an owner as it stands in the file. */
export const ownerText = ({ genesisHash, netuid, hotkey }: StoreOwner): string =>
  (netuid === undefined ? [genesisHash, hotkey] : [genesisHash, netuid, hotkey]).join(' ')
