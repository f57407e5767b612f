import { SubnetError } from '@arbor/shared/errors'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { z } from 'zod'

/** One turn of the conversation. */
export interface Turn {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** Where a gateway is, and the key that opens it. */
export interface GatewayAccess {
  /** As the user wrote it, with or without /v1. */
  readonly url: string
  /** null for a gateway that asks for none. */
  readonly key: string | null
}

/** What is asked besides the conversation. */
export interface ChatWish {
  readonly maxTokens?: number | undefined
  readonly temperature?: number | undefined
}

/** What came at the end of an answer. */
export interface ChatEnd {
  readonly text: string
  /** Who answered; absent when the gateway does not say. */
  readonly miner?: string | undefined
  readonly receipt?: string | null | undefined
}

const errorShape = z.looseObject({ error: z.looseObject({ message: z.string() }) })
const chunkShape = z.looseObject({
  choices: z.array(z.looseObject({ delta: z.looseObject({ content: z.string().nullish() }).optional() })),
  arbor: z.looseObject({ miner: z.string(), receipt: z.string().nullable() }).optional(),
})
const modelsShape = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })).min(1) })

/**
 * Asks which model a gateway serves.
 * @throws CHAT_GATEWAY when it does not answer as one
 */
export const servedModel = async (access: GatewayAccess, signal: AbortSignal): Promise<string> => {
  const response = await reach(access, '/models', { signal })
  const parsed = modelsShape.safeParse(await response.json().catch(() => null))
  const [first] = parsed.success ? parsed.data.data : []
  if (first === undefined) throw refused(access, 'it lists no model')
  return first.id
}

/**
 * Asks for the next turn and hands its text on as it comes.
 * @throws CHAT_GATEWAY with the gateway's words when it refuses, or when the answer breaks off
 */
export const nextTurn = async (
  access: GatewayAccess,
  of: { readonly model: string; readonly turns: readonly Turn[]; readonly wish: ChatWish },
  on: { readonly signal: AbortSignal; readonly onText: (text: string) => void },
): Promise<ChatEnd> => {
  const { maxTokens, temperature } = of.wish
  const response = await reach(access, '/chat/completions', {
    method: 'POST',
    signal: on.signal,
    body: JSON.stringify({
      model: of.model,
      messages: of.turns,
      stream: true,
      ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
      ...(temperature === undefined ? {} : { temperature }),
    }),
  })
  if (response.body === null) throw refused(access, 'it sent nothing')
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  let text = ''
  let mark: Omit<ChatEnd, 'text'> = {}
  for await (const { data } of events) {
    if (data === '[DONE]') return { text, ...mark }
    const value: unknown = parse(data)
    const error = errorShape.safeParse(value)
    if (error.success) throw refused(access, error.data.error.message)
    const chunk = chunkShape.safeParse(value)
    if (!chunk.success) throw refused(access, 'its answer is no chat')
    const piece = chunk.data.choices[0]?.delta?.content ?? ''
    text += piece
    if (piece !== '') on.onText(piece)
    if (chunk.data.arbor !== undefined) mark = { miner: chunk.data.arbor.miner, receipt: chunk.data.arbor.receipt }
  }
  throw refused(access, 'its answer broke off')
}

const parse = (data: string): unknown => {
  try {
    return JSON.parse(data)
  } catch {
    return null // the caller says that it is no chat
  }
}

const reach = async (
  access: GatewayAccess,
  path: string,
  init: RequestInit & { signal: AbortSignal },
): Promise<Response> => {
  const base = access.url.replace(/\/+$/, '').replace(/\/v1$/, '')
  let response: Response
  try {
    response = await fetch(`${base}/v1${path}`, {
      ...init,
      headers: {
        'content-type': 'application/json',
        ...(access.key === null ? {} : { authorization: `Bearer ${access.key}` }),
      },
    })
  } catch (cause) {
    init.signal.throwIfAborted()
    const why =
      cause instanceof Error ? (cause.cause instanceof Error ? cause.cause.message : cause.message) : String(cause)
    throw refused(access, why, cause)
  }
  if (response.ok) return response
  const error = errorShape.safeParse(await response.json().catch(() => null))
  throw refused(access, error.success ? error.data.error.message : `status ${response.status}`)
}

const refused = ({ url }: GatewayAccess, why: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'CHAT_GATEWAY',
    message: `the gateway at ${url} did not answer: ${why}`,
    cause,
  })
