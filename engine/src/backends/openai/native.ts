import { beside, count, type Dialect, GREEDY, list, object } from './dialect.ts'

/** llama.cpp's own endpoint. */
export const llamaCpp: Dialect = {
  name: "llama.cpp's completion",
  ids: true,
  prompt: 'ids',
  path: beside('completion'),
  body: ({ prompt, maxTokens }) => ({
    prompt,
    n_predict: maxTokens,
    ...GREEDY,
    top_k: 1,
    repeat_penalty: 1,
    return_tokens: true,
    stream: true,
  }),
  open: () => (event) => {
    const { content, stop, stop_type, truncated } = event
    if (typeof content !== 'string' || typeof stop !== 'boolean' || truncated === true) return null
    const finish = !stop ? null : stop_type === 'limit' ? 'length' : 'stop'
    return {
      tokens: list(event.tokens),
      text: content,
      finish,
      stopToken: null,
      promptTokens: count(event.tokens_evaluated),
      total: count(event.tokens_predicted),
    }
  },
}

/** SGLang's own endpoint, whose events repeat the answer so far, or hold its new part alone, as the server was started. */
export const sglang: Dialect = {
  name: "SGLang's generate",
  ids: true,
  prompt: 'ids',
  path: beside('generate'),
  body: ({ prompt, maxTokens }) => ({
    input_ids: prompt,
    sampling_params: {
      temperature: 0,
      max_new_tokens: maxTokens,
      repetition_penalty: 1,
      skip_special_tokens: false,
      no_stop_trim: true,
    },
    stream: true,
  }),
  open: () => {
    let known = 0
    let said = 0
    return (event) => {
      const about = object(event.meta_info)
      const ids = list(event.output_ids)
      const total = count(about?.completion_tokens)
      if (about === null || ids === null || total === null || typeof event.text !== 'string') return null
      const whole = ids.length === total
      const tokens = whole ? ids.slice(known) : ids
      const text = whole ? event.text.slice(said) : event.text
      known += tokens.length
      said += text.length
      const reason = object(about.finish_reason)
      const finish = reason === null ? null : reason.type
      if (!(finish === null || finish === 'stop' || finish === 'length')) return null
      const stopToken = count(reason?.matched)
      return { tokens, text, finish, stopToken, promptTokens: count(about.prompt_tokens), total }
    }
  },
}

/** Text Generation Inference's own endpoint, which takes text alone. */
export const tgi: Dialect = {
  name: "Text Generation Inference's generate_stream",
  ids: true,
  prompt: 'text',
  path: beside('generate_stream'),
  body: ({ promptText, maxTokens }) => ({
    inputs: promptText,
    parameters: { max_new_tokens: maxTokens, do_sample: false, details: true, decoder_input_details: false },
  }),
  open: () => (event) => {
    const token = object(event.token)
    const details = object(event.details)
    if (token === null || typeof (token.text ?? '') !== 'string') return null
    const reason = details === null ? null : details.finish_reason
    if (!(reason === null || reason === 'length' || reason === 'eos_token' || reason === 'stop_sequence')) return null
    return {
      tokens: [token.id],
      text: token.special === true ? '' : String(token.text ?? ''),
      finish: reason === null ? null : reason === 'length' ? 'length' : 'stop',
      stopToken: null,
      promptTokens: count(details?.input_length),
      total: count(details?.generated_tokens),
    }
  },
}
