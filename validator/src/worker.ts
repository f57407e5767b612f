import { workerData } from 'node:worker_threads'
import { openEngine } from '@arbor/engine/open'
import type { InferenceEngine } from '@arbor/shared/inference'
import type { SubnetSpec, Timing, Verdict } from '@arbor/subnet-spec/define'
import { loadSpec } from '@arbor/subnet-spec/load'

/** What a worker is given when it starts. */
export interface ScoreWorkerData {
  readonly spec: string
  readonly modelFolder: string
}

/** One answer to judge; request and response are parsed already. */
export interface ScoreJob {
  readonly task: string
  readonly request: unknown
  readonly response: unknown
  readonly timing: Timing
}

const opened = open()

/** Judges one answer in this thread. */
export default async function score({ task, request, response, timing }: ScoreJob): Promise<Verdict> {
  const { spec, engine } = await opened
  const definition = spec.tasks[task]
  if (definition === undefined) throw new Error(`the spec ${spec.name} has no task ${task}`)
  return definition.score({ request, response, engine, timing })
}

async function open(): Promise<{ spec: SubnetSpec; engine: InferenceEngine }> {
  const data = scoreWorkerData(workerData)
  const [spec, engine] = await Promise.all([loadSpec(data.spec), openEngine({ folder: data.modelFolder, threads: 1 })])
  return { spec, engine }
}

/** Piscina wraps a worker's data in an array whose last item is ours. */
function scoreWorkerData(raw: unknown): ScoreWorkerData {
  return (Array.isArray(raw) ? raw.at(-1) : raw) as ScoreWorkerData
}
