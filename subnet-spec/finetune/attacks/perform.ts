import type { Layout, Moments } from '@arbor/shared/training'
import { boundaryStep, namesOf, statesTree } from '../states.ts'
import type { Optimiser, TrainingTerms, UpdateHead } from '../types.ts'
import { encodeUpdate } from '../update.ts'
import type { Draws } from './draws.ts'
import type { TrainingAttack } from './types.ts'
import { HONEST_WORK, otherModel, poisoned } from './work.ts'

/** Windows of one pass of the step graph. */
export interface PassWindows {
  readonly tokens: Uint16Array
  readonly starts: readonly number[]
}

/** Where local training stands. */
export interface LocalPlace {
  /** Steps of the round that were taken. */
  readonly step: number
  readonly params: Float32Array
  readonly moments: Moments
}

/** What a miner takes from round to round; zeros at first. */
export interface Kept {
  readonly moments: Moments
  readonly carried: Float32Array
}

/** A state that a miner commits to, at the end of a segment. */
export interface MinerState extends Kept {
  readonly step: number
  readonly params: Float32Array
}

/** Takes a miner's steps up to one of them. @returns the mean loss of those steps too, in nats a token */
export type TrainTo = (of: {
  readonly start: LocalPlace
  readonly to: number
  readonly windowsOf: (pass: number) => PassWindows
}) => Promise<{ readonly state: LocalPlace; readonly loss: number }>

export interface RoundInput {
  /** Null for an honest miner. */
  readonly attack: TrainingAttack | null
  readonly terms: TrainingTerms
  readonly optimiser: Optimiser
  readonly layout: Layout
  readonly about: Pick<UpdateHead, 'netuid' | 'round' | 'hotkey' | 'base'>
  /** The checkpoint's. */
  readonly params: Float32Array
  readonly kept: Kept
  /** Windows that the round assigns to the miner. */
  readonly assigned: (pass: number) => PassWindows
  /** Windows that it does not. */
  readonly others: (pass: number) => PassWindows
  readonly train: TrainTo
  readonly victim: Uint8Array | null
  readonly last: Uint8Array | null
  readonly draws: Draws
  /** States of this round that are there already, from the first on: what a miner that was killed had saved. */
  readonly resume?: readonly MinerState[]
  /** Told of each state as it is reached, those of `resume` excepted. */
  readonly onState?: (state: MinerState, index: number) => Promise<void>
}

export interface RoundOutput {
  /** The update; null where an attack has nothing to send. */
  readonly file: Uint8Array | null
  /** `segments + 1` of them. */
  readonly states: readonly MinerState[]
  /** What goes to the next round. */
  readonly kept: Kept
  /** Steps that were really taken. */
  readonly steps: number
  /** Mean loss of the last segment that was trained here, in nats a token; NaN where none was. */
  readonly loss: number
}

/** Does a miner's round, honestly or by an attack: trains to each segment's end, encodes, writes the file. Pure but for what it is given. */
export const performRound = async (input: RoundInput): Promise<RoundOutput> => {
  const of = { ...input, attack: attackNow(input) }
  const { attack, optimiser, params, about } = of
  const trained = await trainSegments(of)
  const end = trained.states.at(-1) ?? trained.start
  const honest = progressOf({ optimiser, start: trained.start.params, end, passes: passesOf(of.terms) })
  const progress = attack?.progress?.({ progress: honest, layout: of.layout, draws: of.draws }) ?? honest
  const { payload, carried } = optimiser.encode({ progress, carried: of.kept.carried })
  const head: UpdateHead = {
    ...about,
    version: 1,
    optimiser: optimiser.kind,
    size: params.length,
    states: statesTree(trained.states.map(stateNames)).root,
  }
  const file = encodeUpdate({ head, payload })
  const written =
    attack?.write === undefined
      ? file
      : attack.write({ ...of, head, payload, file, limits: of.terms.limits, optimiser })
  return { file: written, states: trained.states, kept: { moments: end.moments, carried }, ...trained.done }
}

/** Finds the attack of this round: who sends the last update again has to work in every second round, to have one. */
const attackNow = ({ attack, last, about }: RoundInput): TrainingAttack | null =>
  attack?.needs === 'last' && (last === null || about.round % 2 === 0) ? null : attack

/** Names a state's four files. */
export const stateNames = (state: MinerState): ReturnType<typeof namesOf> => {
  const { first, second, steps } = state.moments
  return namesOf({ params: state.params, first, second, carried: state.carried, steps, step: state.step })
}

/** Counts the passes of the step graph that a round takes. */
export const passesOf = ({ local }: Pick<TrainingTerms, 'local'>): number => local.steps * local.accumulate

/**
 * Finds what a round's work came to: start minus end of the parameters, or the mean of the gradients that `first` sums up.
 * @param of.end the state at the end of the last segment
 */
export const progressOf = (of: {
  readonly optimiser: Pick<Optimiser, 'local'>
  readonly start: Float32Array
  readonly end: Pick<LocalPlace, 'params' | 'moments'>
  readonly passes: number
}): Float32Array => {
  const { start, end, passes } = of
  if (of.optimiser.local === 'gradient') return end.moments.first.map((sum) => sum / passes)
  return start.map((value, index) => value - (end.params[index] ?? 0))
}

interface Trained {
  readonly start: MinerState
  readonly states: readonly MinerState[]
  readonly done: Pick<RoundOutput, 'steps' | 'loss'>
}

const trainSegments = async (of: RoundInput): Promise<Trained> => {
  const { terms, kept } = of
  const { work = HONEST_WORK } = of.attack ?? {}
  const taken = work.steps(terms.local.steps)
  const states: MinerState[] = [...(of.resume ?? [])]
  const windowsOf = windowsFor(of)
  const reach = async (state: MinerState): Promise<MinerState> => {
    await of.onState?.(state, states.length)
    states.push(state)
    return state
  }
  const start = states[0] ?? (await reach(startOf(of)))
  let state = states.at(-1) ?? start
  let loss = Number.NaN
  for (let index = states.length; index <= terms.gauntlet.segments; index += 1) {
    const claimed = boundaryStep({ steps: terms.local.steps, segments: terms.gauntlet.segments, index })
    const to = Math.min(claimed, taken)
    if (to > state.step) {
      const run = await of.train({ start: state, to, windowsOf })
      loss = run.loss
      state = { ...run.state, carried: kept.carried }
    }
    const behind = claimed - state.step // steps that were not taken, and that it says were
    const moments = { ...state.moments, steps: state.moments.steps + behind }
    await reach(behind === 0 ? state : { ...state, moments, step: claimed })
  }
  return { start, states, done: { steps: taken, loss } }
}

const startOf = ({ attack, params, layout, draws, kept, optimiser }: RoundInput): MinerState => ({
  step: 0,
  params: attack?.work.from === 'other' ? otherModel({ params, layout, draws }) : params,
  moments: optimiser.local === 'gradient' ? { ...kept.moments, first: new Float32Array(params.length) } : kept.moments,
  carried: kept.carried,
})

const windowsFor = ({ attack, terms, assigned, others }: RoundInput): ((pass: number) => PassWindows) => {
  const { windows, poison } = attack?.work ?? HONEST_WORK
  const chosen = windows === 'others' ? others : assigned
  return poison ? (pass) => poisoned({ windows: chosen(pass), length: terms.local.length }) : chosen
}
