import { blake2b256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import type { StoredBlock } from '../embedded/types.ts'
import type { Contents } from './contents.ts'
import { toEntry } from './entry.ts'
import type { PoolDeps, PoolEntry, TransactionPool } from './types.ts'
import { mayPassLater } from './validity.ts'

/** Keeps a pool's contents in step with the chain. @param of.nextOrder gives the next place in the order of arrival */
export const createMaintenance = ({
  contents,
  limits,
  best,
  nextOrder,
}: Pick<PoolDeps, 'limits' | 'best'> & {
  readonly contents: Contents
  readonly nextOrder: () => number
}): Pick<TransactionPool, 'onBlock' | 'onReorg'> => {
  const { graph, watchers, bans } = contents

  /** An included extrinsic leaves, and its bytes are banned: to validate them again could only find them outdated. */
  const include = (block: StoredBlock): void =>
    block.extrinsics.forEach((bytes, index) => {
      const hash = toHex(blake2b256(bytes))
      if (graph.get(hash)) bans.add(hash)
      const change = graph.remove(hash, true)
      watchers.included(hash, block, index)
      contents.announce(change)
    })

  const onBlock: TransactionPool['onBlock'] = (block, refused) => {
    const { number } = block.header
    include(block)
    const bad = [...refused].filter(([hash, validity]) => graph.get(hash) && !mayPassLater(validity))
    contents.refuse(bad.map(([hash]) => hash))
    const expired = [...graph.entries()].filter(({ validTill }) => validTill <= BigInt(number))
    contents.refuse(expired.map(({ hash }) => hash))
    const rank = (entry: PoolEntry): number => (refused.has(entry.hash) ? -1 : entry.checkedAt)
    const stalest = [...graph.entries()]
      .filter(({ checkedAt }) => checkedAt < number)
      .sort((a, b) => rank(a) - rank(b) || a.order - b.order)
      .slice(0, limits.revalidate)
    for (const entry of stalest) if (graph.get(entry.hash)) contents.revalidate(entry)
    watchers.expire(number - limits.finalityBlocks)
  }

  /** What was valid in a block may not be on the other branch: the runtime is asked as for any extrinsic. */
  const takeBack = (bytes: Uint8Array, hash: Hex): void => {
    bans.remove(hash)
    const validity = contents.ask(bytes)
    if ('trap' in validity || !validity.valid || validity.provides.length === 0) {
      watchers.tell(hash, { kind: 'invalid' }) // inherents come here too; nobody watches them
      return
    }
    const inserted = graph.insert(toEntry({ hash, bytes, validity, order: nextOrder(), best: best().number }))
    if (!inserted.ok) return void watchers.tell(hash, { kind: 'dropped' })
    for (const { hash: usurped } of inserted.usurped) watchers.tell(usurped, { kind: 'usurped', by: hash })
    contents.announce(inserted)
  }

  const onReorg: TransactionPool['onReorg'] = ({ retracted, enacted }) => {
    const byNumber = (a: StoredBlock, b: StoredBlock): number => a.header.number - b.header.number
    const gone = [...retracted].sort(byNumber)
    for (const { hash } of [...gone].reverse()) watchers.retracted(hash)
    const held = [...graph.entries()].sort((a, b) => a.order - b.order).slice(0, limits.revalidateAtReorg)
    for (const block of [...enacted].sort(byNumber)) include(block)
    const again = new Set(enacted.flatMap(({ extrinsics }) => extrinsics.map((bytes) => toHex(blake2b256(bytes)))))
    for (const { extrinsics } of gone) {
      for (const bytes of extrinsics) {
        const hash = toHex(blake2b256(bytes))
        if (!again.has(hash) && !graph.get(hash)) takeBack(bytes, hash)
      }
    }
    for (const entry of held) if (graph.get(entry.hash) === entry) contents.revalidate(entry)
  }

  return { onBlock, onReorg }
}
