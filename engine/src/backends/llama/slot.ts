import { SubnetError } from '@arbor/shared/errors'
import type { LlamaContext, LlamaSequence } from './library.ts'

/** Logits and the hidden state that a token's evaluation left. */
export interface Evaluated {
  /** [vocabulary] */
  readonly logits: Float32Array
  /** [width]; empty where the context keeps none. */
  readonly hidden: Float32Array
}

/** A place for one answer at a time. */
export interface Slot {
  readonly sequence: LlamaSequence
  /** The context, where it belongs to this place alone, so that its last hidden state is this answer's. */
  readonly own: LlamaContext | null
}

/** Tokens that are evaluated without a look at the signal. */
const PIECE = 256

/** Evaluates all tokens but the last, after forgetting what the place held before. */
export const evaluatePrompt = async (slot: Slot, tokens: readonly number[], signal: AbortSignal): Promise<void> => {
  await slot.sequence.clearHistory()
  for (let start = 0; start < tokens.length - 1; start += PIECE) {
    signal.throwIfAborted()
    await slot.sequence.evaluateWithoutGeneratingNewTokens(
      tokens.slice(start, Math.min(start + PIECE, tokens.length - 1)),
    )
  }
}

/**
 * Evaluates a token.
 * @param of.seen tokens that the place holds, this one included
 * @param of.wantHidden whether the hidden state is needed
 */
export const evaluateToken = async (
  { sequence, own }: Slot,
  of: { readonly token: number; readonly seen: number; readonly vocabulary: number; readonly wantHidden: boolean },
): Promise<Evaluated> => {
  const next = { generateNext: { logits: true, options: { temperature: 0 } } } as const
  const [output] = await sequence.controlledEvaluate([[of.token, next]])
  const values = output?.next.logits
  if (values === undefined) throw broken('gave no logits')
  if (values.size !== of.vocabulary) throw otherModel(`${values.size} tokens`, `${of.vocabulary}`)
  const logits = new Float32Array(of.vocabulary)
  for (const [token, logit] of values) logits[token] = logit
  return { logits, hidden: of.wantHidden ? hiddenOf(own, of.seen) : new Float32Array(0) }
}

/** Reads the hidden state of the last token. @throws ENGINE_BACKEND_HIDDEN where this version of the library does not show it */
export const hiddenOf = (context: LlamaContext | null, seen: number): Float32Array => {
  const inner = context?._ctx
  if (typeof inner?.getEmbedding !== 'function') throw noHidden()
  try {
    return Float32Array.from(inner.getEmbedding(seen))
  } catch (cause) {
    throw noHidden(cause)
  }
}

/** Nothing but greedy answers without a proof can be given. */
export const noHidden = (cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BACKEND_HIDDEN',
    message:
      'This version of node-llama-cpp shows no hidden states, so nothing but proof none can be given; install 3.22.1',
    cause,
  })

const broken = (what: string): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BACKEND_ANSWER',
    message: `llama.cpp ${what}; see that the weights are whole and node-llama-cpp is 3.22.1`,
  })

/** Weights of another model than the folder's. */
export const otherModel = (theirs: string, ours: string): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BACKEND_MODEL',
    message: `The weights belong to another model than the folder: they have ${theirs} where it has ${ours}; give the folder's own model as GGUF`,
    details: { theirs, ours },
  })
