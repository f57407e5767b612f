import type { ModelFolder } from '@arbor/engine/folder'
import { prepareRequest } from '@arbor/engine/request'
import { openTokenizer } from '@arbor/engine/tokenizer'
import { SubnetError } from '@arbor/shared/errors'
import type { GenerateRequest } from '@arbor/shared/inference'

/** What the model says of a request before anybody works on it. */
export type Measure =
  | { readonly ok: true; readonly promptTokens: number }
  /** `message` says what is wrong; `field` with which part, where that is known. */
  | { readonly ok: false; readonly why: 'long' | 'refused'; readonly message: string; readonly field: string | null }

/** What the gateway needs to know of the model: how long a prompt is, and how much fits. */
export interface PromptMeter {
  /** Most tokens of prompt and answer together. */
  readonly context: number
  /** Measures a request as miners' engines will. */
  measure(request: GenerateRequest): Measure
}

/** Requests that the model does not take, by the engine's codes. */
const REFUSALS: readonly string[] = ['ENGINE_REQUEST_INVALID', 'ENGINE_NO_CHAT', 'ENGINE_CHAT_REFUSED']

/** Opens the meter of a model folder; its tokenizer alone is loaded, no weights. */
export const openMeter = ({ config, tokenizer: files }: Pick<ModelFolder, 'config' | 'tokenizer'>): PromptMeter => {
  const tokenizer = openTokenizer(files)
  return {
    context: config.context,
    measure: (request) => {
      try {
        return { ok: true, promptTokens: prepareRequest({ request, config, tokenizer }).prompt.length }
      } catch (error) {
        if (!(error instanceof SubnetError)) throw error
        const { code, message, details } = error
        if (code === 'ENGINE_PROMPT_TOO_LONG') return { ok: false, why: 'long', message, field: null }
        if (!REFUSALS.includes(code)) throw error
        return { ok: false, why: 'refused', message, field: typeof details.field === 'string' ? details.field : null }
      }
    },
  }
}
