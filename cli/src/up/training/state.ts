import type { Block, Blocks, Hex, Ss58 } from '@arbor/shared/units'
import { phasesOf, roundAt } from '@arbor/subnet-spec/finetune/phases'
import type { GauntletReason, PhaseTerms } from '@arbor/subnet-spec/finetune/types'
import { roundBlocks } from '@arbor/subnet-spec/rounds'

/** Where a round stands: miners train, validators judge, all merge. */
export type TrainingPhase = 'training' | 'judging' | 'merging'

/** What the live view shows of a miner that trains. */
export interface TrainedMiner {
  readonly hotkey: Ss58
  /** Newest round that it was judged in. */
  readonly round: number
  /** Why its newest update counted or not. */
  readonly reason: string
  /** OpenSkill; null before the first. */
  readonly rating: { readonly mu: number; readonly sigma: number } | null
  /** Bytes of all updates that it sent since the view began. */
  readonly bytes: number
}

/** A model as validators had it before a round. */
export interface SeenCheckpoint {
  /** The round that starts from it. */
  readonly round: number
  /** Its name, by validator. */
  readonly by: Readonly<Record<Ss58, Hex>>
  /** Held-out loss in nats a token; null until a validator measured it. */
  readonly loss: number | null
  /** Updates that were merged into it; 0 for the first that was seen. */
  readonly merged: number
}

/** What says where a round stands. */
export interface RoundTerms {
  readonly phases: PhaseTerms
  readonly roundsPerEpoch: number
}

/** Everything that the live view shows of a training subnet. */
export interface TrainingView {
  readonly terms: RoundTerms
  readonly round: number | null
  readonly phase: TrainingPhase | null
  /** Tokens that merged updates were trained on. */
  readonly tokens: number
  /** By round, ascending. */
  readonly checkpoints: readonly SeenCheckpoint[]
  readonly miners: readonly TrainedMiner[]
}

/** One thing that a training validator said. */
export type TrainingEvent =
  | { readonly kind: 'block'; readonly block: Block; readonly tempo: Blocks }
  | {
      readonly kind: 'checkpoint'
      readonly validator: Ss58
      readonly round: number
      readonly name: Hex
      readonly loss: number | null
      readonly merged: number
      readonly tokens: number
    }
  | {
      readonly kind: 'judged'
      readonly hotkey: Ss58
      readonly round: number
      readonly reason: string
      readonly bytes: number
      readonly rating: TrainedMiner['rating']
    }

/** The view before anything was seen. */
export const emptyTraining = (terms: RoundTerms): TrainingView => ({
  ...{ terms, round: null, phase: null, tokens: 0 },
  ...{ checkpoints: [], miners: [] },
})

/** Folds one event into the view; a validator that comes later, or lags, takes nothing back. */
export function reduceTraining(view: TrainingView, event: TrainingEvent): TrainingView {
  switch (event.kind) {
    case 'block':
      return atBlock(view, event)
    case 'checkpoint':
      return withCheckpoint(view, event)
    case 'judged':
      return withVerdict(view, event)
  }
}

/** Tells round and phase by the finalised block, as all who take part do. */
function atBlock(view: TrainingView, { block, tempo }: Extract<TrainingEvent, { kind: 'block' }>): TrainingView {
  const { phases: terms, roundsPerEpoch } = view.terms
  const length = roundBlocks({ tempo, roundsPerEpoch })
  const round = roundAt({ block, length })
  const { publishBy, voteBy } = phasesOf({ terms, length, round })
  const phase = block < publishBy ? 'training' : block < voteBy ? 'judging' : 'merging'
  return round === view.round && phase === view.phase ? view : { ...view, round, phase }
}

function withCheckpoint(view: TrainingView, event: Extract<TrainingEvent, { kind: 'checkpoint' }>): TrainingView {
  const { round, validator, name, loss, merged, tokens } = event
  const known = view.checkpoints.find((each) => each.round === round)
  const seen: SeenCheckpoint = {
    round,
    by: { ...known?.by, [validator]: name },
    loss: known?.loss ?? loss,
    merged: Math.max(known?.merged ?? 0, merged),
  }
  const others = view.checkpoints.filter((each) => each.round !== round)
  return {
    ...view,
    tokens: known === undefined ? view.tokens + tokens : view.tokens,
    checkpoints: [...others, seen].sort((a, b) => a.round - b.round),
  }
}

function withVerdict(view: TrainingView, event: Extract<TrainingEvent, { kind: 'judged' }>): TrainingView {
  const { kind: _, bytes, ...judged } = event
  const known = view.miners.find(({ hotkey }) => hotkey === event.hotkey)
  if (known !== undefined && known.round > event.round) return view
  const counted = known?.round === event.round ? known.bytes : (known?.bytes ?? 0) + bytes
  const miner: TrainedMiner = { ...judged, rating: judged.rating ?? known?.rating ?? null, bytes: counted }
  return { ...view, miners: [...view.miners.filter(({ hotkey }) => hotkey !== event.hotkey), miner] }
}

/** Whether all that name a checkpoint name the same. */
export const agreed = ({ by }: Pick<SeenCheckpoint, 'by'>): boolean => new Set(Object.values(by)).size <= 1

/** The newest checkpoint that a validator has. */
export const checkpointOf = (
  view: TrainingView,
  validator: Ss58,
): { readonly round: number; readonly name: Hex } | null => {
  const seen = view.checkpoints.findLast(({ by }) => by[validator] !== undefined)
  const name = seen?.by[validator]
  return seen === undefined || name === undefined ? null : { round: seen.round, name }
}

/** Says in words what the Gauntlet's reason means to somebody who watches. */
export const explainUpdate = (reason: string | null): string =>
  reason === null ? 'not judged yet' : Object.hasOwn(meanings, reason) ? meanings[reason as GauntletReason] : reason

const meanings: Readonly<Record<GauntletReason, string>> = {
  ok: 'its update helps the model',
  missing: 'committed no update in time',
  unavailable: 'its update cannot be had',
  malformed: 'its update cannot be read',
  stale: 'trained from another checkpoint',
  'not-finite': 'its update holds NaN or infinity',
  copy: "copied another miner's update",
  outsized: 'its update is far too large or too small',
  harmful: 'its update harms the model',
  unassigned: 'trained on other data than its own',
  withheld: 'did not show the states it committed to',
  untrained: 'a replayed stretch led elsewhere',
}
