import { SubnetError } from '@arbor/shared/errors'

/** What a model is said to do; bounds of questions, answers and time follow from it. */
export interface ModelSpeed {
  /** Tokens that one answer gains in a second on the slowest hardware that shall serve it. */
  readonly tokensPerSecond: number
  /** Most tokens of prompt and answer together. */
  readonly context: number
}

/** Bounds of a question and its answer. */
export interface InferenceBounds {
  /** Tokens of an answer, and of a planned one. */
  readonly maxTokens: number
  readonly plannedTokens: number
  /** Characters of all that is asked. */
  readonly maxPromptChars: number
  readonly deadlineMs: number
}

/** Planned answers have two chunks, of 32 and of 16 tokens: 50 to 100 ms of one core at 2 M parameters. */
const PLANNED_TOKENS = 48
const MAX_TOKENS = 2_048
/** Time for an answer over what it takes at the declared speed: prompts, lines and batches share the rest. */
const MARGIN = 4
const LEAST_DEADLINE_MS = 10_000
/** The envelope lets a question ask for no more. */
const MOST_DEADLINE_MS = 60_000
/** Characters of English in a token; a prompt of other text may be refused for its tokens. */
const CHARS_PER_TOKEN = 4

/**
 * Derives the bounds of a model's questions from its speed: an answer may be as long as half the context, and as the longest deadline
 * allows at a quarter of the declared speed.
 * @throws SPEC_INVALID when the model is too slow for a planned answer, or its context too short
 */
export const boundsOf = ({ tokensPerSecond, context }: ModelSpeed): InferenceBounds => {
  const inTime = Math.floor((tokensPerSecond * MOST_DEADLINE_MS) / 1_000 / MARGIN)
  const maxTokens = Math.min(Math.floor(context / 2), inTime, MAX_TOKENS)
  if (!(maxTokens >= PLANNED_TOKENS))
    throw new SubnetError({
      code: 'SPEC_INVALID',
      message: `A model of ${tokensPerSecond} tokens a second and ${context} tokens of context cannot answer ${PLANNED_TOKENS} tokens in time; serve a faster one`,
    })
  const neededMs = Math.ceil((MARGIN * maxTokens * 1_000) / tokensPerSecond)
  return {
    maxTokens,
    plannedTokens: PLANNED_TOKENS,
    maxPromptChars: CHARS_PER_TOKEN * context,
    deadlineMs: Math.min(MOST_DEADLINE_MS, Math.max(LEAST_DEADLINE_MS, neededMs)),
  }
}
