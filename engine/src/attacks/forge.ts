import type { ModelId } from '@arbor/shared/inference'
import { readAnswerText } from '../answer-text.ts'
import { type EngineOptions, engineOf, type OpenedEngine, type OpenModelOptions, openModel } from '../open.ts'
import { proveAnswer } from '../proof/prove.ts'
import { prepareRequest } from '../request.ts'
import type { Forge } from './types.ts'

/** A forge that frees its model when it is closed. */
export interface OpenedForge extends Forge, OpenedEngine {}

/**
 * Opens a model folder as a forge: an engine that also proves tokens which it never drew.
 * @param of.claims model under whose name it draws and proves; the folder's own when absent
 * @throws what `openModel` throws
 */
export const openForge = async (of: OpenModelOptions & EngineOptions): Promise<OpenedForge> => {
  const model = await openModel(of)
  const engine = await engineOf(model, of)
  const id: ModelId = engine.model
  const { config, tokenizer, decoder } = model
  return {
    ...engine,
    config,
    prove: async (request, tokens) => {
      const prepared = prepareRequest({ request, config, tokenizer })
      if (prepared.proof === 'none') return []
      const { prompt } = prepared
      const { hidden, width } = await decoder.prefill([...prompt, ...tokens.slice(0, -1)], [0]) // the logits are not looked at
      const drawing = hidden.subarray((prompt.length - 1) * width) // the row of each token's predecessor drew it
      return proveAnswer({ request: prepared, model: id, tokens, hidden: drawing, width })
    },
    assemble: (request, answer) => {
      const { prompt, maxTokens, stop } = prepareRequest({ request, config, tokenizer })
      const { ends } = config
      const { text } = readAnswerText({ tokenizer, tokens: answer.tokens, stop, maxTokens, ends })
      return { ...answer, text, promptTokens: prompt.length }
    },
  }
}
