import { SubnetError } from '@arbor/shared/errors'
import type { ModelConfig } from '../../model-config.ts'
import type { Tokenizer } from '../../tokenizer.ts'
import { ask, fetchJson } from './ask.ts'
import { logprobs, plain, tokenIds } from './completions.ts'
import { type Dialect, list, object, type Piece } from './dialect.ts'
import { withGap } from './gap.ts'
import type { KnownServer } from './generate.ts'
import { llamaCpp, sglang, tgi } from './native.ts'
import { BOUNDS, type Server } from './server.ts'
import { nonsense } from './wire-errors.ts'

export interface ProbeDeps {
  readonly server: Server
  /** The model's name there; the only one that it serves when absent. */
  readonly model: string | undefined
  readonly tokenizer: Tokenizer
  readonly config: ModelConfig
  readonly signal: AbortSignal
}

/** Tried in this order: those that give token ids first, those that take them before those that take text. */
const DIALECTS: readonly Dialect[] = [
  tokenIds,
  llamaCpp,
  sglang,
  logprobs,
  tgi,
  plain({ prompt: 'ids', strict: false }),
  plain({ prompt: 'ids', strict: true }),
  plain({ prompt: 'text', strict: false }),
  plain({ prompt: 'text', strict: true }),
]

/** Whose tokens every tokenizer tells apart. */
const TEXT = 'The quick brown fox jumps over the lazy dog. The quick'
const TOKENS = 6

/**
 * Finds out how a server is asked best: a few tokens in each way that is known, until one works.
 * @throws ENGINE_BACKEND_REFUSED when it takes none of them, ENGINE_BACKEND_MODEL when it serves another model, ENGINE_BACKEND_*
 */
export const probe = async (deps: ProbeDeps): Promise<KnownServer> => {
  const { server, tokenizer, config } = deps
  const model = deps.model ?? (await onlyModel(deps))
  const start = config.start === null ? [] : [config.start]
  const prompt = [...start, ...tokenizer.encode(TEXT)]
  const reasons: string[] = []
  for (const dialect of DIALECTS) {
    // Servers that take text may add the start token by themselves.
    for (const skip of dialect.prompt === 'text' && start.length > 0 ? [0, start.length] : [0]) {
      const promptText = (tokens: readonly number[]): string => tokenizer.textOf(tokens.slice(skip))
      const tried = await attempt(deps, { server, dialect, model, promptText }, prompt)
      if (tried === null) return { server, dialect, model, promptText }
      reasons.push(`${dialect.name}: ${tried}`)
    }
  }
  throw new SubnetError({
    code: 'ENGINE_BACKEND_REFUSED',
    message: `The model server at ${server.url.origin} can be asked in no known way (${[...new Set(reasons)].join('; ')}); see its log`,
    details: { url: server.url.origin },
  })
}

/** Errors after which another way of asking may still work. */
const OTHER_WAY: readonly string[] = ['ENGINE_BACKEND_REFUSED', 'ENGINE_BACKEND_ANSWER', 'ENGINE_BACKEND_FAILED']

/** Asks in one way. @returns null when that works, or why not */
const attempt = async (
  { tokenizer, signal }: ProbeDeps,
  { server, dialect, model, promptText }: KnownServer,
  prompt: readonly number[],
): Promise<string | null> => {
  const body = dialect.body({ model, prompt, promptText: promptText(prompt), maxTokens: TOKENS })
  const read = dialect.open()
  const pieces: Piece[] = []
  try {
    for await (const event of ask({ server, url: dialect.path(server.url), body, maxBytes: BOUNDS.event, signal })) {
      const piece = read(event)
      if (piece === null || pieces.length > 8 * TOKENS) return 'an answer of another kind'
      pieces.push(piece)
    }
  } catch (error) {
    if (!(error instanceof SubnetError) || !OTHER_WAY.includes(error.code)) throw error
    return error.message
  }
  return faultOf(pieces, { server, dialect, tokenizer, due: prompt.length })
}

const faultOf = (
  pieces: readonly Piece[],
  of: { readonly server: Server; readonly dialect: Dialect; readonly tokenizer: Tokenizer; readonly due: number },
): string | null => {
  const { server, dialect, tokenizer, due } = of
  const seen = pieces.map(({ promptTokens }) => promptTokens).find((each) => each !== null)
  if (seen !== undefined && seen !== due) return `a prompt of ${seen} tokens where ${due} were sent`
  if (pieces.every(({ finish }) => finish === null)) return 'an answer without an end'
  const text = pieces.map((piece) => piece.text).join('')
  if (!dialect.ids) return text === '' && pieces.every(({ finish }) => finish !== 'stop') ? 'no text' : null
  const tokens: unknown[] = []
  for (const piece of pieces) tokens.push(...withGap(tokenizer, piece, tokens.length))
  if (tokens.length === 0) return 'no token ids'
  if (!tokens.every((token) => Number.isInteger(token))) return 'token ids of another kind'
  if (!agree(tokenizer, tokens as number[], text)) throw otherModel(server, tokenizer.decode(tokens as number[]), text)
  return null
}

/** Whether text and tokens are the same answer; servers leave out special tokens, or the halves of characters, or not. */
const agree = (tokenizer: Tokenizer, tokens: readonly number[], text: string): boolean => {
  const bare = (some: string): string => some.replaceAll('\ufffd', '').trim()
  const forms = [tokenizer.decode(tokens), tokenizer.textOf(tokens)].map(bare)
  return forms.some((form) => form === bare(text) || (bare(text) !== '' && form.startsWith(bare(text))))
}

const otherModel = (server: Server, ours: string, theirs: string): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BACKEND_MODEL',
    message: `The model server at ${server.url.origin} gives text ${JSON.stringify(theirs.slice(0, 80))} for tokens that mean ${JSON.stringify(ours.slice(0, 80))} here; serve the model of this folder`,
    details: { url: server.url.origin },
  })

/** Names the model that a server has, where it has one only. */
const onlyModel = async ({ server, signal }: ProbeDeps): Promise<string> => {
  const received = await fetchJson({ server, url: new URL('models', server.url), signal })
  const names = (list(received.data) ?? []).map((entry) => object(entry)?.id)
  const [name] = names
  if (typeof name !== 'string') throw nonsense(server, 'lists no model')
  if (names.length === 1) return name
  const known = names.slice(0, 8).map((each) => JSON.stringify(String(each).slice(0, 80)))
  throw new SubnetError({
    code: 'ENGINE_BACKEND_MODEL',
    message: `The model server at ${server.url.origin} has ${names.length} models (${known.join(', ')}); choose one with --backend-model`,
    details: { url: server.url.origin, models: names.length },
  })
}
