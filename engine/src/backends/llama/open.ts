import { existsSync } from 'node:fs'
import type { PrecisionProfile, ProofKind } from '@arbor/shared/inference'
import { readModelFolder } from '../../folder.ts'
import { prepareRequest } from '../../request.ts'
import { openTokenizer } from '../../tokenizer.ts'
import { badOption, cannotCheck } from '../errors.ts'
import { createServing } from '../serving.ts'
import type { Backend, LlamaBackendOptions } from '../types.ts'
import { generate } from './generate.ts'
import { type LlamaLibrary, type LlamaModel, loadLibrary } from './library.ts'
import { evaluatePrompt, evaluateToken, hiddenOf, otherModel, type Slot } from './slot.ts'

/** Tokens of one answer's cache where nothing else is asked for: 94 MB at the 30 layers of SmolLM2-135M in F32. */
const CONTEXT_TOKENS = 2_048
const BATCH_TOKENS = 256

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
  const threads = of.threads ?? 1
  const slots = of.batch ?? 1
  const library = await load(of.from)
  await using opened = new AsyncDisposableStack()
  const llama = await library.getLlama({
    gpu: of.gpu ?? false,
    build: 'never',
    skipDownload: true,
    usePrebuiltBinaries: true,
    maxThreads: threads * slots,
    logLevel: 'error',
  })
  opened.defer(() => llama.dispose())
  const weights = await loadWeights(() => llama.loadModel({ modelPath: of.gguf }), of.gguf)
  opened.defer(() => weights.dispose())
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
  const free = [...places]
  const serving = createServing({ name: folder.id.name, slots })
  const kept = opened.move()
  let closing: Promise<void> | undefined
  const deps = { model: folder.id, config, tokenizer }
  return {
    kind: 'llama',
    model: folder.id,
    proofs,
    about: `llama.cpp on ${of.gpu ?? 'cpu'}, ${slots} at once, ${contextTokens} tokens each`,
    generate: async (request, options = {}) => {
      const prepared = prepareRequest({ request, config, tokenizer })
      if (!proofs.includes(prepared.proof)) hiddenOf(null, 0)
      return serving.run(options.signal, async (signal) => {
        const place = free.pop()
        if (place === undefined) throw new Error('an answer runs without a place')
        try {
          return await generate(deps, place, prepared, options, signal)
        } finally {
          free.push(place)
        }
      })
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

interface SlotsOptions {
  readonly slots: number
  readonly threads: number
  readonly contextTokens: number
  readonly cacheType: string
  readonly vocabulary: number
  /** Tokens to try a place with. */
  readonly probe: readonly number[]
  readonly opened: AsyncDisposableStack
}

/**
 * Makes the places. llama.cpp shows the hidden state of the last token that a context evaluated, so answers that are to be proved
 * have a context each; where it shows none, they share one.
 */
const openSlots = async (
  weights: LlamaModel,
  of: SlotsOptions,
): Promise<{ readonly places: readonly Slot[]; readonly proofs: readonly ProofKind[] }> => {
  const first = await openOwn(weights, of)
  await tryOut(first, of)
  if (showsHidden(first)) {
    const rest = await Promise.all(Array.from({ length: of.slots - 1 }, () => openOwn(weights, of)))
    return { places: [first, ...rest], proofs: ['residue', 'toploc', 'none'] }
  }
  const shared = await openContext(weights, of, { sequences: of.slots, hidden: false })
  const places = Array.from({ length: of.slots }, (): Slot => ({ sequence: shared.getSequence(), own: null }))
  return { places, proofs: ['none'] }
}

const openOwn = async (weights: LlamaModel, of: SlotsOptions): Promise<Slot> => {
  const own = await openContext(weights, of, { sequences: 1, hidden: true })
  return { sequence: own.getSequence(), own }
}

const openContext = async (
  weights: LlamaModel,
  { contextTokens, threads, cacheType, opened }: SlotsOptions,
  { sequences, hidden }: { readonly sequences: number; readonly hidden: boolean },
) => {
  const context = await weights.createContext({
    contextSize: contextTokens,
    batchSize: Math.min(BATCH_TOKENS, contextTokens),
    threads: { ideal: threads, min: threads },
    sequences,
    flashAttention: false,
    experimentalKvCacheKeyType: cacheType,
    experimentalKvCacheValueType: cacheType,
    _embeddings: hidden,
  })
  opened.defer(() => context.dispose())
  return context
}

/** Evaluates a few tokens. @throws ENGINE_BACKEND_MODEL when the weights have another vocabulary */
const tryOut = async (slot: Slot, { probe, vocabulary }: SlotsOptions): Promise<void> => {
  await evaluatePrompt(slot, probe, new AbortController().signal)
  await evaluateToken(slot, { token: probe.at(-1) ?? 0, seen: probe.length, vocabulary, wantHidden: false })
}

const showsHidden = ({ own }: Slot): boolean => {
  try {
    return hiddenOf(own, 1).length > 0
  } catch {
    return false
  }
}

const mustReadAlike = (weights: LlamaModel, ours: readonly number[]): void => {
  const theirs = weights.tokenize(TEXT, false, 'trimLeadingSpace').map(Number)
  if (theirs.join() === ours.join()) return
  throw otherModel(`the tokens ${theirs.slice(0, 8).join(' ')} …`, `${ours.slice(0, 8).join(' ')} … for the same text`)
}

const loadWeights = async <Loaded>(open: () => Promise<Loaded>, gguf: string): Promise<Loaded> => {
  try {
    return await open()
  } catch (cause) {
    throw badOption(`llama.cpp cannot load ${gguf} (${cause instanceof Error ? cause.message : cause})`, cause)
  }
}
