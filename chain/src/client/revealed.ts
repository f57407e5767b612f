import type { Block, Hex, Uid } from '@arbor/shared/units'
import { toPlain } from './plain.ts'
import { entryOf, type Reader } from './reader.ts'
import { type SaltedRow, storageIndex } from './salted.ts'
import type { WeightRow } from './types.ts'

/** What the chain made of a commit, beside what was sealed. */
export type Revealed =
  /** The chain holds the row that was sealed; `changedHands` were registered since the commit and count 0. */
  | { readonly kind: 'revealed'; readonly changedHands: readonly Uid[] }
  /** The chain holds another row: the commit was not opened, or lost; keep the plain row and commit it again. */
  | { readonly kind: 'other'; readonly found: WeightRow; readonly changedHands: readonly Uid[] }

/** What is known of an own commit; the plain row never leaves this process before its reveal. */
export type OwnCommit = Pick<SaltedRow, 'netuid' | 'mechanism' | 'hotkey' | 'row'> & {
  /** Block of the commit. */
  readonly committedAt: Block
}

/**
 * Compares the row that the chain holds with the one that was sealed. Uids that others took since the commit must not
 * inherit its weights: the chain sets them to 0 (Bittensor's skips them at the epoch), and they are named here.
 */
export async function checkRevealed(reader: Reader, commit: OwnCommit, at: Hex): Promise<Revealed> {
  const { netuid, mechanism, hotkey, row, committedAt } = commit
  const [uid, ...registered] = (
    await reader.many(
      [
        entryOf('SubtensorModule.Uids', netuid, hotkey),
        ...row.map(([to]) => entryOf('SubtensorModule.BlockAtRegistration', netuid, to)),
      ],
      at,
    )
  ).map(toPlain)
  const changedHands = row.flatMap(([to], index) => (Number(registered[index] ?? 0n) >= committedAt ? [to] : []))
  if (typeof uid !== 'bigint') return { kind: 'other', found: [], changedHands }
  const [value] = await reader.many(
    [entryOf('SubtensorModule.Weights', storageIndex(netuid, mechanism), Number(uid))],
    at,
  )
  const found = (toPlain(value) as [bigint, bigint][]).map(
    ([to, weight]) => [Number(to) as Uid, Number(weight)] as const,
  )
  const same =
    found.length === row.length &&
    row.every(([to, weight], index) => {
      const [foundTo, foundWeight] = found[index] ?? []
      return foundTo === to && (foundWeight === weight || (foundWeight === 0 && changedHands.includes(to)))
    })
  return same ? { kind: 'revealed', changedHands } : { kind: 'other', found, changedHands }
}
