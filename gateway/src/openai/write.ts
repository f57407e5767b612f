import type { Hex, Ss58, Uid } from '@arbor/shared/units'
import type { Route } from './parameters.ts'

/** Who answered, and how to look at the answer again. */
export interface Mark {
  readonly miner: Ss58
  readonly uid: Uid
  /** Hash of the model that the answer must come from. */
  readonly model: Hex
  /** Name of the recorded answer, as `arbor verify` takes it; null where answers are not recorded, and before the end of a stream. */
  readonly receipt: string | null
}

/** Tokens of a request. */
export interface Usage {
  readonly promptTokens: number
  readonly completionTokens: number
}

/** What all pieces of one answer share. */
export interface Frame {
  readonly route: Route
  readonly id: string
  /** Seconds since the Unix epoch. */
  readonly created: number
  readonly model: string
  readonly fingerprint: string
}

export type Finish = 'length' | 'stop'

const usageBody = ({ promptTokens, completionTokens }: Usage): object => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
})

const head = ({ id, created, model, fingerprint }: Frame, object: string): object => ({
  id,
  object,
  created,
  model,
  system_fingerprint: fingerprint,
})

/** Writes a whole answer. */
export const wholeBody = (
  frame: Frame,
  of: { readonly text: string; readonly finish: Finish; readonly usage: Usage; readonly mark: Mark },
): object => {
  const rest = { logprobs: null, finish_reason: of.finish }
  const choice =
    frame.route === 'chat'
      ? { index: 0, message: { role: 'assistant', content: of.text, refusal: null }, ...rest }
      : { index: 0, text: of.text, ...rest }
  return {
    ...head(frame, frame.route === 'chat' ? 'chat.completion' : 'text_completion'),
    choices: [choice],
    usage: usageBody(of.usage),
    arbor: of.mark,
  }
}

const chunkHead = (frame: Frame): object =>
  head(frame, frame.route === 'chat' ? 'chat.completion.chunk' : 'text_completion')

/** Writes a piece of a stream. @param of.first opens a conversation's answer with its role */
export const textChunk = (
  frame: Frame,
  of: { readonly text: string; readonly first: boolean; readonly withUsage: boolean },
): object => {
  const rest = { logprobs: null, finish_reason: null }
  const choice =
    frame.route === 'chat'
      ? { index: 0, delta: { ...(of.first ? { role: 'assistant' } : {}), content: of.text }, ...rest }
      : { index: 0, text: of.text, ...rest }
  return { ...chunkHead(frame), choices: [choice], ...(of.withUsage ? { usage: null } : {}) }
}

/** Writes the piece that says why the answer ended, and who gave it. */
export const lastChunk = (
  frame: Frame,
  of: { readonly finish: Finish; readonly mark: Mark; readonly withUsage: boolean },
): object => {
  const rest = { logprobs: null, finish_reason: of.finish }
  const choice = frame.route === 'chat' ? { index: 0, delta: {}, ...rest } : { index: 0, text: '', ...rest }
  return { ...chunkHead(frame), choices: [choice], ...(of.withUsage ? { usage: null } : {}), arbor: of.mark }
}

/** Writes the piece after the last, for who asked for it. */
export const usageChunk = (frame: Frame, usage: Usage): object => ({
  ...chunkHead(frame),
  choices: [],
  usage: usageBody(usage),
})

/** Writes the list of models: the one that the subnet serves. */
export const modelBody = (of: {
  readonly id: string
  readonly created: number
  readonly hash: Hex
  readonly netuid: number
}) => ({
  id: of.id,
  object: 'model',
  created: of.created,
  owned_by: `subnet-${of.netuid}`,
  arbor: { hash: of.hash },
})
