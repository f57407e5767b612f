import './no-telemetry.ts'
import { SubnetError } from '@arbor/shared/errors'
import { InferenceSession } from 'onnxruntime-node'

/** An execution provider of onnxruntime. */
export type Provider = 'cpu' | 'cuda' | 'webgpu'

/** A provider that could not be used, and why. */
export interface RefusedProvider {
  readonly provider: Provider
  readonly reason: string
}

export interface OpenedSession {
  readonly session: InferenceSession
  readonly provider: Provider
  /** Providers that were tried before. */
  readonly refused: readonly RefusedProvider[]
}

/**
 * Opens an ONNX graph with the first provider that takes it. onnxruntime falls back by itself only within a session, and throws
 * where a listed provider is absent, so each one is tried alone. One thread, in order, without spinning: outputs then are the same
 * bits on every run, and scale comes from workers.
 * @throws ENGINE_NO_PROVIDER when none takes it
 */
export const openSession = async (of: {
  readonly graph: string
  readonly providers: readonly Provider[]
  readonly threads: number
}): Promise<OpenedSession> => {
  const refused: RefusedProvider[] = []
  for (const provider of of.providers) {
    try {
      const session = await InferenceSession.create(of.graph, {
        executionProviders: [provider],
        intraOpNumThreads: of.threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3, // errors only: the runtime's warnings about node placement are no news
        extra: { session: { intra_op: { allow_spinning: '0' } } },
      })
      return { session, provider, refused }
    } catch (error) {
      refused.push({ provider, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  throw new SubnetError({
    code: 'ENGINE_NO_PROVIDER',
    message: `No execution provider opens ${of.graph}: ${refused.map((each) => `${each.provider}: ${each.reason}`).join('; ')}`,
    details: { graph: of.graph, providers: of.providers.join(', ') },
  })
}
