import { systemClock } from '@arbor/shared/clock'
import { openEngine } from '../open.ts'
import { openLlamaBackend } from './llama/open.ts'
import { openOpenAiBackend } from './openai/open.ts'
import type { Backend, BackendOptions, OnnxBackendOptions } from './types.ts'

/**
 * Opens whoever is to compute a model's answers.
 * @param signal ends the opening
 * @throws ENGINE_BACKEND_*, ENGINE_NO_PROVIDER, MODEL_*
 */
export const openBackend = async (of: BackendOptions, signal?: AbortSignal): Promise<Backend> => {
  if (of.kind === 'llama') return openLlamaBackend(of)
  if (of.kind === 'onnx') return openOnnxBackend(of)
  return openOpenAiBackend(of, { clock: systemClock, ...(signal === undefined ? {} : { signal }) })
}

const openOnnxBackend = async ({
  folder,
  threads,
  providers,
  batch,
  cacheTokens,
}: OnnxBackendOptions): Promise<Backend> => {
  const engine = await openEngine({
    folder,
    ...(threads === undefined ? {} : { threads }),
    ...(providers === undefined ? {} : { providers }),
    ...(batch === undefined ? {} : { batch }),
    ...(cacheTokens === undefined ? {} : { cacheTokens }),
  })
  const counts = { answered: 0, failed: 0, tokens: 0 }
  return {
    kind: 'onnx',
    model: engine.model,
    proofs: ['residue', 'toploc', 'none'],
    about: `onnxruntime on ${engine.provider}`,
    generate: async (request, options) => {
      try {
        const generation = await engine.generate(request, options)
        counts.answered += 1
        counts.tokens += generation.tokens.length
        return generation
      } catch (error) {
        counts.failed += 1
        throw error
      }
    },
    check: engine.check,
    stats: () => {
      const { running, waiting } = engine.stats()
      return { running, waiting, ...counts }
    },
    close: engine.close,
  }
}
