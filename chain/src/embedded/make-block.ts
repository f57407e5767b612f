import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import { authorities, type BuiltBlock, buildBlock, checkBlock, slotDurationMs } from './author.ts'
import { slotOf } from './header.ts'
import type { ChainRuntime, Runtimes } from './runtime/runtimes.ts'
import { nextSlot } from './slots.ts'
import type { Trie } from './trie/node.ts'
import type { ExtrinsicSource, StoredBlock } from './types.ts'

/** What the author of a block knows. */
export interface MakeOptions {
  readonly runtimes: Runtimes
  readonly parent: StoredBlock
  readonly parentTrie: Trie
  readonly source: ExtrinsicSource
  readonly authority: Keypair
  readonly clock: Clock
  /** Executes the block a second time, as an importing node would. */
  readonly check: boolean
  /** First slot that may be taken, whatever the clock says. */
  readonly earliestSlot?: number
}

/** Part of a slot that extrinsics may take; the rest is for the roots, the check and the readers. */
const SLOT_SHARE = 0.5

/**
 * Makes the next block: chooses the slot, builds, checks. Nothing is stored.
 * @throws CHAIN_NOT_AUTHORITY, CHAIN_INHERENT, CHAIN_BLOCK_REFUSED, CHAIN_RUNTIME_TRAP
 */
export const makeBlock = (of: MakeOptions): BuiltBlock => {
  const { parent, parentTrie, source, authority, clock } = of
  const runtime = of.runtimes.of(parentTrie)
  const slotMs = slotDurationMs(runtime, parentTrie)
  const slot = chooseSlot(of, runtime, slotMs)
  const until = clock.monotonic() + slotMs * SLOT_SHARE
  const hasTime = (): boolean => clock.monotonic() < until
  const ready = source.ready()
  const built = buildBlock({ runtime, parent, parentTrie, slot, timestamp: slot * slotMs, ready, hasTime, authority })
  if (of.check) checkBlock({ runtime, parentTrie, built })
  return built
}

const chooseSlot = (
  { parent, parentTrie, authority, clock, earliestSlot }: MakeOptions,
  runtime: ChainRuntime,
  slotMs: number,
): number => {
  const keys = authorities(runtime, parentTrie).map(toHex)
  const ours = toHex(authority.publicKey)
  if (!keys.includes(ours)) {
    throw new SubnetError({
      code: 'CHAIN_NOT_AUTHORITY',
      message: `${authority.address} is no authority of this chain, so it cannot make blocks; give the key of an authority, or name it in the genesis`,
    })
  }
  const nowMs = earliestSlot === undefined ? clock.now() : earliestSlot * slotMs
  const isOurs = (slot: number): boolean => keys[slot % keys.length] === ours
  return nextSlot({
    nowMs,
    slotMs,
    last: slotOf(parent.header),
    isOurs,
    authors: keys.length,
  })
}
