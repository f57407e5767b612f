import { join } from 'node:path'
import type { ChainClient } from '@arbor/chain/client/types'
import type { Blocks, NetUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec } from '@arbor/subnet-spec/load'
import { roundBlocks } from '@arbor/subnet-spec/rounds'
import type { NetPaths } from '../command-lines.ts'
import type { Served } from '../models.ts'
import type { NetState } from '../state.ts'
import type { MergedRound } from './baseline.ts'
import { type TrainingReport, trainingReport } from './report.ts'

/** What a training net leaves behind that its report is made of: read before the chain ends, computed after. */
export interface Outcome {
  readonly spec: SubnetSpec
  readonly rounds: readonly MergedRound[] | null
}

/** Reads from the chain what the report needs of it; null where miners answer questions. */
export async function readOutcome(of: {
  readonly chain: ChainClient
  readonly serving: Served
  readonly state: NetState
}): Promise<Outcome | null> {
  const { chain, serving, state } = of
  const { training: view, tempo } = state
  if (view === null || tempo === null) return null
  const spec = await loadSpec(serving.spec)
  if (spec.training === undefined) return null
  const { mergedRounds } = await import('./baseline.ts')
  const length = roundBlocks({ tempo: tempo as Blocks, roundsPerEpoch: spec.roundsPerEpoch })
  return { spec, rounds: await mergedRounds({ chain, view, terms: spec.training, length }) }
}

/** Reports a training net, and computes what its first honest miner comes to alone. */
export async function reportOutcome(of: {
  readonly outcome: Outcome
  readonly serving: Served
  readonly paths: NetPaths
  readonly state: NetState
  readonly netuid: NetUid
  readonly cwd: string
  readonly signal: AbortSignal
}): Promise<TrainingReport | undefined> {
  const { outcome, serving, paths, state, netuid, cwd, signal } = of
  const { training: view } = state
  const { spec, rounds } = outcome
  if (view === null || spec.training === undefined) return undefined
  const honest = state.miners.find(({ kind, uid }) => kind === 'honest' && uid !== null)
  const [validator] = state.validators
  if (rounds === null || honest === undefined || honest.uid === null || validator === undefined)
    return trainingReport(view, null)
  const { computeAlone } = await import('./baseline.ts')
  const alone = await computeAlone({
    ...{ spec, terms: spec.training, model: serving.model, netuid, view, rounds, cwd, signal },
    miner: { hotkey: honest.hotkey, uid: honest.uid },
    fileOf: (name) => join(paths.data, validator.name, 'blobs', name.slice(2)),
  })
  return trainingReport(view, alone)
}

/** Says in words what came of it. */
export function outcomeLines({ loss, alone }: TrainingReport): readonly string[] {
  const [first, last] = [loss.find((each) => each !== null), loss.findLast((each) => each !== null)]
  if (first === undefined || last === undefined || first === null || last === null) return []
  return [
    '',
    `held-out loss of the model: ${first.toFixed(4)} before, ${last.toFixed(4)} after ${loss.length - 1} rounds together`,
    ...(alone === null ? [] : [`one miner alone: ${alone.loss.toFixed(4)} after the same ${alone.steps} local steps`]),
  ]
}
