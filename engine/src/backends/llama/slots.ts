import type { ProofKind } from '@arbor/shared/inference'
import { badOption } from '../errors.ts'
import type { LlamaModel } from './library.ts'
import { evaluatePrompt, evaluateToken, hiddenOf, type Slot } from './slot.ts'

const BATCH_TOKENS = 256

/** How many places, and how large. */
export interface SlotsOptions {
  readonly slots: number
  readonly threads: number
  readonly contextTokens: number
  readonly cacheType: string
  readonly vocabulary: number
  /** Tokens to try a place with. */
  readonly probe: readonly number[]
  /** Takes what is opened, to free it. */
  readonly opened: AsyncDisposableStack
}

/**
 * Makes the places. llama.cpp shows the hidden state of the last token that a context evaluated, so answers that are to be proved
 * have a context each; where it shows none, they share one.
 * @throws ENGINE_BACKEND_OPTION when there is no memory for them, ENGINE_BACKEND_MODEL when the weights have another vocabulary
 */
export const openSlots = async (
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
  const create = weights.createContext({
    contextSize: contextTokens,
    batchSize: Math.min(BATCH_TOKENS, contextTokens),
    threads: { ideal: threads, min: threads },
    sequences,
    flashAttention: false,
    experimentalKvCacheKeyType: cacheType,
    experimentalKvCacheValueType: cacheType,
    _embeddings: hidden,
  })
  const context = await create.catch((cause: unknown) => {
    throw badOption(
      `llama.cpp has no room for answers of ${contextTokens} tokens (${wordsOf(cause)}); lower --batch`,
      cause,
    )
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

/** The first line of what a library says. */
export const wordsOf = (cause: unknown): string =>
  cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
