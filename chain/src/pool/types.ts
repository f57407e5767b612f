import type { Clock } from '@arbor/shared/clock'
import type { Block, Hex } from '@arbor/shared/units'
import type { ExtrinsicSource, Reorg, StoredBlock, Validity } from '../embedded/types.ts'

/** Why the pool does not take an extrinsic. */
export type PoolRefusal =
  | { readonly reason: 'invalid' | 'unknown'; readonly validity: Extract<Validity, { valid: false }> }
  /** The runtime stopped on it: no extrinsic of this chain. */
  | { readonly reason: 'malformed'; readonly why: string }
  /** The runtime refused the same bytes a short time ago. */
  | { readonly reason: 'banned' }
  | { readonly reason: 'imported'; readonly hash: Hex }
  /** Another extrinsic with the same nonce is worth as much or more. */
  | { readonly reason: 'priority'; readonly held: bigint; readonly offered: bigint }
  /** The pool, or the sender's share of it, is full. */
  | { readonly reason: 'full' }
  | { readonly reason: 'no-tags' }

export type Submitted =
  | { readonly ok: true; readonly hash: Hex }
  | { readonly ok: false; readonly refusal: PoolRefusal }

/** What happens to a watched extrinsic; the last three kinds, `finalized` and `finalityTimeout` end the watch. */
export type PoolEvent =
  | { readonly kind: 'future' | 'ready' }
  /** The block that held it is no longer on the best chain; the extrinsic is offered again. */
  | { readonly kind: 'retracted'; readonly block: Hex }
  | { readonly kind: 'inBlock' | 'finalized' | 'finalityTimeout'; readonly block: Hex; readonly index: number }
  | { readonly kind: 'usurped'; readonly by: Hex }
  | { readonly kind: 'dropped' | 'invalid' }

export type PoolListener = (event: PoolEvent) => void

/** An extrinsic that the runtime called valid. Tags are the runtime's; FRAME's are (account, nonce). */
export interface PoolEntry {
  readonly hash: Hex
  readonly bytes: Uint8Array
  readonly priority: bigint
  readonly requires: readonly Hex[]
  readonly provides: readonly Hex[]
  /** First block at which the runtime's answer holds no more. */
  readonly validTill: bigint
  /** Order of arrival. */
  readonly order: number
  /** Who pays for the place: the account of the first tag, or the extrinsic itself. */
  readonly sender: string
  /** Best block at the last validation. */
  readonly checkedAt: Block
}

export interface PoolLimits {
  /** Extrinsics, ready and future together. */
  readonly count: number
  readonly bytes: number
  /** Extrinsics that wait for a nonce before theirs. */
  readonly future: number
  readonly perSender: number
  /** How long refused bytes are not looked at again. */
  readonly banMs: number
  readonly bans: number
  /** Held extrinsics that are validated again after each block, those checked longest ago first. */
  readonly revalidate: number
  /** Held extrinsics that are validated again when the best chain changes to another branch; blocks see to the rest. */
  readonly revalidateAtReorg: number
  /** Blocks after which a watch stops waiting for finality. */
  readonly finalityBlocks: number
}

/** Count and bytes are Substrate's defaults; a ban lasts 60 blocks of 1 s, where Substrate's 30 min are 300 of 6 s. */
export const defaultPoolLimits: PoolLimits = {
  count: 8_192,
  bytes: 20 * 1024 * 1024,
  future: 1_024,
  perSender: 2_048,
  banMs: 60_000,
  bans: 4_096,
  revalidate: 16, // × 0.8 CPU ms = 13 ms of each block
  revalidateAtReorg: 512, // × 0.8 CPU ms = 0.4 s, once
  finalityBlocks: 512,
}

export interface PoolDeps {
  /** Asks the runtime at the best block; throws CHAIN_RUNTIME_TRAP when it stops on the extrinsic. */
  readonly validate: (extrinsic: Uint8Array) => Validity
  /** Asks the same, with the signatures checked off the main thread; throws CHAIN_CHECKS_FULL when too many wait. */
  readonly check: (extrinsic: Uint8Array) => Promise<Validity>
  readonly best: () => { readonly hash: Hex; readonly number: Block }
  readonly clock: Clock
  readonly limits: PoolLimits
}

/** Holds extrinsics from submission to their block. */
export interface TransactionPool extends ExtrinsicSource {
  /** Validates and takes an extrinsic; `listener` hears all that happens to it, the first event before this resolves. */
  submit(bytes: Uint8Array, listener?: PoolListener): Promise<Submitted>
  /** Ends a listener given to submit. */
  unwatch(hash: Hex, listener: PoolListener): void
  /** Told by the chain when the best block is on another branch: takes back what the old one included. */
  onReorg(change: Reorg): void
  /** Told by the chain: this block and all before it are final. */
  onFinalized(block: StoredBlock): void
  /** Ready extrinsics, in the order to try. */
  pending(): readonly Uint8Array[]
  /** Removes and bans extrinsics on request, with those that need them; watchers hear `invalid`. @returns those removed */
  remove(hashes: readonly Hex[]): readonly Hex[]
  /** The first nonce at or after `from` that no ready extrinsic of the account uses. */
  nextNonce(account: Uint8Array, from: number): number
  /** Calls back whenever an extrinsic becomes ready. @returns a function that ends it */
  onReady(listener: () => void): () => void
  status(): { readonly ready: number; readonly future: number; readonly bytes: number }
}
