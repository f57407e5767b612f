import { setCommitment } from '@arbor/chain/client/calls'
import type { ChainClient } from '@arbor/chain/client/types'
import { fromHex, isHex } from '@arbor/shared/hex'
import type { Signer } from '@arbor/shared/signer'
import { type Anchor, encodeAnchor, readAnchor } from '@arbor/shared/tree-head'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'

/** An anchor as the chain holds it. */
export interface Anchored extends Anchor {
  /** Block in which it was set. */
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

/** Reads what a hotkey has committed. */
export const readCommitted = async ({ chain, netuid, hotkey, at }: Whose): Promise<Committed> => {
  const held = await chain.read('Commitments', 'CommitmentOf', [netuid, hotkey], at)
  if (typeof held !== 'object' || held === null) return { kind: 'none' }
  const { block, info } = held as { readonly block?: unknown; readonly info?: { readonly fields?: unknown } }
  const [field, ...more] = Array.isArray(info?.fields) ? (info.fields as readonly unknown[]) : []
  const bytes = more.length === 0 ? rawOf(field) : null
  const anchor = bytes === null ? null : readAnchor(bytes)
  return anchor === null ? { kind: 'other' } : { kind: 'anchor', anchor: { ...anchor, block: Number(block) as Block } }
}

/** Reads where a validator's log is anchored; null where it has committed nothing, or something else. */
export const readAnchored = async (of: Whose): Promise<Anchored | null> => {
  const committed = await readCommitted(of)
  return committed.kind === 'anchor' ? committed.anchor : null
}

/** Bytes of a field of plain bytes, which is called by their number: Raw0 to Raw128. */
const rawOf = (field: unknown): Uint8Array | null => {
  const [[name, value] = ['', null]] = Object.entries(field ?? {})
  return /^Raw\d{1,3}$/.test(name) && typeof value === 'string' && isHex(value) ? fromHex(value) : null
}

/** Least bytes that a record counts for. @source chain/pallets/commitments/src/lib.rs MIN_COUNTED_BYTES */
const MIN_COUNTED = 100

/** Tells whether the chain lets a hotkey write so many bytes more in this epoch: a refused record would make its weights wait. */
export const hasSpace = async (
  { chain, netuid, hotkey, at }: Whose,
  of: { readonly bytes: number; readonly epochIndex: number },
): Promise<boolean> => {
  const [most, used] = await Promise.all([
    chain.read('Commitments', 'MaxSpace', [], at),
    chain.read('Commitments', 'UsedSpaceOf', [netuid, hotkey], at),
  ])
  const { last_epoch, used_space } = (used ?? {}) as { readonly last_epoch?: bigint; readonly used_space?: bigint }
  const spent = Number(last_epoch ?? -1n) === of.epochIndex ? Number(used_space ?? 0n) : 0
  return spent + Math.max(of.bytes, MIN_COUNTED) <= Number(most ?? Number.MAX_SAFE_INTEGER)
}

/** What setting an anchor came to; `refused` says the chain's reason. */
export type AnchorOutcome =
  | { readonly kind: 'set'; readonly block: Block; readonly hash: Hex }
  | { readonly kind: 'refused'; readonly error: string }

/** Commits an anchor, and waits until it is final. */
export const setAnchor = async (of: {
  readonly chain: Pick<ChainClient, 'submit'>
  readonly netuid: NetUid
  readonly hotkey: Signer
  readonly anchor: Anchor
  readonly signal: AbortSignal
}): Promise<AnchorOutcome> => {
  const { chain, netuid, hotkey, anchor, signal } = of
  const call = setCommitment({ netuid, bytes: encodeAnchor(anchor) })
  const outcome = await chain.submit(call, { signer: hotkey, waitFor: 'finalised', signal })
  if ('error' in outcome) return { kind: 'refused', error: outcome.error }
  return { kind: 'set', block: outcome.block.number, hash: outcome.block.hash }
}
