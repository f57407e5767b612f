import type { WorkerContext } from '@arbor/engine/contained/worker-context'
import { openEngine } from '@arbor/engine/open'
import { systemClock } from '@arbor/shared/clock'
import type { Check, CheckShare, InferenceEngine } from '@arbor/shared/inference'
import { openOnce } from '@arbor/shared/open-once'
import type { Hex } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec } from '@arbor/subnet-spec/load'
import { type MeasuredTiming, timingOf } from '@arbor/subnet-spec/timing'
import { readResponse } from './dendrite/response.ts'
import type { Judged } from './judged.ts'
import { checkedVerdict } from './verdict.ts'

/** What a worker is given when it starts. */
export interface ScoreWorkerData {
  readonly spec: string
  readonly modelFolder: string
}

/** One answer to judge. */
export interface ScoreJob {
  readonly task: string
  readonly request: unknown
  /** JSON, read here by the task's schema, so that no other thread walks it. */
  readonly response: Uint8Array
  readonly timing: MeasuredTiming
  /** 32 bytes that the answer was made under. */
  readonly binding: Hex
  /** How much of it to look at; all when absent. */
  readonly share?: CheckShare | undefined
}

const opened = openOnce(open)

/** Judges one answer in this thread; the first job loads spec and model. */
export default async function score(
  { task, request, response, timing, binding, share }: ScoreJob,
  { workerData }: WorkerContext,
): Promise<Judged> {
  const { spec, engine } = await opened(workerData as ScoreWorkerData)
  const definition = spec.tasks[task]
  if (definition === undefined) throw new Error(`the spec ${spec.name} has no task ${task}`)
  const read = readResponse(definition, response)
  if (!read.ok) return { reason: read.reason, value: 0, sigma: 0 }
  const startedAt = systemClock.monotonic()
  let check: Check | null = null
  const watched: InferenceEngine = {
    model: engine.model,
    generate: (...asked) => engine.generate(...asked),
    check: async (...asked) => {
      check = await engine.check(...asked)
      return check
    },
  }
  const { response: answer } = read
  const told = timingOf(definition.timing, timing)
  const scored = await definition.score({ request, response: answer, binding, share, engine: watched, timing: told })
  return { ...checkedVerdict(scored), check, checkMs: systemClock.monotonic() - startedAt }
}

async function open({ spec, modelFolder }: ScoreWorkerData): Promise<{ spec: SubnetSpec; engine: InferenceEngine }> {
  const loaded = await loadSpec(spec)
  const { thresholds } = loaded.model
  const pinned = thresholds === undefined ? {} : { thresholdsHash: thresholds }
  return { spec: loaded, engine: await openEngine({ folder: modelFolder, threads: 1, ...pinned }) }
}
