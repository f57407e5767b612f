import type { WeightRow } from '@arbor/chain/client/types'
import type { Block, Ss58 } from '@arbor/shared/units'
import { type Attempt, isHeld } from './check-move.ts'
import type { ChainFacts, Pruned } from './facts.ts'

/** Reads what the chain holds of an attempt at a block; who was registered only where that decides. */
export async function heldAt(
  facts: ChainFacts,
  of: { readonly self: Ss58; readonly attempt: Attempt; readonly block: Block },
): Promise<Pruned | { readonly isSame: boolean; readonly row: WeightRow }> {
  const { attempt, block } = of
  const { row, mechanism } = attempt.placed.entry
  const uid = await facts.uid(block, of.self)
  const held = uid === null || uid === 'pruned' ? [] : await facts.row({ block, uid, mechanism })
  if (uid === 'pruned' || held === 'pruned') return 'pruned'
  const { method, block: at } = attempt.placed.entry
  // A log that is withheld up to the next reveal does not tell when a row was committed, and none is committed before it was computed.
  const sentAt = method === 'open' ? null : Math.max(attempt.sentAt ?? at.number, at.number)
  if (sentAt === null || isHeld(row, held)) return { isSame: isHeld(row, held), row: held }
  const metagraph = await facts.metagraph(block)
  if (metagraph === 'pruned') return 'pruned'
  const changed = metagraph.neurons.filter(({ registeredAt }) => registeredAt >= sentAt).map((neuron) => neuron.uid)
  return { isSame: isHeld(row, held, new Set(changed)), row: held }
}
