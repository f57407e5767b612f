import type { Block, Blocks, NetUid, Ss58, Uid } from '@arbor/shared/units'
import type { MinerKind } from './roster.ts'
import { reduceTraining, type TrainingEvent, type TrainingView } from './training/state.ts'

/** A miner as the live view shows it. */
export interface MinerView {
  readonly name: string
  readonly kind: MinerKind
  readonly hotkey: Ss58
  readonly uid: Uid | null
  /** Verdicts of all validators by reason. */
  readonly verdicts: Readonly<Record<string, number>>
  readonly lastReason: string | null
  readonly incentive: number
  /** Alpha paid into its stake since the view began. */
  readonly earned: bigint
}

/** A validator as the live view shows it; its weights are those that a reader of their own read. */
export interface ValidatorView {
  readonly name: string
  readonly hotkey: Ss58
  readonly uid: Uid | null
  readonly permit: boolean
  readonly weights: readonly (readonly [Uid, number])[]
  readonly readBackBlock: Block | null
  readonly dividends: number
  readonly earned: bigint
}

/** Everything the live view shows. */
export interface NetState {
  readonly phase: string
  readonly url: string | null
  readonly netuid: NetUid
  readonly block: Block | null
  readonly tempo: number | null
  readonly epoch: number | null
  readonly nextEpochBlock: Block | null
  /** Rounds recorded by the validator that recorded most. */
  readonly rounds: number
  readonly miners: readonly MinerView[]
  readonly validators: readonly ValidatorView[]
  readonly warnings: readonly string[]
  /** Where users ask; null without a gateway. */
  readonly gateway: { readonly url: string; readonly keyFile: string; readonly model: string } | null
  /** Null where miners answer questions. */
  readonly training: TrainingView | null
}

/** One thing that happened; the view is the fold of all of them. */
export type NetEvent =
  | { readonly kind: 'phase'; readonly phase: string; readonly url?: string }
  | { readonly kind: 'verdict'; readonly hotkey: Ss58; readonly reason: string }
  | { readonly kind: 'round' }
  | { readonly kind: 'training'; readonly event: TrainingEvent }
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'gateway'; readonly url: string; readonly keyFile: string; readonly model: string }
  | {
      readonly kind: 'block'
      readonly block: Block
      readonly tempo: number
      readonly epoch: number
      readonly nextEpochBlock: Block
      readonly miners: readonly Pick<MinerView, 'hotkey' | 'uid' | 'incentive' | 'earned'>[]
      readonly validators: readonly Omit<ValidatorView, 'name'>[]
    }

/** Warnings that stay on the screen. */
const keptWarnings = 3

/** Folds one event into the state. */
export function reduce(state: NetState, event: NetEvent): NetState {
  switch (event.kind) {
    case 'phase':
      return { ...state, phase: event.phase, url: event.url ?? state.url }
    case 'warning':
      return { ...state, warnings: [...state.warnings, event.text].slice(-keptWarnings) }
    case 'gateway': {
      const { kind: _, ...gateway } = event
      return { ...state, gateway }
    }
    case 'training':
      return { ...state, training: state.training === null ? null : reduceTraining(state.training, event.event) }
    case 'round':
      return { ...state, rounds: state.rounds + 1 }
    case 'verdict':
      return {
        ...state,
        miners: state.miners.map((miner) => (miner.hotkey === event.hotkey ? counted(miner, event.reason) : miner)),
      }
    case 'block': {
      const { miners, validators, kind: _, ...chain } = event
      return {
        ...state,
        ...chain,
        miners: state.miners.map((miner) => ({ ...miner, ...miners.find(({ hotkey }) => hotkey === miner.hotkey) })),
        validators: state.validators.map((v) => ({ ...v, ...validators.find(({ hotkey }) => hotkey === v.hotkey) })),
        training: trainingAt(state.training, chain.block, chain.tempo),
      }
    }
  }
}

const trainingAt = (view: TrainingView | null, block: Block, tempo: number): TrainingView | null =>
  view === null ? null : reduceTraining(view, { kind: 'block', block, tempo: tempo as Blocks })

const counted = (miner: MinerView, reason: string): MinerView => ({
  ...miner,
  lastReason: reason,
  verdicts: { ...miner.verdicts, [reason]: (miner.verdicts[reason] ?? 0) + 1 },
})

/** Says in words what a verdict's reason means to somebody who watches. */
export function explain(reason: string | null): string {
  return reason === null ? 'not asked yet' : (meanings[reason] ?? reason)
}

const meanings: Readonly<Record<string, string>> = {
  ok: 'answers verified',
  fingerprint: 'runs another model: hidden states differ',
  sampling: 'not the tokens that the model samples',
  truncated: 'stopped early',
  text: 'text does not match its tokens',
  malformed: 'answer does not fit the schema',
  timeout: 'too late',
  unreachable: 'cannot be reached',
  refused: 'refuses to answer',
  busy: 'too busy to answer',
  oversized: 'answer too large',
  unsigned: 'answer not signed by its hotkey',
}
