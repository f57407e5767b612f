import { concatBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex, toHex } from '@arbor/shared/hex'
import { authorities, countAdded } from './author.ts'
import { blake256 } from './hash.ts'
import { encodeHeader, sealDigest, slotOf } from './header.ts'
import type { ChainRuntime } from './runtime/runtimes.ts'
import { isRight } from './runtime/signature.ts'
import { compact } from './scale.ts'
import { createOverlay } from './state/overlay.ts'
import type { Trie } from './trie/node.ts'
import { trieRoot } from './trie/root.ts'
import type { Header, StoredBlock } from './types.ts'

/** What a block made of its parent's state. */
export interface Executed {
  readonly trie: Trie
  readonly retired: readonly number[]
  readonly keysAdded: number
}

/**
 * Executes a block that somebody else made: it must follow its parent, carry the seal of the slot's author, and come to the
 * roots that its header names.
 * @throws CHAIN_BLOCK_REFUSED
 */
export const executeBlock = (of: {
  readonly runtime: ChainRuntime
  readonly parent: StoredBlock
  readonly parentTrie: Trie
  readonly block: StoredBlock
}): Executed => {
  const { runtime, parent, parentTrie, block } = of
  const { header, hash, extrinsics } = block
  const fail = (why: string, cause?: unknown): SubnetError =>
    new SubnetError({
      code: 'CHAIN_BLOCK_REFUSED',
      message: `Block ${header.number} (${hash}) cannot be executed: ${why}`,
      cause,
    })
  if (header.parentHash !== parent.hash || header.number !== parent.header.number + 1) {
    throw fail(`it does not follow block ${parent.header.number} (${parent.hash})`)
  }
  const unsealed = { ...header, digest: header.digest.slice(0, -1) }
  const keys = authorities(runtime, parentTrie)
  if (!isSealed(header, unsealed, keys)) throw fail('its seal is not that of the author of its slot')
  const overlay = createOverlay(parentTrie)
  try {
    const encoded = concatBytes(encodeHeader(unsealed), compact(extrinsics.length), ...extrinsics)
    runtime.executor.call('Core_execute_block', encoded, overlay)
  } catch (cause) {
    throw fail(cause instanceof Error ? cause.message : String(cause), cause)
  }
  const { stateVersion } = runtime.version
  const trie = overlay.trie(stateVersion)
  if (toHex(trieRoot(trie)) !== header.stateRoot) throw fail('it comes to another state')
  const changes = overlay.changes(stateVersion)
  return { trie, retired: overlay.retired(stateVersion), keysAdded: countAdded(parentTrie, changes) }
}

const SEAL_PREFIX = sealDigest(new Uint8Array(64)).slice(0, -128)

const isSealed = (header: Header, unsealed: Header, keys: readonly Uint8Array[]): boolean => {
  const seal = header.digest.at(-1) ?? '0x'
  const publicKey = keys[(slotOf(header) ?? 0) % keys.length]
  if (publicKey === undefined || !seal.startsWith(SEAL_PREFIX)) return false
  const signature = fromHex(`0x${seal.slice(SEAL_PREFIX.length)}`)
  return isRight({ kind: 'sr25519', publicKey, message: blake256(encodeHeader(unsealed)), signature })
}
