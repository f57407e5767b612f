import type { ChainClient, WeightRow } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, NetUid, Ss58, Uid } from '@arbor/shared/units'
import { isSettled } from '../weights/machine.ts'
import { type Attempt, isHeld } from './check-move.ts'
import type { EpochSpan } from './epoch.ts'
import type { ChainFacts } from './facts.ts'
import { type Mismatch, shown } from './findings.ts'
import { heldAt } from './held-at.ts'

/** A row is included at most so many blocks after its metagraph: the longest era of a submission. */
const ERA = 64

/** The row that the chain holds at the end of an epoch. */
export interface Force {
  readonly uid: Uid
  /** Null where the chain has no state of then. */
  readonly held: WeightRow | null
  /** From which block on the log is to be read: the row in force was computed after it. */
  readonly from: Block
}

/** Reads the row in force at the epoch's end, and finds where what led to it begins. */
export async function inForce(
  { chain, netuid }: { readonly chain: Pick<ChainClient, 'metagraph'>; readonly netuid: NetUid },
  of: { readonly validator: Ss58; readonly mechanism?: number },
  facts: ChainFacts,
  span: EpochSpan,
): Promise<Force> {
  const metagraph = await facts.metagraph(span.last)
  const newest = metagraph === 'pruned' ? await chain.metagraph(netuid, facts.head.hash) : metagraph
  const epochs = 1 + (span.revealPeriod === null ? 0 : span.revealPeriod + 1)
  const back = Math.max(0, span.first - (epochs - 1) * newest.tempo)
  const me = newest.neurons.find(({ hotkey }) => hotkey === of.validator)
  if (me === undefined) throw notThere(of.validator, netuid, newest.block.number)
  const lastUpdate =
    metagraph === 'pruned' ? back : Math.min(back, Math.max(0, me.lastUpdate - Math.min(ERA, newest.tempo)))
  const read = await facts.row({ block: span.last, uid: me.uid, mechanism: of.mechanism ?? 0 })
  return { uid: me.uid, held: read === 'pruned' ? null : read, from: lastUpdate as Block }
}

const notThere = (validator: Ss58, netuid: NetUid, block: Block): SubnetError =>
  new SubnetError({
    code: 'AUDIT_UNREGISTERED',
    message: `${validator} is not registered in subnet ${netuid} at block ${block}, so it had no row; see arbor subnet show`,
    details: { netuid, block },
  })

/** The newest attempt that the chain held at a block, as the log says. */
const attemptAt = (attempts: readonly Attempt[], mechanism: number, block: Block): Attempt | null =>
  attempts
    .filter(({ placed, appliedAt }) => placed.entry.mechanism === mechanism && appliedAt !== null && appliedAt <= block)
    .sort((a, b) => Number(a.appliedAt) - Number(b.appliedAt))
    .at(-1) ?? null

/**
 * Finds the attempt whose row was in force: the one that the log says; or, where commits are hidden and the log ends before it tells what
 * became of its newest row, the one whose row the chain held.
 */
export async function attemptInForce(
  of: Omit<Parameters<typeof checkForce>[0], 'attempt'>,
  attempts: readonly Attempt[],
  mechanism: number,
): Promise<Attempt | null> {
  const { held, facts, span, self } = of
  const told = attemptAt(attempts, mechanism, span.last)
  if (held === null || held.length === 0 || (told !== null && isHeld(told.recomputed, held))) return told
  for (const attempt of attempts.toReversed()) {
    const { entry } = attempt.placed
    if (isSettled(attempt.state) || entry.mechanism !== mechanism || entry.block.number > span.last) continue
    const at = await heldAt(facts, { self, attempt, block: span.last })
    if (at !== 'pruned' && at.isSame) return attempt
  }
  return told
}

/** Compares the row that the chain held at the epoch's end with the one that the log says was in force. */
export async function checkForce(
  of: Force & {
    readonly facts: ChainFacts
    readonly span: EpochSpan
    readonly attempt: Attempt | null
    readonly self: Ss58
  },
): Promise<Mismatch | null> {
  const { attempt, held, facts, span } = of
  if (held === null) return null
  if (attempt === null)
    return held.length === 0 ? null : { ...IN_FORCE, expected: shown(held), found: 'no row that was in force then' }
  if (isHeld(attempt.recomputed, held)) return null
  const at = await heldAt(facts, { self: of.self, attempt, block: span.last })
  if (at === 'pruned' || at.isSame) return null
  return { ...IN_FORCE, position: attempt.placed.position, expected: shown(held), found: shown(attempt.recomputed) }
}

const IN_FORCE: Omit<Mismatch, 'expected' | 'found'> = {
  position: null,
  kind: 'chain',
  what: "the row that the chain holds at the epoch's end",
}
