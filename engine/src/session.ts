import './runtime-env.ts'
import './float16.ts'
import { SubnetError } from '@arbor/shared/errors'
import type { Provider } from '@arbor/shared/inference'
import { InferenceSession } from 'onnxruntime-node'
import { cacheNames, presentOf } from './cache-spec.ts'

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
  /** Where keys and values stay between two tokens, and why not on the device when they do not. */
  readonly cache: CachePlace
}

export interface CachePlace {
  readonly place: 'host' | 'device'
  readonly reason: string
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
      const session = await create(of, provider)
      return { provider, refused, ...(await place(of, provider, session)) }
    } catch (error) {
      refused.push({ provider, reason: reasonOf(error) })
    }
  }
  throw new SubnetError({
    code: 'ENGINE_NO_PROVIDER',
    message: `No execution provider opens ${of.graph}: ${refused.map((each) => `${each.provider}: ${each.reason}`).join('; ')}`,
    details: { graph: of.graph, providers: of.providers.join(', ') },
  })
}

const create = (
  of: { readonly graph: string; readonly threads: number },
  provider: Provider,
  outputs: InferenceSession.SessionOptions['preferredOutputLocation'] = 'cpu',
): Promise<InferenceSession> =>
  InferenceSession.create(of.graph, {
    executionProviders: [provider],
    intraOpNumThreads: of.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3, // errors only: the runtime's warnings about node placement are no news
    preferredOutputLocation: outputs,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })

/** Keeps the cache on the device where the runtime can: its binding for Node knows device buffers of WebGPU alone. */
const place = async (
  of: { readonly graph: string; readonly threads: number },
  provider: Provider,
  session: InferenceSession,
): Promise<Pick<OpenedSession, 'session' | 'cache'>> => {
  if (provider === 'cpu') return { session, cache: { place: 'host', reason: 'the CPU computes' } }
  if (provider === 'cuda') {
    return { session, cache: { place: 'host', reason: 'onnxruntime-node has no buffers on CUDA devices' } }
  }
  const outputs = Object.fromEntries(cacheNames(session).map((name) => [presentOf(name), 'gpu-buffer' as const]))
  try {
    // Outputs are named when a session is opened, and their names are known only then: so it is opened once more.
    const kept = await create(of, provider, outputs)
    await session.release()
    return { session: kept, cache: { place: 'device', reason: 'WebGPU holds buffers' } }
  } catch (error) {
    return { session, cache: { place: 'host', reason: reasonOf(error) } }
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
