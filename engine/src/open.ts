import type { SubnetError } from '@arbor/shared/errors'
import type {
  CheckShare,
  GenerateRequest,
  Generation,
  InferenceEngine,
  ModelId,
  Provider,
} from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import { createBatch } from './batch/batch.ts'
import { openDeviceRows } from './batch/device-rows.ts'
import { type EngineStats, type Limits, limitsOf } from './batch/limits.ts'
import { cacheSpecs } from './cache-spec.ts'
import { type CheckDeps, check, type Explanation, explain } from './check.ts'
import { type Decoder, openDecoder } from './decoder.ts'
import { closed, notCalibrated, otherThresholds } from './errors.ts'
import { type ModelFolder, readModelFolder } from './folder.ts'
import { createAnswer } from './generate.ts'
import type { ModelConfig } from './model-config.ts'
import { type PreparedRequest, prepareRequest } from './request.ts'
import { type CachePlace, openSession, type RefusedProvider } from './session.ts'
import { findThresholds, type Thresholds, thresholdsHash } from './thresholds.ts'
import { openTokenizer, type Tokenizer } from './tokenizer.ts'

export interface OpenModelOptions {
  /** Path of a model folder. */
  readonly folder: string
  /** Threads that one inference uses; 1 when absent, and workers give scale. */
  readonly threads?: number
  /** Execution providers in order of preference; the CPU when absent. */
  readonly providers?: readonly Provider[]
}

export interface EngineOptions {
  /** Answers that run at once; 1 when absent, and others wait. */
  readonly batch?: number
  /** Tokens of cache that running answers may take together, prompts and padding included; by default what 512 MiB hold. */
  readonly cacheTokens?: number
  /** Limits that replace those of the card: for calibration. */
  readonly thresholds?: readonly Thresholds[]
  /** Hash that the limits must have, so that all judge by the same ones. */
  readonly thresholdsHash?: Hex
  /** Model under whose name tokens are drawn and proved in place of the folder's own: for cheats. */
  readonly claims?: ModelId
}

export interface OpenEngineOptions extends OpenModelOptions, EngineOptions {}

/** A loaded model; close it to free its memory. */
export interface OpenedEngine extends InferenceEngine {
  readonly provider: Provider
  /** Providers that were asked for and could not be used. */
  readonly refusedProviders: readonly RefusedProvider[]
  /** Checks an answer as `check` does, and says what each chunk and each token measured. */
  explain(request: GenerateRequest, generation: Generation, share?: CheckShare): Promise<Explanation>
  stats(): EngineStats
  /** Stops generations at their next token and frees the session. */
  close(): Promise<void>
}

type Judge<Outcome> = (
  deps: CheckDeps,
  request: PreparedRequest,
  answer: unknown,
  share: CheckShare | undefined,
) => Promise<Outcome>

/** A model that is loaded and ready to run. */
export interface OpenedModel extends Pick<OpenedEngine, 'provider' | 'refusedProviders'> {
  readonly folder: ModelFolder
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
  readonly decoder: Decoder
  readonly cache: CachePlace
  release(): Promise<void>
}

/**
 * Loads a model folder after checking its content against its card.
 * @throws MODEL_MISSING, MODEL_INCOMPLETE, MODEL_CARD_INVALID, MODEL_MISMATCH, MODEL_UNSUPPORTED, ENGINE_NO_PROVIDER
 */
export const openModel = async (of: OpenModelOptions): Promise<OpenedModel> => {
  const folder = await readModelFolder(of)
  const { session, provider, refused, cache } = await openSession({
    graph: folder.graph,
    providers: of.providers ?? ['cpu'],
    threads: of.threads ?? 1,
  })
  try {
    const moving = cache.place === 'device' ? await openDeviceRows(cacheSpecs(session)) : undefined
    return {
      folder,
      provider,
      refusedProviders: refused,
      cache,
      config: folder.config,
      tokenizer: openTokenizer(folder.tokenizer),
      decoder: openDecoder(session, moving?.assemble),
      release: async () => {
        await moving?.release()
        await session.release()
      },
    }
  } catch (error) {
    await session.release()
    throw error
  }
}

/**
 * Opens an engine that generates and checks.
 * @throws what `openModel` throws, and MODEL_THRESHOLDS_MISMATCH; `check` throws ENGINE_NOT_CALIBRATED where the card has no limits
 * for its profile, the provider and the proof
 */
export const openEngine = async (of: OpenEngineOptions): Promise<OpenedEngine> => {
  const model = await openModel(of)
  try {
    return await engineOf(model, of)
  } catch (error) {
    await model.release()
    throw error
  }
}

/** Makes an engine of a loaded model, which it releases when it is closed. */
export const engineOf = async (model: OpenedModel, of: EngineOptions = {}): Promise<OpenedEngine> => {
  const { config, tokenizer, provider, refusedProviders } = model
  const id = of.claims ?? model.folder.id
  const list = of.thresholds ?? model.folder.card.thresholds
  if (of.thresholdsHash !== undefined && thresholdsHash(list) !== of.thresholdsHash) {
    throw otherThresholds(id.name, { found: thresholdsHash(list), expected: of.thresholdsHash })
  }
  const limits: Limits = await limitsOf(model, of)
  const batch = createBatch({ decoder: model.decoder, limits })
  const prepare = (request: Parameters<InferenceEngine['generate']>[0]) =>
    prepareRequest({ request, config, tokenizer })
  let ending: Promise<void> | undefined
  const mustBeOpen = (): void => {
    if (ending !== undefined) throw closed(id.name)
  }
  const end = async (error: SubnetError): Promise<void> => {
    await batch.close(error)
    await Promise.allSettled(checks)
    await model.release()
  }
  const checks = new Set<Promise<unknown>>()
  const judging =
    <Outcome>(judge: Judge<Outcome>) =>
    async (request: GenerateRequest, generation: Generation, share?: CheckShare): Promise<Outcome> => {
      mustBeOpen()
      const prepared = prepare(request)
      const about = { profile: id.profile, provider, proof: prepared.proof }
      const thresholds = findThresholds(list, about)
      if (thresholds === undefined) throw notCalibrated(id.name, about)
      const judged = judge({ ...model, model: id, thresholds }, prepared, generation, share)
      checks.add(judged)
      return judged.finally(() => checks.delete(judged))
    }
  return {
    model: id,
    provider,
    refusedProviders,
    generate: async (request, options = {}) => {
      mustBeOpen()
      const answer = createAnswer({ request: prepare(request), model: id, config, tokenizer, options })
      await batch.run(answer)
      return answer.generation()
    },
    check: judging(check),
    explain: judging(explain),
    stats: () => ({ ...batch.stats(), limits, provider, refusedProviders, cache: model.cache }),
    close: () => {
      ending ??= end(closed(id.name))
      return ending
    },
  }
}
