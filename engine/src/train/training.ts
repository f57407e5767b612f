import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Provider } from '@arbor/shared/inference'
import type { Layout, LocalTerms } from '@arbor/shared/training'
import type { Ms } from '@arbor/shared/units'
import { startContained } from '../contained/start.ts'
import type { ContainedLog, ContainedStats } from '../contained/types.ts'
import type { RefusedProvider } from '../session.ts'
import { type BatchShape, copyTokens } from './batches.ts'
import type { OpenGraphsOptions } from './graphs.ts'
import type { TrainingJob, TrainingProgress, TrainingResult } from './jobs.ts'
import type { LocalState, Windows } from './types.ts'

export interface OpenTrainingOptions extends OpenGraphsOptions {
  /** Threads that each run jobs of their own; 1 when absent. */
  readonly workers?: number
  /** Jobs that may wait beyond those that run; 64 when absent. */
  readonly maxQueue?: number
  readonly log: ContainedLog
  /** Aborts every job and ends the process. */
  readonly signal: AbortSignal
  readonly clock?: Clock
}

/** A model's step graphs in a process of their own; safe to call from a main loop. */
export interface Training {
  readonly layout: Layout
  readonly provider: Provider
  /** Providers that were asked for and could not be used. */
  readonly refused: readonly RefusedProvider[]
  /** Parameters as the model's folder holds them. */
  initial(signal: AbortSignal): Promise<Float32Array>
  /**
   * Takes steps of a round, from the start's to `to`. A replay is the same call: equal inputs give equal bits on one provider.
   * @param of.at steps after which `onState` is handed the state
   * @throws TRAIN_NOT_FINITE, TRAIN_SIZE_INVALID, TRAIN_WINDOW_INVALID, TRAIN_BATCH_INVALID, ENGINE_ABORTED
   */
  train(of: {
    readonly terms: LocalTerms
    readonly start: LocalState
    readonly to: number
    /** Windows of a pass: pass number `step * accumulate + k`. */
    readonly windowsOf: (pass: number) => Windows
    readonly at?: readonly number[]
    readonly onStep?: (of: { readonly step: number; readonly loss: number }) => void
    readonly onState?: (state: LocalState) => void
    readonly signal: AbortSignal
  }): Promise<LocalState>
  /** Averages the gradients, and losses in nats, of passes [first, first + passes) at fixed parameters. */
  gradient(of: {
    readonly shape: BatchShape
    readonly params: Float32Array
    readonly first: number
    readonly passes: number
    readonly windowsOf: (pass: number) => Windows
    readonly signal: AbortSignal
  }): Promise<{ readonly gradient: Float32Array; readonly loss: number }>
  /** Computes the mean loss a token over batches, in nats. */
  measure(of: {
    readonly shape: BatchShape
    readonly params: Float32Array
    readonly windows: readonly Windows[]
    readonly signal: AbortSignal
  }): Promise<number>
  /** Computes the mean loss a token of each batch, in nats. */
  losses(of: Parameters<Training['measure']>[0]): Promise<readonly number[]>
  stats(): ContainedStats
  close(): Promise<void>
}

const MAX_QUEUE = 64
const ABORT_GRACE_MS = 120_000 as Ms // a step of a model of 135 million parameters takes a slow core about 30 s

/**
 * Starts a process that trains and measures.
 * @throws TRAIN_FOLDER_INVALID, TRAIN_MODEL_MISMATCH, TRAIN_TENSOR_UNFIT, ENGINE_NO_PROVIDER
 */
export const openTraining = async (of: OpenTrainingOptions): Promise<Training> => {
  const { folder, model, providers, threads, precision, workers = 1, maxQueue = MAX_QUEUE, log, signal, clock } = of
  const contained = startContained<TrainingJob, TrainingResult, TrainingProgress>({
    worker: new URL('./worker.ts', import.meta.url),
    workerData: {
      folder,
      model,
      ...(providers && { providers }),
      ...(threads && { threads }),
      ...(precision && { precision }),
    },
    ...{ threads: workers, maxQueue, log, signal, abortGraceMs: ABORT_GRACE_MS, ...(clock && { clock }) },
  })
  const ask = async <Kind extends TrainingResult['kind']>(
    job: Extract<TrainingJob, { kind: Kind }>,
    options: Parameters<typeof contained.run>[1],
  ): Promise<Extract<TrainingResult, { kind: Kind }>> => {
    const result = await contained.run(job, options)
    if (result.kind === job.kind) return result as Extract<TrainingResult, { kind: Kind }>
    throw new SubnetError({ code: 'ENGINE_JOB_FAILED', message: `A ${job.kind} job was answered by ${result.kind}` })
  }
  const opened = await ask({ kind: 'open' }, { signal }).catch(async (error: unknown) => {
    await contained.close()
    throw error
  })
  const lossesOf: Training['losses'] = async ({ shape, params, windows, signal }) => {
    const none: Windows = { tokens: new Uint16Array(), starts: [] }
    const tokens = copyTokens(shape, 0, windows.length, (pass) => windows[pass] ?? none)
    return (await ask({ kind: 'measure', shape, params, tokens }, { signal })).losses
  }
  return {
    ...{ layout: opened.layout, provider: opened.provider, refused: opened.refused },
    initial: async (signal) => (await ask({ kind: 'initial' }, { signal })).params,
    train: async ({ terms, start, to, windowsOf, at = [], onStep, onState, signal }) => {
      const passes = Math.max(0, to - start.step) * terms.accumulate
      const tokens = copyTokens(terms, start.step * terms.accumulate, passes, windowsOf)
      const onProgress = (progress: TrainingProgress): void => {
        if (progress.kind === 'step') onStep?.({ step: progress.step, loss: progress.loss })
        else onState?.(progress.state)
      }
      return (await ask({ kind: 'train', terms, start, to, at, tokens }, { signal, onProgress })).state
    },
    gradient: async ({ shape, params, first, passes, windowsOf, signal }) => {
      const tokens = copyTokens(shape, first, passes, windowsOf)
      const { gradient, loss } = await ask({ kind: 'gradient', shape, params, tokens }, { signal })
      return { gradient, loss }
    },
    measure: async (asked) => {
      const losses = await lossesOf(asked)
      return losses.reduce((sum, loss) => sum + loss, 0) / losses.length
    },
    losses: lossesOf,
    stats: contained.stats,
    close: contained.close,
  }
}
