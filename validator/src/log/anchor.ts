import { type RecordKeeper, type RecordOutcome, readRecord } from '@arbor/chain/client/committed-record'
import type { ChainClient } from '@arbor/chain/client/types'
import { type Anchor, encodeAnchor, readAnchor } from '@arbor/shared/tree-head'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'

/** An anchor as the chain holds it. */
export interface Anchored extends Anchor {
  /** Block in which the record that has it was set last, for this field or another. */
  readonly block: Block
}

/** What a hotkey has committed in a subnet. */
export type Committed =
  | { readonly kind: 'anchor'; readonly anchor: Anchored }
  /** Something else than an anchor of ours. */
  | { readonly kind: 'other' }
  | { readonly kind: 'none' }

interface Whose {
  readonly chain: Pick<ChainClient, 'read'>
  readonly netuid: NetUid
  readonly hotkey: Ss58
  /** Hash of the block at which it is read; the best one when absent. */
  readonly at?: Hex
}

/** Reads what a hotkey has committed: the anchor is whichever field of its record begins as one. */
export const readCommitted = async (of: Whose): Promise<Committed> => {
  const record = await readRecord(of)
  if (record === null) return { kind: 'none' }
  const anchor = record.raw.map(readAnchor).find((found) => found !== null)
  return anchor === undefined ? { kind: 'other' } : { kind: 'anchor', anchor: { ...anchor, block: record.block } }
}

/** Reads where a validator's log is anchored; null where it has committed nothing, or something else. */
export const readAnchored = async (of: Whose): Promise<Anchored | null> => {
  const committed = await readCommitted(of)
  return committed.kind === 'anchor' ? committed.anchor : null
}

/** Commits an anchor in the place of the one before, and waits until it is final; other fields of the record stay. */
export const setAnchor = (of: {
  readonly record: RecordKeeper
  readonly anchor: Anchor
  readonly epochIndex: number
  readonly signal: AbortSignal
}): Promise<RecordOutcome> =>
  of.record.set({
    isOwn: (raw) => readAnchor(raw) !== null,
    fields: [encodeAnchor(of.anchor)],
    epochIndex: of.epochIndex,
    signal: of.signal,
  })
