import type { LlamaContext, LlamaLibrary, LlamaSequence } from '../../src/backends/llama/library.ts'
import type { Cache } from '../../src/decoder.ts'
import type { OpenedModel } from '../../src/open.ts'

/** What a library did, and how it may differ from the one that it stands for. */
export interface LlamaHabits {
  /** Whether contexts show hidden states. */
  readonly hidden: boolean
  /** Tokens that it adds to the vocabulary. */
  readonly extra?: number
  /** Fails to load weights. */
  readonly broken?: boolean
  /** Has no binary for what is asked. */
  readonly absent?: boolean
  /** Contexts that there is memory for. */
  readonly room?: number
}

export interface LlamaTrace {
  contexts: number
  disposed: number
  /** Options of the contexts, in order. */
  readonly sequences: number[]
}

/** Makes what stands for node-llama-cpp, with the logits and hidden states of a real model. */
export const createLlamaLibrary = (
  model: OpenedModel,
  habits: LlamaHabits,
): { readonly library: LlamaLibrary; readonly trace: LlamaTrace } => {
  const trace: LlamaTrace = { contexts: 0, disposed: 0, sequences: [] }
  const dispose = async (): Promise<void> => {
    trace.disposed += 1
  }
  const createContext = async (options: { readonly sequences: number; readonly _embeddings: boolean }) => {
    if (trace.contexts === habits.room) throw new Error('The context size is too large\nfor the available VRAM')
    trace.contexts += 1
    trace.sequences.push(options.sequences)
    let last = new Float32Array(0)
    const run = async (state: { cache: Cache }, tokens: readonly number[]): Promise<Float32Array> => {
      const step = await model.decoder.step(tokens, state.cache, [tokens.length - 1])
      state.cache = step.cache
      last = step.hidden.slice(-step.width)
      return step.logits.slice(-step.vocabulary)
    }
    const getSequence = (): LlamaSequence => {
      const state = { cache: model.decoder.empty }
      return {
        clearHistory: async () => {
          state.cache = model.decoder.empty
        },
        evaluateWithoutGeneratingNewTokens: async (tokens) => void (await run(state, tokens)),
        controlledEvaluate: async ([item]) => {
          const token = Array.isArray(item) ? item[0] : (item ?? 0)
          const logits = await run(state, [token])
          const pairs = [...logits, ...new Array<number>(habits.extra ?? 0).fill(-9)].map(
            (logit, id) => [id, logit] as const,
          )
          return [{ next: { logits: new Map(pairs.sort(([, a], [, b]) => b - a)) } }] // largest first, as there
        },
      }
    }
    const getEmbedding = (): Float64Array => Float64Array.from(last)
    const _ctx = habits.hidden && options._embeddings ? { getEmbedding } : {}
    const context: LlamaContext = { getSequence, dispose, _ctx }
    return context
  }
  const weights = {
    tokenize: (text: string) => model.tokenizer.encode(text),
    createContext,
    dispose,
  }
  const loadModel = async () => {
    if (habits.broken === true) throw new Error('unknown architecture')
    return weights
  }
  const getGpuDeviceNames = async (): Promise<readonly string[]> => []
  const getLlama: LlamaLibrary['getLlama'] = async () => {
    if (habits.absent === true) throw new Error('NoBinaryFoundError')
    return { loadModel, getGpuDeviceNames, dispose }
  }
  return { library: { getLlama }, trace }
}
