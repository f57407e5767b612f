import type { Provider } from '@arbor/shared/inference'
import { bytesPerToken } from '../cache-spec.ts'
import type { ModelCard } from '../card.ts'
import type { Decoder } from '../decoder.ts'
import type { ModelConfig } from '../model-config.ts'
import type { CachePlace, RefusedProvider } from '../session.ts'
import { probeBatch } from './probe.ts'
import type { BatchLimits, BatchStats } from './types.ts'

/** Bounds of an engine's batch, and why they are lower than asked for. */
export interface Limits extends BatchLimits {
  /** Bytes of cache that one token takes; a run holds what it read, what it wrote and a copy of that: three times as much. */
  readonly bytesPerToken: number
  /** Why answers run one by one although more were asked for; null where they do not. */
  readonly single: string | null
}

/** What an engine does, did and may do. */
export interface EngineStats extends BatchStats {
  readonly limits: Limits
  readonly provider: Provider
  readonly refusedProviders: readonly RefusedProvider[]
  readonly cache: CachePlace
}

/** Cache of running answers by default, and the share of it that is kept of earlier ones. */
const DEFAULT_BYTES = 512 * 2 ** 20
const PREFIX_SHARE = 1 / 4
const UNBATCHED = "the model's card says that rows change each other's answers"
/** Answers that may wait. */
const WAITING = 256

/** Finds the bounds of a batch; whether rows may run together at all is tried out. */
export const limitsOf = async (
  model: {
    readonly decoder: Decoder
    readonly config: ModelConfig
    readonly folder: { readonly card: Pick<ModelCard, 'batches'> }
  },
  of: { readonly batch?: number; readonly cacheTokens?: number },
): Promise<Limits> => {
  const { decoder, config, folder } = model
  const { batch = 1 } = of
  const bytes = bytesPerToken(decoder.specs)
  const single = batch === 1 ? null : folder.card.batches ? await probeBatch(decoder) : UNBATCHED
  const rows = single === null ? batch : 1
  const whole = Math.min(rows * config.context, Math.floor(DEFAULT_BYTES / bytes))
  const cacheTokens = of.cacheTokens ?? Math.max(config.context, whole)
  const prefixTokens = Math.floor(cacheTokens * PREFIX_SHARE)
  return { rows, cacheTokens, prefixTokens, waiting: WAITING, bytesPerToken: bytes, single }
}
