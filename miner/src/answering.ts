import { join } from 'node:path'
import { startContained } from '@arbor/engine/contained/start'
import type { Contained } from '@arbor/engine/contained/types'
import type { Logger } from '@arbor/shared/log'
import type { Ms } from '@arbor/shared/units'
import type { Job } from './job.ts'
import type { MinerDeps, MinerSettings } from './miner.ts'
import type { MinerJob, MinerResult, MinerWorkerData, OpenedResult } from './worker.ts'

type Engine = Contained<MinerJob, MinerResult, string>

/** Starts what answers questions: the subnet's model, in a child process. */
export const startAnswering = (deps: MinerDeps, signal: AbortSignal): Job => {
  const { settings } = deps
  const engine = startEngine(deps, signal)
  return {
    open: () => openModel(deps, engine),
    isRunning: () => engine.stats().state === 'running',
    places: places(settings),
    rate: { perSecond: settings.ratePerSecond, burst: 2 * settings.ratePerSecond },
    loops: {},
    about: () => ({}),
    close: () => engine.close(),
    solve: async ({ task, request, binding, signal, emit }) => {
      const job: MinerJob = { kind: 'solve', task, request, binding, stream: emit !== undefined }
      const result = await engine.run(job, { signal, onProgress: emit })
      if (result.kind !== 'solved') throw new Error('the worker mistook a request')
      return result.response
    },
  }
}

const startEngine = (deps: MinerDeps, signal: AbortSignal): Engine =>
  startContained<MinerJob, MinerResult, string>({
    worker: new URL('./worker.ts', import.meta.url),
    workerData: workerData(deps.settings),
    threads: deps.settings.threads,
    jobsPerThread: deps.settings.batch,
    maxQueue: places(deps.settings), // the gate in front lets no more in than there are places
    log: deps.log,
    signal,
    clock: deps.clock,
    abortGraceMs: 60_000 as Ms, // a piece of a long prompt on a large model and few cores: killing costs every answer there, and callers may hang up at will
  })

/** Answers that run at once. */
const places = ({ threads, batch }: MinerSettings): number => threads * batch

const workerData = ({ specifier, model, data, cheat, ...engine }: MinerSettings): MinerWorkerData => ({
  spec: specifier,
  model,
  batch: engine.batch,
  providers: engine.providers,
  cacheTokens: engine.cacheTokens,
  cheat: cheat === null ? null : { attack: cheat, into: join(data, 'weights') },
  backend: engine.backend,
})

/** Loads the model before anything is announced; another one than the subnet's serves too, and is warned of. */
const openModel = async ({ spec, log, signal }: MinerDeps, engine: Engine): Promise<void> => {
  const opened = await engine.run({ kind: 'open' }, { signal })
  if (opened.kind !== 'opened') return
  logEngine(log, opened)
  if (opened.model.hash === spec.model.hash) return
  const { name, hash } = opened.model
  log.warn(
    { event: 'miner.other_model', name, hash, expected: spec.model },
    "this is not the subnet's model: validators will refuse its answers",
  )
}

/** Says what computes, and why not what was asked for before it. */
const logEngine = (log: Logger, { model, own, backend }: OpenedResult): void => {
  if (backend !== null) log.info({ event: 'miner.backend', model: model.name, ...backend }, 'backend answers')
  if (own === null) return
  const { provider, refused, cache, limits } = own
  for (const each of refused) {
    log.warn({ event: 'miner.provider_refused', ...each }, `${each.provider} does not work here: ${each.reason}`)
  }
  if (limits.single !== null)
    log.warn({ event: 'miner.batch_refused', reason: limits.single }, 'answers run one by one')
  const { rows: batch, cacheTokens, bytesPerToken } = limits
  const fields = {
    model: model.name,
    provider,
    cache: cache.place,
    why: cache.reason,
    batch,
    cacheTokens,
    bytesPerToken,
  }
  log.info({ event: 'miner.engine', ...fields }, 'model is loaded')
}
