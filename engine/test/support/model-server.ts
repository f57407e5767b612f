import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { GenerateRequest, Generation, InferenceEngine } from '@arbor/shared/inference'
import { streamText, type Tokenizer } from '../../src/tokenizer.ts'
import { seedOf } from './models.ts'

/** Whose habits a test server has. */
export type Manner = 'vllm' | 'vllm-old' | 'llama.cpp' | 'sglang' | 'sglang-parts' | 'tgi' | 'ids' | 'text' | 'openai'

/** One thing that a test server does wrong, and how often. */
export interface Fault {
  readonly times: number
  /** Answers with this status and body instead. */
  readonly status?: number
  readonly body?: string
  /** Sends headers and nothing else. */
  readonly silent?: boolean
  /** Breaks the connection after so many events. */
  readonly cutAfter?: number
  /** Changes each event before it is sent. */
  readonly change?: (event: Record<string, unknown>, index: number) => object
  /** Sends this text in place of the events. */
  readonly raw?: string
  /** Repeats the first event for ever. */
  readonly endless?: boolean
}

export interface ModelServer {
  readonly url: string
  /** Requests as they came. */
  readonly seen: { readonly path: string; readonly body: Record<string, unknown>; readonly key: string | undefined }[]
  /** Answers that were left before their end. */
  left: number
  /** Answers that were begun and never went on. */
  held: number
  fault: Fault | null
  close(): Promise<void>
}

export interface ModelServerOptions {
  readonly manner: Manner
  readonly engine: InferenceEngine
  readonly tokenizer: Tokenizer
  /** Token that the model starts with. */
  readonly start: number | null
  readonly end: number
  /** Bytes that are written at once; an event at a time when absent. */
  readonly pieceBytes?: number
  readonly key?: string
  readonly models?: readonly string[]
  /** Tokens that it answers with, whatever the question. */
  readonly instead?: readonly number[]
}

