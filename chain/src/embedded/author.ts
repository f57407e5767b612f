import { concatBytes, toBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import type { Keypair } from '@arbor/shared/keypair'
import type { Block, Hex } from '@arbor/shared/units'
import { blake256 } from './hash.ts'
import { decodeHeader, encodeHeader, hashHeader, sealDigest, slotDigest } from './header.ts'
import type { ChainRuntime } from './runtime/runtimes.ts'
import { compact, reader, u64le, vec } from './scale.ts'
import { type Change, createOverlay, type Overlay } from './state/overlay.ts'
import type { Trie } from './trie/node.ts'
import { trieGet } from './trie/read.ts'
import type { Header, StoredBlock, Validity } from './types.ts'
import { decodeApplied, isExhausted, TRAPPED } from './validity.ts'

/** What a block is built from. */
export interface BuildOptions {
  readonly runtime: ChainRuntime
  readonly parent: StoredBlock
  readonly parentTrie: Trie
  readonly slot: number
  /** Milliseconds since the Unix epoch, within the slot. */
  readonly timestamp: number
  /** Extrinsics to try, in order. */
  readonly ready: Iterable<{ readonly hash: Hex; readonly bytes: Uint8Array }>
  /** Tells whether there is time for another extrinsic. */
  readonly hasTime: () => boolean
  readonly authority: Keypair
}

/** A block that nobody has imported yet. */
export interface BuiltBlock {
  readonly block: StoredBlock
  /** The header as the runtime made it, before the author sealed it. */
  readonly unsealed: Header
  readonly trie: Trie
  readonly changes: readonly Change[]
  /** Numbers of the stored nodes that the parent's state has and this one has not. */
  readonly retired: readonly number[]
  /** Keys of the state that the block adds, less those that it removes. */
  readonly keysAdded: number
  /** Extrinsics besides the inherents. */
  readonly included: number
  readonly refused: ReadonlyMap<Hex, Validity>
}

/** Extrinsics that may prove too large for the rest of a block before it counts as full. @source sc_basic_authorship MAX_SKIPPED_TRANSACTIONS */
const MAX_SKIPPED = 8
const ZERO_HASH: Hex = `0x${'00'.repeat(32)}`

/** Builds a block on its parent: slot, inherents, extrinsics until the block is full, roots, seal. */
export const buildBlock = (of: BuildOptions): BuiltBlock => {
  const { runtime, parent, slot } = of
  const overlay = createOverlay(of.parentTrie)
  const opening = encodeHeader({
    parentHash: parent.hash,
    number: (parent.header.number + 1) as Block,
    stateRoot: ZERO_HASH,
    extrinsicsRoot: ZERO_HASH,
    digest: [slotDigest(slot)],
  })
  const mode = runtime.executor.call('Core_initialize_block', opening, overlay)
  const inherents = applyInherents(of, overlay)
  const onlyInherents = mode[0] === 1 // sp_runtime::ExtrinsicInclusionMode
  const { included, refused } = onlyInherents ? NOTHING : applyReady(of, overlay)
  const unsealed = decodeHeader(runtime.executor.call('BlockBuilder_finalize_block', NO_BYTES, overlay))
  const header = seal(unsealed, of.authority)
  const changes = overlay.changes(runtime.version.stateVersion)
  return {
    block: { hash: hashHeader(header), header, extrinsics: [...inherents, ...included] },
    unsealed,
    trie: overlay.trie(runtime.version.stateVersion),
    changes,
    retired: overlay.retired(runtime.version.stateVersion),
    keysAdded: countAdded(of.parentTrie, changes),
    included: included.length,
    refused,
  }
}

/** Counts the keys that changes add, less those that they remove. */
export const countAdded = (before: Trie, changes: readonly Change[]): number =>
  changes.reduce((sum, [key, value]) => {
    const was = Number(trieGet(before, key) !== undefined)
    return sum + Number(value !== undefined) - was
  }, 0)

const NO_BYTES = new Uint8Array()
const NOTHING: Tried = { included: [], refused: new Map() }

/** @source sp_timestamp::INHERENT_IDENTIFIER */
const TIMESTAMP_INHERENT = toBytes('timstap0')

const applyInherents = ({ runtime, timestamp }: BuildOptions, overlay: Overlay): readonly Uint8Array[] => {
  const inherentData = concatBytes(compact(1), TIMESTAMP_INHERENT, vec(u64le(timestamp)))
  const source = reader(runtime.executor.call('BlockBuilder_inherent_extrinsics', inherentData, overlay))
  const inherents = Array.from({ length: source.compact() }, () => vec(source.vec()))
  for (const inherent of inherents) {
    const refusal = decodeApplied(runtime.executor.call('BlockBuilder_apply_extrinsic', inherent, overlay))
    if (refusal === null) continue
    throw new SubnetError({
      code: 'CHAIN_INHERENT',
      message: `The runtime refused its own inherent (${JSON.stringify(refusal)}) at time ${timestamp}; check the clock and the genesis`,
    })
  }
  return inherents
}

interface Tried {
  readonly included: readonly Uint8Array[]
  readonly refused: ReadonlyMap<Hex, Validity>
}

const applyReady = ({ runtime, ready, hasTime }: BuildOptions, overlay: Overlay): Tried => {
  const included: Uint8Array[] = []
  const refused = new Map<Hex, Validity>()
  let skipped = 0
  for (const { hash, bytes } of ready) {
    if (!hasTime()) break
    const refusal = apply(runtime, bytes, overlay)
    if (refusal === null) included.push(bytes)
    else if (!isExhausted(refusal)) refused.set(hash, refusal)
    else {
      skipped += 1
      if (skipped > MAX_SKIPPED) break
    }
  }
  return { included, refused }
}

/**
 * An extrinsic that is refused, or stops the runtime, leaves no trace in the block: the runtime notes it before it looks.
 * @source sc-block-builder push: Rollback on Err
 */
const apply = (runtime: ChainRuntime, extrinsic: Uint8Array, overlay: Overlay): Validity | null => {
  overlay.begin()
  try {
    const refusal = decodeApplied(runtime.executor.call('BlockBuilder_apply_extrinsic', extrinsic, overlay))
    if (refusal === null) overlay.commit()
    else overlay.rollback()
    return refusal
  } catch (error) {
    overlay.rollback()
    if (error instanceof SubnetError && error.code === 'CHAIN_RUNTIME_TRAP') return TRAPPED
    throw error
  }
}

const seal = (unsealed: Header, authority: Keypair): Header => {
  const signature = authority.sign(blake256(encodeHeader(unsealed)))
  return { ...unsealed, digest: [...unsealed.digest, sealDigest(signature)] }
}

/**
 * Executes a block as an importing node does; the runtime itself compares every root.
 * @throws CHAIN_BLOCK_REFUSED when it does not come to the same end
 */
export const checkBlock = (of: {
  readonly runtime: ChainRuntime
  readonly parentTrie: Trie
  readonly built: BuiltBlock
}): void => {
  const { block, unsealed } = of.built
  const encoded = concatBytes(encodeHeader(unsealed), compact(block.extrinsics.length), ...block.extrinsics)
  try {
    of.runtime.executor.call('Core_execute_block', encoded, createOverlay(of.parentTrie))
  } catch (cause) {
    throw new SubnetError({
      code: 'CHAIN_BLOCK_REFUSED',
      message: `Block ${block.header.number} (${block.hash}) cannot be executed again: ${cause instanceof Error ? cause.message : String(cause)}; the runtime is not deterministic, report this`,
      cause,
    })
  }
}

/** Reads the length of a slot from the runtime. */
export const slotDurationMs = (runtime: ChainRuntime, trie: Trie): number =>
  Number(reader(runtime.executor.call('AuraApi_slot_duration', NO_BYTES, createOverlay(trie))).u64())

/** Reads the public keys (32 bytes each) that may author blocks, in the order of their slots. */
export const authorities = (runtime: ChainRuntime, trie: Trie): readonly Uint8Array[] => {
  const source = reader(runtime.executor.call('AuraApi_authorities', NO_BYTES, createOverlay(trie)))
  return Array.from({ length: source.compact() }, () => source.bytes(32).slice())
}
