import type { Received } from './ask.ts'
import { count, type Dialect, GREEDY, list, object, type Piece, type Question, under } from './dialect.ts'

/** What every form of OpenAI's own endpoint is asked. */
const asked = ({ model, maxTokens }: Question): object => ({
  model,
  max_tokens: maxTokens,
  ...GREEDY,
  stream: true,
  stream_options: { include_usage: true },
})

/** Beyond OpenAI's fields: vLLM and SGLang take a model's own penalty from its generation_config.json otherwise. */
const NEUTRAL = { repetition_penalty: 1, skip_special_tokens: false, add_special_tokens: false } as const

const path = under('completions')

/** OpenAI's endpoint with vLLM's field `token_ids`, which no other server has. */
export const tokenIds: Dialect = {
  name: 'completions with token ids',
  ids: true,
  prompt: 'ids',
  path,
  body: (question) => ({ ...asked(question), ...NEUTRAL, prompt: question.prompt, return_token_ids: true }),
  open: () => (event) => read(event, (choice) => list(choice.token_ids)),
}

/** OpenAI's endpoint where the log probabilities name their tokens: older vLLM as text, llama.cpp as a field. */
export const logprobs: Dialect = {
  name: 'completions with token ids among log probabilities',
  ids: true,
  prompt: 'ids',
  path,
  body: (question) => ({
    ...asked(question),
    ...NEUTRAL,
    prompt: question.prompt,
    logprobs: 1,
    return_tokens_as_token_ids: true,
  }),
  open: () => (event) => read(event, idsOfLogprobs),
}

/** OpenAI's endpoint as OpenAI has it, with the prompt as token ids or as text. */
export const plain = (of: { readonly prompt: 'ids' | 'text'; readonly strict: boolean }): Dialect => ({
  name: `completions as text, prompt as ${of.prompt}`,
  ids: false,
  prompt: of.prompt,
  path,
  body: (question) => ({
    ...asked(question),
    ...(of.strict ? {} : NEUTRAL),
    prompt: of.prompt === 'ids' ? question.prompt : question.promptText,
  }),
  open: () => (event) => read(event, () => null),
})

const read = (event: Received, idsOf: (choice: Received) => readonly unknown[] | null): Piece | null => {
  const usage = object(event.usage)
  const counts = { promptTokens: count(usage?.prompt_tokens), total: count(usage?.completion_tokens) }
  const choices = list(event.choices)
  if (choices === null) return null
  if (choices.length === 0) return { tokens: null, text: '', finish: null, stopToken: null, ...counts }
  const choice = object(choices[0])
  if (choice === null || choices.length > 1) return null
  const { text, finish_reason } = choice
  const finish = finish_reason ?? null
  if (typeof (text ?? '') !== 'string' || !(finish === null || finish === 'stop' || finish === 'length')) return null
  const promptTokens = counts.promptTokens ?? list(choice.prompt_token_ids)?.length ?? null // vLLM tells them at once
  const { total } = counts
  return {
    tokens: idsOf(choice),
    text: String(text ?? ''),
    finish,
    stopToken: count(choice.stop_reason),
    promptTokens,
    total,
  }
}

const NAMED = /^token_id:(\d{1,9})$/

const idsOfLogprobs = (choice: Received): readonly unknown[] | null => {
  const about = object(choice.logprobs)
  const named = list(about?.tokens)?.map((token) => NAMED.exec(String(token))?.[1])
  if (named !== undefined) return named.every((id) => id !== undefined) ? named.map(Number) : null
  const content = list(about?.content)?.map((entry) => object(entry)?.id)
  return content === undefined || content.some((id) => id === undefined) ? null : content
}
