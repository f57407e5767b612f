import { randomBytes } from 'node:crypto'
import { openAttack } from '@arbor/engine/attacks/open'
import { openBackend } from '@arbor/engine/backends/open'
import type { Backend } from '@arbor/engine/backends/types'
import type { EngineStats } from '@arbor/engine/batch/limits'
import type { WorkerContext } from '@arbor/engine/contained/worker-context'
import { type OpenedEngine, openEngine } from '@arbor/engine/open'
import { SubnetError } from '@arbor/shared/errors'
import type { InferenceEngine, ModelId, Provider } from '@arbor/shared/inference'
import { openOnce } from '@arbor/shared/open-once'
import type { Hex } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec } from '@arbor/subnet-spec/load'
import type { MinerBackend } from './backend.ts'

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
  /** Who computes in place of our own sessions; null for these. */
  readonly backend: MinerBackend | null
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
export interface OpenedResult {
  readonly kind: 'opened'
  readonly model: ModelId
  /** Null where a backend computes. */
  readonly own:
    | (Pick<EngineStats, 'provider' | 'limits' | 'cache'> & { readonly refused: EngineStats['refusedProviders'] })
    | null
  /** Null where our own sessions compute. */
  readonly backend: Pick<Backend, 'kind' | 'about' | 'proofs'> | null
}

/** What was loaded, or the answer. */
export type MinerResult = OpenedResult | { readonly kind: 'solved'; readonly response: unknown }

interface Opened {
  readonly spec: SubnetSpec
  readonly engine: InferenceEngine
  readonly result: OpenedResult
}

/** Runs a job in this thread, on a model that is loaded once. */
export default async function work(
  job: MinerJob,
  context: WorkerContext<MinerWorkerData, string>,
): Promise<MinerResult> {
  const { spec, engine, result } = await opened(context.workerData)
  if (job.kind === 'open') return result
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

const open = async (data: MinerWorkerData): Promise<Opened> => {
  const [spec, opened] = await Promise.all([
    loadSpec(data.spec),
    data.backend === null ? openOwn(data) : openOther(data, data.backend),
  ])
  return { spec, ...opened }
}

const opened = openOnce(open)

/** Opens our own sessions, or the attack that has some. */
const openOwn = async (of: MinerWorkerData): Promise<Omit<Opened, 'spec'>> => {
  const { model: folder, cheat, batch, providers, cacheTokens } = of
  const options = { folder, threads: 1, batch, providers, ...(cacheTokens === null ? {} : { cacheTokens }) }
  const engine: OpenedEngine =
    cheat === null ? await openEngine(options) : await openAttack({ ...options, ...cheat, random: randomBytes })
  const { provider, limits, cache, refusedProviders: refused } = engine.stats()
  const own = { provider, limits, cache, refused }
  return { engine, result: { kind: 'opened', model: engine.model, own, backend: null } }
}

const openOther = async (
  { model: folder, batch }: MinerWorkerData,
  backend: MinerBackend,
): Promise<Omit<Opened, 'spec'>> => {
  const engine = await openBackend({ ...backend, folder, batch })
  const { kind, about, proofs } = engine
  return { engine, result: { kind: 'opened', model: engine.model, own: null, backend: { kind, about, proofs } } }
}
