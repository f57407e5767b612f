import { existsSync } from 'node:fs'
import type { PrecisionProfile } from '@arbor/shared/inference'
import { readModelFolder } from '../../folder.ts'
import { prepareRequest } from '../../request.ts'
import { openTokenizer } from '../../tokenizer.ts'
import { badOption, cannotCheck } from '../errors.ts'
import { createServing } from '../serving.ts'
import type { Backend, LlamaBackendOptions } from '../types.ts'
import { generate } from './generate.ts'
import { type LlamaLibrary, type LlamaModel, loadLibrary, missing } from './library.ts'
import { noHidden, otherModel, type Slot } from './slot.ts'
import { openSlots, wordsOf } from './slots.ts'

/** Tokens of one answer's cache where nothing else is asked for: 94 MB at the 30 layers of SmolLM2-135M in F32. */
const CONTEXT_TOKENS = 2_048

/** Keys and values in the arithmetic of the profile: in half precision they alone move an fp32 model's logits by more than its limits. */
const CACHE_TYPE: Readonly<Record<PrecisionProfile, string>> = { fp32: 'F32', fp16: 'F16', int8: 'F16' }

/** Text by which two tokenizers are told apart. */
const TEXT = 'Tokenizers differ in 3 things: spaces,  naïve words — and "quotes".\n'

/**
 * Opens GGUF weights with llama.cpp as a backend. Our sampler draws from its logits, so its answers are checked as our own are.
 * @throws ENGINE_BACKEND_MISSING, ENGINE_BACKEND_OPTION, ENGINE_BACKEND_MODEL, MODEL_*
 */
export const openLlamaBackend = async (
  of: LlamaBackendOptions,
  { load }: { readonly load: (from: string | undefined) => Promise<LlamaLibrary> } = { load: loadLibrary },
): Promise<Backend> => {
  const folder = await readModelFolder(of)
  const tokenizer = openTokenizer(folder.tokenizer)
  if (!existsSync(of.gguf)) throw badOption(`There are no weights ${of.gguf}`)
  const contextTokens = Math.min(of.contextTokens ?? CONTEXT_TOKENS, folder.config.context)
  const config = { ...folder.config, context: contextTokens }
  const { slots, threads } = { slots: of.batch ?? 1, threads: of.threads ?? 1 }
  const library = await load(of.from)
  await using opened = new AsyncDisposableStack()
  const weights = await openWeights(library, { ...of, maxThreads: threads * slots, opened })
  mustReadAlike(weights, tokenizer.encode(TEXT))
  const { places, proofs } = await openSlots(weights, {
    slots,
    threads,
    contextTokens,
    cacheType: CACHE_TYPE[folder.id.profile],
    vocabulary: config.vocabulary,
    probe: tokenizer.encode(TEXT),
    opened,
  })
  const serving = createServing({ name: folder.id.name, slots })
  const withPlace = placesOf(places)
  const kept = opened.move()
  let closing: Promise<void> | undefined
  return {
    kind: 'llama',
    model: folder.id,
    proofs,
    about: `llama.cpp on ${of.gpu ?? 'cpu'}, ${slots} at once, ${contextTokens} tokens each`,
    generate: async (request, options = {}) => {
      const prepared = prepareRequest({ request, config, tokenizer })
      if (!proofs.includes(prepared.proof)) throw noHidden()
      const deps = { model: folder.id, config, tokenizer }
      return serving.run(options.signal, (signal) =>
        withPlace((place) => generate(deps, place, prepared, options, signal)),
      )
    },
    check: async () => {
      throw cannotCheck()
    },
    stats: serving.stats,
    close: () => {
      closing ??= serving.close().then(() => kept.disposeAsync())
      return closing
    },
  }
}

/** Lends places; whoever is let in finds one, since there are as many. */
const placesOf = (places: readonly Slot[]) => {
  const free = [...places]
  return async <Result>(work: (place: Slot) => Promise<Result>): Promise<Result> => {
    const place = free.pop()
    if (place === undefined) throw new Error('an answer runs without a place')
    try {
      return await work(place)
    } finally {
      free.push(place)
    }
  }
}

/** Loads the weights without fetching or compiling anything. @throws ENGINE_BACKEND_MISSING, ENGINE_BACKEND_OPTION */
const openWeights = async (
  library: LlamaLibrary,
  of: Pick<LlamaBackendOptions, 'gguf' | 'gpu'> & {
    readonly maxThreads: number
    readonly opened: AsyncDisposableStack
  },
): Promise<LlamaModel> => {
  const { gguf, gpu = false, maxThreads, opened } = of
  const options = {
    gpu,
    build: 'never',
    skipDownload: true,
    usePrebuiltBinaries: true,
    maxThreads,
    logLevel: 'error',
  } as const
  const llama = await library.getLlama(options).catch((cause: unknown) => {
    throw missing(`it has no binary for ${gpu === false ? 'this processor' : gpu} here`, cause)
  })
  opened.defer(() => llama.dispose())
  if (gpu !== false && (await llama.getGpuDeviceNames()).length === 0) {
    throw badOption(`llama.cpp finds no device for ${gpu}: it would compute on the processor`)
  }
  const weights = await llama.loadModel({ modelPath: gguf }).catch((cause: unknown) => {
    throw badOption(`llama.cpp cannot load ${gguf} (${wordsOf(cause)})`, cause)
  })
  opened.defer(() => weights.dispose())
  return weights
}

const mustReadAlike = (weights: LlamaModel, ours: readonly number[]): void => {
  const theirs = weights.tokenize(TEXT, false, 'trimLeadingSpace').map(Number)
  if (theirs.join() === ours.join()) return
  throw otherModel(`the tokens ${theirs.slice(0, 8).join(' ')} …`, `${ours.slice(0, 8).join(' ')} … for the same text`)
}
