import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SubnetError } from '@arbor/shared/errors'

/** What this backend uses of node-llama-cpp 3, which is installed by those who want it. */
export interface LlamaLibrary {
  getLlama(options: {
    readonly gpu: 'cuda' | 'vulkan' | 'metal' | false
    /** Never compiles. */
    readonly build: 'never'
    /** Never fetches. */
    readonly skipDownload: true
    readonly usePrebuiltBinaries: true
    readonly maxThreads: number
    readonly logLevel: string
  }): Promise<Llama>
}

export interface Llama {
  loadModel(options: { readonly modelPath: string; readonly loadSignal?: AbortSignal }): Promise<LlamaModel>
  /** Names of the devices that it computes on; none where it fell back to the processor. */
  getGpuDeviceNames(): Promise<readonly string[]>
  dispose(): Promise<void>
}

export interface LlamaModel {
  tokenize(text: string, special: boolean, options: 'trimLeadingSpace'): readonly number[]
  createContext(options: {
    readonly contextSize: number
    readonly batchSize: number
    readonly threads: { readonly ideal: number; readonly min: number }
    readonly sequences: number
    readonly flashAttention: false
    readonly experimentalKvCacheKeyType: string
    readonly experimentalKvCacheValueType: string
    /** Internal: keeps the last hidden states of what it evaluates. */
    readonly _embeddings: boolean
  }): Promise<LlamaContext>
  dispose(): Promise<void>
}

export interface LlamaContext {
  getSequence(): LlamaSequence
  dispose(): Promise<void>
  /** Internal: the hidden state of the last token that was evaluated. */
  readonly _ctx?: { getEmbedding?(tokens: number): Float64Array }
}

interface Next {
  readonly generateNext: {
    readonly logits: true
    readonly options: { readonly temperature: 0 }
  }
}

export interface LlamaSequence {
  clearHistory(): Promise<void>
  evaluateWithoutGeneratingNewTokens(tokens: number[]): Promise<void>
  controlledEvaluate(
    input: (number | [number, Next])[],
  ): Promise<readonly ({ readonly next: { readonly logits?: ReadonlyMap<number, number> } } | undefined)[]>
}

/** A name that no bundler and no manifest sees: the package is optional. */
const NAME = 'node-llama-cpp'
const INSTALL = 'npm install node-llama-cpp@3.22.1'

/**
 * Loads node-llama-cpp from beside this package, else from the folder given.
 * @throws ENGINE_BACKEND_MISSING when it is in neither place, or cannot start there
 */
export const loadLibrary = async (from: string | undefined): Promise<LlamaLibrary> => {
  const places = [NAME, ...(from === undefined ? [] : [resolveFrom(from)])]
  const errors: unknown[] = []
  for (const place of places) {
    try {
      const library: unknown = await import(place)
      if (isLibrary(library)) return library
      errors.push(new Error(`${place} has no getLlama`))
    } catch (error) {
      errors.push(error)
    }
  }
  const reason = errors.at(-1)
  throw missing(`it cannot be loaded: ${reason instanceof Error ? reason.message.split('\n')[0] : reason}`, reason)
}

/** The package is not there, or of no use here. */
export const missing = (why: string, cause: unknown): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BACKEND_MISSING',
    message: `The backend llama needs the package ${NAME} (${why}); run: ${INSTALL}`,
    details: { package: NAME },
    cause,
  })

const resolveFrom = (folder: string): string => {
  try {
    const { resolve } = createRequire(pathToFileURL(join(folder, 'package.json')))
    return pathToFileURL(resolve(NAME)).href
  } catch {
    return pathToFileURL(join(folder, 'node_modules', NAME, 'dist', 'index.js')).href // it has no entry for require
  }
}

const isLibrary = (value: unknown): value is LlamaLibrary =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, 'getLlama') === 'function'
