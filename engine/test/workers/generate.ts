import type { GenerateRequest, Generation } from '@arbor/shared/inference'
import type { WorkerContext } from '../../src/contained/worker-context.ts'
import { type OpenEngineOptions, type OpenedEngine, openEngine } from '../../src/open.ts'

let engine: Promise<OpenedEngine> | undefined

/** Answers a request and reports each piece of text. */
export default async (
  request: GenerateRequest,
  { workerData, signal, progress }: WorkerContext<OpenEngineOptions, string>,
): Promise<Generation> => {
  engine ??= openEngine(workerData)
  return (await engine).generate(request, { signal, onToken: (_, text) => progress(text) })
}
