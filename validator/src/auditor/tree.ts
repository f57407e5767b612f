import { fromHex, toHex } from '@arbor/shared/hex'
import { verifyConsistency, verifyInclusion } from '@arbor/shared/merkle'
import { type SignedHead, verifyHead } from '@arbor/shared/tree-head'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { type Mismatch, shown } from './findings.ts'
import type { Stretch } from './pages.ts'
import type { ServedLog } from './served-log.ts'

/** A root that a validator has bound itself to: on the chain, or by a head that was kept. */
export interface KnownRoot {
  readonly size: number
  readonly root: Hex
  /** Block of the commitment; of the head's signing. */
  readonly block: Block
  readonly by: 'chain' | 'head'
}

const wrong = (what: string, expected: unknown, found: unknown): Mismatch => ({
  position: null,
  kind: 'tree',
  what,
  expected: shown(expected),
  found: shown(found),
})

/** Expects a head to be of this log and signed by its validator. */
export function checkHead(
  head: SignedHead,
  of: { readonly genesisHash: Hex; readonly netuid: NetUid; readonly hotkey: Ss58 },
): Mismatch | null {
  const { genesisHash, netuid, hotkey } = head
  const found = { genesisHash, netuid, hotkey }
  if (genesisHash !== of.genesisHash || netuid !== of.netuid || hotkey !== of.hotkey)
    return wrong('the head of this chain, subnet and validator', of, found)
  return verifyHead(head) ? null : wrong("the head's signature", `of ${hotkey}`, head.signature)
}

/**
 * Expects a log to go on from a root that its validator has bound itself to. What it finds proves that the validator has shown two logs:
 * the older root is on the chain or signed, and so is the head.
 */
export async function checkExtends(
  log: ServedLog,
  of: { readonly known: KnownRoot; readonly head: SignedHead },
  signal: AbortSignal,
): Promise<Mismatch | null> {
  const { known, head } = of
  const { size, root } = known
  if (size === head.size) return root === head.root ? null : wrong('one root for one size (equivocation)', known, head)
  const [older, newer] = size < head.size ? [known, head] : [head, known]
  const proof = await log.consistency({ from: older.size, to: newer.size }, signal).catch((error: unknown) => {
    signal.throwIfAborted()
    if (size < head.size) throw error
    return null // nobody serves what its own head does not cover
  })
  const fromRoot = fromHex(older.root, 32)
  const toRoot = fromHex(newer.root, 32)
  const extends_ = proof !== null && verifyConsistency({ from: older.size, to: newer.size, fromRoot, toRoot, proof })
  if (extends_ && size < head.size) return null
  return size > head.size
    ? wrong('as many entries as the validator has bound itself to (truncated)', known, head)
    : wrong('a log that goes on from the root that the validator has bound itself to (equivocation)', known, head)
}

/** Proves that the entries that were read are those that a head signs. @returns the entry that is not, where it can be found */
export async function checkStretch(
  log: ServedLog,
  of: { readonly stretch: Stretch; readonly head: SignedHead },
  signal: AbortSignal,
): Promise<Mismatch | null> {
  const { stretch, head } = of
  const { size } = stretch.tree
  const fromRoot = stretch.tree.root()
  const toRoot = fromHex(head.root, 32)
  const proof = await log.consistency({ from: size, to: head.size }, signal)
  if (verifyConsistency({ from: size, to: head.size, fromRoot, toRoot, proof })) return null
  const position = await firstForeign(log, of, signal)
  return { ...wrong('entries under the root that the validator signed', head.root, toHex(fromRoot)), position }
}

async function firstForeign(
  log: ServedLog,
  { stretch, head }: { readonly stretch: Stretch; readonly head: SignedHead },
  signal: AbortSignal,
): Promise<number | null> {
  const root = fromHex(head.root, 32)
  for (const [offset, leaf] of stretch.leaves.entries()) {
    const index = stretch.from + offset
    const proof = await log.inclusion({ index, size: head.size }, signal)
    if (!verifyInclusion({ leaf, index, size: head.size, proof, root })) return index
  }
  return null
}
