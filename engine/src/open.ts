import { SubnetError } from '@arbor/shared/errors'
import type { InferenceEngine } from '@arbor/shared/inference'
import type { Thresholds } from './card.ts'
import { check } from './check.ts'
import { type Decoder, openDecoder } from './decoder.ts'
import { type ModelFolder, readModelFolder } from './folder.ts'
import { type GenerateDeps, generate } from './generate.ts'
import { prepareRequest } from './request.ts'
import { openSession, type Provider, type RefusedProvider } from './session.ts'
import { openTokenizer } from './tokenizer.ts'

export interface OpenEngineOptions {
  /** Path of a model folder. */
  readonly folder: string
  /** Threads that one inference uses; 1 when absent, and workers give scale. */
  readonly threads?: number
  /** Execution providers in order of preference; the CPU when absent. */
  readonly providers?: readonly Provider[]
  /** Limits that replace those of the card: for calibration. */
  readonly thresholds?: Thresholds
}

/** A loaded model; close it to free its memory. */
export interface OpenedEngine extends InferenceEngine {
  readonly provider: Provider
  /** Providers that were asked for and could not be used. */
  readonly refusedProviders: readonly RefusedProvider[]
  /** Stops generations at their next token and frees the session. */
  close(): Promise<void>
}

/** A model that is loaded and ready to run. */
export interface OpenedModel extends GenerateDeps, Pick<OpenedEngine, 'provider' | 'refusedProviders'> {
  readonly folder: ModelFolder
  release(): Promise<void>
}

/**
 * Loads a model folder after checking its content against its card.
 * @throws MODEL_MISSING, MODEL_INCOMPLETE, MODEL_CARD_INVALID, MODEL_MISMATCH, MODEL_UNSUPPORTED, ENGINE_NO_PROVIDER
 */
export const openModel = async (of: Omit<OpenEngineOptions, 'thresholds'>): Promise<OpenedModel> => {
  const folder = await readModelFolder(of)
  const { session, provider, refused } = await openSession({
    graph: folder.graph,
    providers: of.providers ?? ['cpu'],
    threads: of.threads ?? 1,
  })
  return {
    folder,
    provider,
    refusedProviders: refused,
    config: folder.config,
    tokenizer: openTokenizer(folder.tokenizer),
    decoder: openDecoder(session),
    release: () => session.release(),
  }
}

/**
 * Opens an engine that generates and checks.
 * @throws what `openModel` throws; `check` throws ENGINE_NOT_CALIBRATED where the card has no limits for its profile
 */
export const openEngine = async (of: OpenEngineOptions): Promise<OpenedEngine> => {
  const model = await openModel(of)
  const { id, card } = model.folder
  const thresholds = of.thresholds ?? card.thresholds.find((each) => each.profile === id.profile)
  let closed = false
  const decoder: Decoder = {
    empty: model.decoder.empty,
    step: (tokens, cache) => (closed ? Promise.reject(closedError(id.name)) : model.decoder.step(tokens, cache)),
  }
  const deps: GenerateDeps = { decoder, tokenizer: model.tokenizer, config: model.config }
  const prepare = (request: Parameters<InferenceEngine['generate']>[0]) => prepareRequest({ request, ...deps })
  return {
    model: id,
    provider: model.provider,
    refusedProviders: model.refusedProviders,
    generate: async (request, options = {}) => generate(deps, prepare(request), options),
    check: async (request, generation) => {
      if (thresholds === undefined) throw notCalibrated(id.name, id.profile)
      return check({ ...deps, thresholds }, prepare(request), generation)
    },
    close: async () => {
      if (closed) return
      closed = true
      await model.release()
    },
  }
}

const closedError = (name: string): SubnetError =>
  new SubnetError({
    code: 'ENGINE_CLOSED',
    message: `The engine of ${name} is closed; open it again`,
    details: { name },
  })

const notCalibrated = (name: string, profile: string): SubnetError =>
  new SubnetError({
    code: 'ENGINE_NOT_CALIBRATED',
    message: `The card of ${name} has no thresholds for ${profile}; run scripts/models/calibrate.ts on its folder`,
    details: { name, profile },
  })
