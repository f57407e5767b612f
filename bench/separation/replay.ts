import type { Windows } from '../../engine/src/train/types.ts'
import { type MinerState, passesOf, progressOf, type TrainTo } from '../../subnet-spec/finetune/attacks/perform.ts'
import { replayDistance } from '../../subnet-spec/finetune/replay-distance.ts'
import type { Optimiser, ReplayOutcome, TrainingTerms } from '../../subnet-spec/finetune/types.ts'

/** Replays a drawn segment as a validator does: from the committed state at its start, on the data that were assigned. */
export const replaySegment = async (of: {
  readonly segment: number
  readonly states: readonly MinerState[]
  /** The checkpoint's parameters. */
  readonly params: Float32Array
  /** What the miner's last round ended with, as it was committed then; null for a miner's first. */
  readonly ended: Pick<MinerState, 'moments' | 'carried'> | null
  readonly payload: Uint8Array
  readonly terms: TrainingTerms
  readonly optimiser: Optimiser
  readonly train: TrainTo
  readonly assigned: (pass: number) => Windows
}): Promise<ReplayOutcome> => {
  const { segment, states, terms, params } = of
  const from = states[segment]
  if (from === undefined) return { kind: 'withheld', reason: `state ${segment} is not there` }
  if (segment === 0 && !beginsAt(from, params, of.ended)) return { kind: 'differs', distance: Number.POSITIVE_INFINITY }
  if (segment === terms.gauntlet.segments) {
    const progress = progressOf({ optimiser: of.optimiser, start: params, end: from, passes: passesOf(terms) })
    const { payload } = of.optimiser.encode({ progress, carried: from.carried })
    return outcomeOf(Buffer.from(payload).equals(of.payload) ? 0 : Number.POSITIVE_INFINITY, terms)
  }
  const claimed = states[segment + 1]
  if (claimed === undefined) return { kind: 'withheld', reason: `state ${segment + 1} is not there` }
  const { state } = await of.train({ start: from, to: claimed.step, windowsOf: of.assigned })
  const distance = replayDistance([
    { start: from.params, claimed: claimed.params, replayed: state.params },
    { start: from.moments.first, claimed: claimed.moments.first, replayed: state.moments.first },
    { start: from.moments.second, claimed: claimed.moments.second, replayed: state.moments.second },
  ])
  return outcomeOf(distance, terms)
}

const outcomeOf = (distance: number, { gauntlet }: TrainingTerms): ReplayOutcome => ({
  kind: distance <= gauntlet.tolerance ? 'held' : 'differs',
  distance,
})

const beginsAt = (
  state: MinerState,
  params: Float32Array,
  ended: Pick<MinerState, 'moments' | 'carried'> | null,
): boolean =>
  same(state.params, params) &&
  (ended === null
    ? [state.moments.first, state.moments.second, state.carried].every((part) => part.every((value) => value === 0))
    : same(state.moments.first, ended.moments.first) &&
      same(state.moments.second, ended.moments.second) &&
      same(state.carried, ended.carried))

const same = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i])
