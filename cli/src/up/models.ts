import { findModel } from '@arbor/engine/find-model'
import { readModelFolder } from '@arbor/engine/folder'
import { findThresholds, thresholdsHash } from '@arbor/engine/thresholds'
import { SubnetError } from '@arbor/shared/errors'
import { inferenceSpecifier } from '@arbor/subnet-spec/inference-specifier'
import { loadSpec, specifierOf } from '@arbor/subnet-spec/load'
import type { RoundTerms } from './training/state.ts'

/** What the processes of a local net are told to serve. */
export interface Served {
  /** Specifier of the subnet spec. */
  readonly spec: string
  readonly modelName: string
  /** Path of the model folder. */
  readonly model: string
  /** Time between blocks that leaves a round's answers and checks room on a small machine. */
  readonly blockTime: string
  /** Set where its miners train a model, in place of answering questions. */
  readonly training: RoundTerms | null
}

/** Bytes of weights that the slowest machine of such a net reads in a second: each token takes all of them once. */
const BYTES_PER_SECOND = 8e9
/** A model of a few megabytes is bound by other things. */
const MOST_TOKENS_PER_SECOND = 400
/** A round of ten of them holds the local steps of seven miners and what two validators measure, on two cores. */
const TRAINING_BLOCKS = '2s'
/** Below this a round of five blocks of a second is too short for a handful of miners on two cores. */
const FAST_TOKENS_PER_SECOND = 200

/**
 * Finds what a local net serves: the subnet of a model by its name, or that of a spec.
 * @throws MODEL_* when the model is not there or not usable, UP_NOT_CALIBRATED, SPEC_*
 */
export async function served(of: {
  readonly spec: string
  readonly model: string | undefined
  readonly cwd: string
}): Promise<Served> {
  const { cwd } = of
  if (of.model !== undefined) return servedModel(findModel({ model: of.model, cwd }))
  const spec = specifierOf(of.spec, cwd)
  const { model, training: terms, roundsPerEpoch } = await loadSpec(spec)
  const training = terms === undefined ? null : { phases: terms.phases, roundsPerEpoch }
  const blockTime = training === null ? '1s' : TRAINING_BLOCKS
  return { spec, modelName: model.name, model: findModel({ model: model.name, cwd }), blockTime, training }
}

async function servedModel(folder: string): Promise<Served> {
  const { id, card, config } = await readModelFolder({ folder })
  const proof = 'residue'
  if (findThresholds(card.thresholds, { profile: id.profile, provider: 'cpu', proof }) === undefined)
    throw notCalibrated(id.name, id.profile)
  const bytes = card.files.reduce((sum, file) => sum + file.bytes, 0)
  const tokensPerSecond = Math.min(MOST_TOKENS_PER_SECOND, Math.round(BYTES_PER_SECOND / bytes))
  const spec = inferenceSpecifier({
    model: { name: id.name, hash: id.hash, thresholds: thresholdsHash(card.thresholds) },
    speed: { tokensPerSecond, context: config.context },
    vocabulary: config.vocabulary,
    proof,
  })
  const blockTime = tokensPerSecond >= FAST_TOKENS_PER_SECOND ? '1s' : '4s'
  return { spec, modelName: id.name, model: folder, blockTime, training: null }
}

const notCalibrated = (name: string, profile: string): SubnetError =>
  new SubnetError({
    code: 'UP_NOT_CALIBRATED',
    message: `The card of ${name} has no limits for ${profile} on the CPU, so nobody can judge its answers; run arbor model calibrate ${name}`,
    details: { name, profile },
  })
