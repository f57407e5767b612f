import type { WorkerContext } from '../../engine/src/contained/worker-context.ts'
import { type OpenedEngine, openEngine } from '../../engine/src/open.ts'
import type { GenerateRequest } from '../../shared/src/inference.ts'

export interface GenerateJob {
  readonly request: GenerateRequest
}

let engine: Promise<OpenedEngine> | undefined

/** Answers a request with the model of the worker's folder and returns the answer as JSON. */
export default async (job: GenerateJob, context: WorkerContext<{ readonly folder: string }>): Promise<string> => {
  engine ??= openEngine({ folder: context.workerData.folder })
  return JSON.stringify(await (await engine).generate(job.request, { signal: context.signal }))
}
