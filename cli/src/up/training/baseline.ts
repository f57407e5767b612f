import { readFileSync } from 'node:fs'
import type { ChainClient } from '@arbor/chain/client/types'
import { findDataset } from '@arbor/engine/dataset/find'
import { openDataset } from '@arbor/engine/dataset/open'
import { trainingFolderOf } from '@arbor/engine/train/folder'
import { openTraining } from '@arbor/engine/train/training'
import type { Windows } from '@arbor/engine/train/types'
import type { Blocks, Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { checkpointName, decodeCheckpoint } from '@arbor/subnet-spec/finetune/checkpoint'
import { phasesOf } from '@arbor/subnet-spec/finetune/phases'
import type { TrainingTerms } from '@arbor/subnet-spec/finetune/types'
import { assignedWindows } from '@arbor/subnet-spec/finetune/windows'
import { heldOutBatches } from '@arbor/validator/training/held-out'
import { type Alone, trainAlone } from './alone.ts'
import type { TrainingView } from './state.ts'

/** A round that was merged, and the hash of its first block, from which its data follow. */
export interface MergedRound {
  readonly round: number
  readonly blockHash: Hex
}

/**
 * Reads from the chain where the rounds of a view began; those in which nothing was merged are left out.
 * @param of.length blocks of a round
 * @returns null where the chain no longer knows one of them
 */
export async function mergedRounds(of: {
  readonly chain: Pick<ChainClient, 'blockHash'>
  readonly view: TrainingView
  readonly terms: TrainingTerms
  readonly length: Blocks
}): Promise<readonly MergedRound[] | null> {
  const { chain, view, terms, length } = of
  const rounds: MergedRound[] = []
  for (const { round } of view.checkpoints.slice(1).filter(({ merged }) => merged > 0)) {
    const { start } = phasesOf({ terms: terms.phases, length, round: round - 1 })
    const blockHash = await chain.blockHash(start)
    if (blockHash === null) return null
    rounds.push({ round: round - 1, blockHash })
  }
  return rounds
}

/**
 * Computes what one miner alone comes to with the steps that led to a view's newest checkpoint: from the checkpoint that the view began with.
 * @param of.model path of the model's folder
 * @param of.fileOf where a validator keeps a checkpoint by its name
 * @returns null where nothing was merged, or the first checkpoint is neither the model itself nor on the disk
 */
export async function computeAlone(of: {
  readonly spec: SubnetSpec
  readonly terms: TrainingTerms
  readonly model: string
  readonly netuid: NetUid
  readonly miner: { readonly hotkey: Ss58; readonly uid: Uid }
  readonly view: TrainingView
  readonly rounds: readonly MergedRound[]
  readonly fileOf: (name: Hex) => string
  readonly cwd: string
  readonly signal: AbortSignal
}): Promise<Alone | null> {
  const { terms, model, netuid, miner, rounds, cwd, signal } = of
  if (rounds.length === 0) return null
  const { local } = terms
  const folder = findDataset({ dataset: terms.data.name, cwd })
  const { train, heldOut } = await openDataset({ folder, id: terms.data, length: local.length })
  const training = await openTraining({ folder: trainingFolderOf(model), model, log: SILENT, signal })
  try {
    const start = startOf(of, await training.initial(signal))
    if (start === null) return null
    const windowsOf = ({ round, blockHash }: MergedRound): ((pass: number) => Windows) => {
      const starts = assignedWindows({ blockHash, netuid, round, uid: miner.uid, tokens: train.length, local })
      return (pass) => ({ tokens: train, starts: starts(pass) })
    }
    return await trainAlone({
      ...{ hotkey: miner.hotkey, training, terms: local, start, signal },
      rounds: rounds.map(windowsOf),
      heldOut: heldOutBatches({ tokens: heldOut.length, local }).map(({ starts }) => ({ tokens: heldOut, starts })),
    })
  } finally {
    await training.close()
  }
}

const SILENT = { info: () => undefined, warn: () => undefined }

/** Finds the parameters that a view's first checkpoint has: those of the model's folder, or of a file that was kept. */
function startOf(
  of: Pick<Parameters<typeof computeAlone>[0], 'spec' | 'view' | 'fileOf'>,
  initial: Float32Array,
): Float32Array | null {
  const [first] = of.view.checkpoints
  const [name] = Object.values(first?.by ?? {})
  if (first === undefined || name === undefined) return null
  const spec = { name: of.spec.name, version: of.spec.version }
  const outer = new Float32Array(initial.length)
  if (checkpointName({ round: first.round, spec, params: initial, outer }) === name) return initial
  try {
    return decodeCheckpoint({ file: readFileSync(of.fileOf(name)), size: initial.length, name, spec }).params
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
