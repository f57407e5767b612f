import type { Block, Blocks, UnixMs } from '@arbor/shared/units'
import type { Beacon } from './drand.ts'

/** A subnet's epochs as the chain keeps them, at the end of a block. */
export interface EpochState {
  readonly block: Block
  readonly lastEpochBlock: Block
  /** Block to which an epoch was deferred or that its owner asked for; 0 for none. */
  readonly pendingEpochAt: Block
  readonly tempo: Blocks
  readonly blocksSinceLastStep: Blocks
}

/** An epoch is overdue after this many blocks whatever the schedule says. @source YUMA.md §4 MAX_TEMPO */
const MAX_TEMPO = 50_400 // 7 days at 12 s
/** Blocks after the epoch's that the reference adds, so that the pulse is not due before the chain looks for it. */
const SAFETY_BLOCKS = 3

/** Finds the first block after `state.block` in which an epoch runs; null when the subnet runs none (tempo 0). */
export function nextEpoch(state: EpochState): Block | null {
  const { block, lastEpochBlock, pendingEpochAt, tempo, blocksSinceLastStep } = state
  if (tempo === 0) return null
  const due = [lastEpochBlock + tempo, block + 1 + Math.max(0, MAX_TEMPO + 1 - blocksSinceLastStep)]
  if (pendingEpochAt > 0) due.push(pendingEpochAt)
  return Math.max(block + 1, Math.min(...due)) as Block
}

/** The state when an epoch has run in a block. */
export const afterEpoch = (state: EpochState, block: Block): EpochState => ({
  ...state,
  block,
  lastEpochBlock: block,
  pendingEpochAt: 0 as Block,
  blocksSinceLastStep: 0 as Blocks,
})

/**
 * Finds the block in which the chain opens a commit that is sent now: included in the next block, after that one's epoch,
 * and opened when `periods` more epochs have begun.
 * @returns null when the subnet runs no epochs
 */
export function revealBlock(state: EpochState, periods: number): Block | null {
  const included = (state.block + 1) as Block
  let now = state
  if (nextEpoch(now) === included) now = afterEpoch(now, included)
  for (let epoch = 0; epoch < periods; epoch += 1) {
    const next = nextEpoch(now)
    if (next === null) return null
    now = afterEpoch(now, next)
  }
  return now.block
}

/**
 * Computes the beacon's round for which a commit is to be sealed, as the reference's clients do:
 * ⌊(time + (reveal block + 3 − block) × block time − genesis) ÷ period⌋.
 * @param of.now the chain's time at `state.block`
 * @param of.blockMs milliseconds between blocks
 * @returns null when the subnet runs no epochs
 */
export function revealRound(of: {
  readonly state: EpochState
  readonly periods: number
  readonly now: UnixMs
  readonly blockMs: number
  readonly beacon: Pick<Beacon, 'genesisS' | 'periodS'>
}): { readonly round: bigint; readonly block: Block } | null {
  const block = revealBlock(of.state, of.periods)
  if (block === null) return null
  const atMs = of.now + (block + SAFETY_BLOCKS - of.state.block) * of.blockMs
  const round = Math.floor((atMs - of.beacon.genesisS * 1000) / (of.beacon.periodS * 1000))
  return { round: BigInt(Math.max(1, round)), block }
}
