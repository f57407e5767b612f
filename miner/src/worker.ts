import { randomBytes } from 'node:crypto'
import { openAttack } from '@arbor/engine/attacks/open'
import type { EngineStats } from '@arbor/engine/batch/limits'
import type { WorkerContext } from '@arbor/engine/contained/worker-context'
import { type OpenedEngine, openEngine } from '@arbor/engine/open'
import { SubnetError } from '@arbor/shared/errors'
import type { ModelId, Provider } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec } from '@arbor/subnet-spec/load'

/** What a worker needs to start. */
export interface MinerWorkerData {
  readonly spec: string
  /** Path of the model folder. */
  readonly model: string
  /** Answers that this thread runs at once. */
  readonly batch: number
  /** Execution providers in order of preference. */
  readonly providers: readonly Provider[]
  /** Tokens of cache for running answers; null for the engine's default. */
  readonly cacheTokens: number | null
  /** Attack that answers in place of the model, and the folder that keeps its weights; null for an honest miner. */
  readonly cheat: { readonly attack: string; readonly into: string } | null
}

/** Loads the model, or answers one request. */
export type MinerJob =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'solve'
      readonly task: string
      readonly request: unknown
      /** 32 bytes that the answer is made under. */
      readonly binding: Hex
      /** Whether the text is wanted as it comes to be, as the job's progress. */
      readonly stream?: boolean
    }

/** What was loaded, and what it runs on. */
export interface OpenedResult extends Pick<EngineStats, 'provider' | 'limits' | 'cache'> {
  readonly kind: 'opened'
  readonly model: ModelId
  readonly refused: EngineStats['refusedProviders']
}

/** What was loaded, or the answer. */
export type MinerResult = OpenedResult | { readonly kind: 'solved'; readonly response: unknown }

let opening: Promise<{ readonly spec: SubnetSpec; readonly engine: OpenedEngine }> | undefined

/** Runs a job in this thread, on a model that is loaded once. */
export default async function work(
  job: MinerJob,
  context: WorkerContext<MinerWorkerData, string>,
): Promise<MinerResult> {
  opening ??= open(context.workerData)
  const { spec, engine } = await opening
  if (job.kind === 'open') {
    const { provider, limits, cache, refusedProviders: refused } = engine.stats()
    return { kind: 'opened', model: engine.model, provider, limits, cache, refused }
  }
  const task = spec.tasks[job.task]
  if (task === undefined) {
    throw new SubnetError({
      code: 'MINER_NO_SUCH_TASK',
      message: `The subnet ${spec.name} has no task ${job.task}; ask for one of its own`,
    })
  }
  const emit = job.stream === true ? context.progress : undefined
  const { request, binding } = job
  return { kind: 'solved', response: await task.solve({ request, binding, engine, signal: context.signal, emit }) }
}

const open = async ({
  spec,
  model,
  cheat,
  batch,
  providers,
  cacheTokens,
}: MinerWorkerData): Promise<{ readonly spec: SubnetSpec; readonly engine: OpenedEngine }> => {
  const options = { folder: model, threads: 1, batch, providers, ...(cacheTokens === null ? {} : { cacheTokens }) }
  const opening = cheat === null ? openEngine(options) : openAttack({ ...options, ...cheat, random: randomBytes })
  const [loaded, engine] = await Promise.all([loadSpec(spec), opening])
  return { spec: loaded, engine }
}