/** Opens a server that answers as others do, by tokens of a real engine. */
export const openModelServer = async (of: ModelServerOptions): Promise<ModelServer> => {
  const state = { seen: [] as ModelServer['seen'], left: 0, held: 0, fault: null as Fault | null }
  const http = createServer((request, response) => {
    serve(of, state, request, response).catch((error: Error) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(error.message)
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return Object.assign(state, {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`,
    close: async () => {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  })
}

type State = Pick<ModelServer, 'seen' | 'left' | 'held' | 'fault'>

const serve = async (of: ModelServerOptions, state: State, request: IncomingMessage, response: ServerResponse) => {
  const key = request.headers.authorization
  if (of.key !== undefined && key !== `Bearer ${of.key}`) {
    return refuse(response, 401, `Incorrect API key provided: ${key?.slice(7)}`)
  }
  const path = request.url ?? ''
  if (path === '/v1/models') {
    return json(response, { object: 'list', data: (of.models ?? ['the-model']).map((id) => ({ id, object: 'model' })) })
  }
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
  state.seen.push({ path, body, key })
  const fault = state.fault
  if (fault !== null) {
    state.fault = fault.times > 1 ? { ...fault, times: fault.times - 1 } : null
    if (fault.status !== undefined) {
      response.writeHead(fault.status, { 'content-type': 'application/json' })
      return response.end(fault.body ?? '')
    }
  }
  const answer = await eventsOf(of, path, body)
  if (typeof answer === 'string') return refuse(response, answer === 'Not Found' ? 404 : 400, answer)
  await send(of, state, response, answer, fault ?? { times: 1 })
}

const refuse = (response: ServerResponse, status: number, message: string) => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ error: { message, type: 'invalid_request_error' } }))
}

const json = (response: ServerResponse, value: object) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

const send = async (
  { manner, pieceBytes }: ModelServerOptions,
  state: State,
  response: ServerResponse,
  events: readonly Record<string, unknown>[],
  fault: Fault,
) => {
  let ended = false
  response.on('close', () => {
    if (!ended) state.left += 1
  })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
  if (fault.silent === true) {
    state.held += 1
    return
  }
  const done = manner === 'llama.cpp' || manner === 'tgi' ? '' : 'data: [DONE]\n\n'
  const changed = events.map((event, index) => fault.change?.(event, index) ?? event)
  const lines = changed.map((event) => `data: ${JSON.stringify(event)}\n\n`)
  if (fault.endless === true) {
    while (!response.destroyed) {
      if (!response.write(lines[0])) await new Promise((resolve) => setImmediate(resolve))
    }
    return
  }
  if (fault.cutAfter !== undefined) {
    response.write(lines.slice(0, fault.cutAfter).join(''))
    await new Promise((resolve) => setImmediate(resolve))
    ended = true
    return response.destroy()
  }
  const bytes = Buffer.from(fault.raw ?? lines.join('') + done)
  const size = pieceBytes ?? bytes.length
  for (let start = 0; start < bytes.length; start += size) {
    response.write(bytes.subarray(start, start + size))
    await new Promise((resolve) => setImmediate(resolve))
  }
  ended = true
  response.end()
}

/** The answer as events, or why it is refused. */
const eventsOf = async (
  of: ModelServerOptions,
  path: string,
  body: Record<string, unknown>,
): Promise<Record<string, unknown>[] | string> => {
  const { manner } = of
  const native = {
    'llama.cpp': '/completion',
    sglang: '/generate',
    'sglang-parts': '/generate',
    tgi: '/generate_stream',
  }
  const own = manner in native ? native[manner as keyof typeof native] : null
  if (path === own) {
    if (manner === 'llama.cpp') return llamaEvents(of, body)
    return manner === 'tgi' ? tgiEvents(of, body) : sglangEvents(of, body)
  }
  if (path !== '/v1/completions') return 'Not Found'
  const known = ['model', 'prompt', 'max_tokens', 'temperature', 'top_p', 'n', 'stream', 'stream_options']
  const unknown = Object.keys(body).find((name) => !/penalty$/.test(name) && !known.includes(name))
  if (manner === 'openai' && unknown !== undefined) return `Unrecognized request argument supplied: ${unknown}`
  if (['text', 'tgi'].includes(manner) && typeof body.prompt !== 'string') return 'prompt must be a string'
  return completionEvents(of, body)
}

interface Answered extends Generation {
  readonly prompt: readonly number[]
  /** Text of each token. */
  readonly texts: readonly string[]
}

const answer = async (of: ModelServerOptions, prompt: unknown, maxTokens: unknown): Promise<Answered> => {
  const { tokenizer, start } = of
  const ids = typeof prompt === 'string' ? tokenizer.encode(prompt) : (prompt as number[])
  const own = start !== null && ids[0] !== start && typeof prompt === 'string' ? [start, ...ids] : ids
  const text = tokenizer.textOf(start === null ? own : own.slice(1))
  const texts: string[] = []
  const request: GenerateRequest = {
    prompt: text,
    maxTokens: Number(maxTokens),
    temperature: 0,
    proof: 'none',
    seed: seedOf(0),
  }
  if (of.instead !== undefined) return fixed(of, of.instead.slice(0, Number(maxTokens)), own)
  const generation = await of.engine.generate(request, { onToken: (_token, piece) => texts.push(piece) })
  return { ...generation, prompt: own, texts }
}

const fixed = ({ tokenizer }: ModelServerOptions, tokens: readonly number[], prompt: readonly number[]): Answered => {
  const stream = streamText(tokenizer)
  const texts = tokens.map((token, index) => stream.push(token, index === tokens.length - 1))
  return { text: texts.join(''), tokens, finish: 'length', fingerprint: [], prompt, texts }
}

const completionEvents = async (of: ModelServerOptions, body: Record<string, unknown>) => {
  const { tokens, texts, finish, prompt } = await answer(of, body.prompt, body.max_tokens)
  const usage = { prompt_tokens: prompt.length, completion_tokens: tokens.length }
  const events: Record<string, unknown>[] = tokens.map((token, index) => {
    const last = index === tokens.length - 1
    const choice: Record<string, unknown> = { index: 0, text: texts[index], finish_reason: last ? finish : null }
    if (of.manner === 'vllm') {
      choice.token_ids = [token]
      if (index === 0) choice.prompt_token_ids = prompt
    }
    if (of.manner === 'vllm-old' && body.return_tokens_as_token_ids === true) {
      choice.logprobs = { tokens: [`token_id:${token}`], token_logprobs: [-0.1] }
    }
    return { id: 'cmpl-1', object: 'text_completion', choices: [choice] }
  })
  return [...events, { id: 'cmpl-1', object: 'text_completion', choices: [], usage }]
}

const llamaEvents = async (of: ModelServerOptions, body: Record<string, unknown>) => {
  const { tokens, texts, finish, prompt } = await answer(of, body.prompt, body.n_predict)
  const parts: Record<string, unknown>[] = tokens.flatMap((token, index) =>
    // As llama.cpp does, no event for a token that ends within a character.
    texts[index] === '' && token !== of.end
      ? []
      : [
          {
            index: 0,
            content: texts[index],
            tokens: [token],
            stop: false,
            tokens_predicted: index + 1,
            tokens_evaluated: prompt.length,
          },
        ],
  )
  const last = { index: 0, content: '', tokens: [], stop: true, stop_type: finish === 'length' ? 'limit' : 'eos' }
  return [...parts, { ...last, tokens_predicted: tokens.length, tokens_evaluated: prompt.length, truncated: false }]
}

const sglangEvents = async (of: ModelServerOptions, body: Record<string, unknown>) => {
  const sampling = body.sampling_params as Record<string, unknown>
  const { tokens, texts, finish, prompt } = await answer(of, body.input_ids, sampling.max_new_tokens)
  return tokens.map((token, index) => {
    const last = index === tokens.length - 1
    const reason = finish === 'length' ? { type: 'length', length: tokens.length } : { type: 'stop', matched: token }
    const whole = of.manner === 'sglang'
    return {
      text: whole ? texts.slice(0, index + 1).join('') : texts[index],
      output_ids: whole ? tokens.slice(0, index + 1) : [token],
      meta_info: {
        finish_reason: last ? reason : null,
        prompt_tokens: prompt.length,
        completion_tokens: index + 1,
      },
    }
  })
}

const tgiEvents = async (of: ModelServerOptions, body: Record<string, unknown>) => {
  const sampling = body.parameters as Record<string, unknown>
  const { tokens, texts, finish, prompt } = await answer(of, body.inputs, sampling.max_new_tokens)
  return tokens.map((id, index) => {
    const last = index === tokens.length - 1
    const reason = finish === 'length' ? 'length' : 'eos_token'
    return {
      index: index + 1,
      token: { id, text: texts[index], logprob: -0.1, special: id === of.end },
      generated_text: last ? texts.join('') : null,
      details: last ? { finish_reason: reason, generated_tokens: tokens.length, input_length: prompt.length } : null,
    }
  })
}
