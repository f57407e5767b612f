import { SubnetError } from '@arbor/shared/errors'
import type { GenerateOptions, Generation } from '@arbor/shared/inference'
import type { Ms } from '@arbor/shared/units'
import type { ModelConfig } from '../../model-config.ts'
import type { PreparedRequest } from '../../request.ts'
import type { Tokenizer } from '../../tokenizer.ts'
import { type GrowingAnswer, openAnswer } from './answer.ts'
import { ask } from './ask.ts'
import type { Dialect, Piece } from './dialect.ts'
import { withGap } from './gap.ts'
import { openRetokeniser } from './retokenise.ts'
import { BOUNDS, type Server } from './server.ts'
import { cut, nonsense } from './wire-errors.ts'

/** A server whose way of speaking is known. */
export interface KnownServer {
  readonly server: Server
  readonly dialect: Dialect
  /** The model's name there. */
  readonly model: string
  /** Writes a prompt for a server that takes text alone. */
  readonly promptText: (prompt: readonly number[]) => string
}

export interface GenerateDeps extends KnownServer {
  readonly tokenizer: Tokenizer
  readonly config: ModelConfig
}

/** Attempts at one answer, and what lies between them. */
const ATTEMPTS = 3
const BACKOFF_MS = 250
/** Failures before which the server has done nothing that anybody saw. */
const AGAIN: readonly string[] = [
  'ENGINE_BACKEND_UNREACHABLE',
  'ENGINE_BACKEND_BUSY',
  'ENGINE_BACKEND_FAILED',
  'ENGINE_BACKEND_CUT',
]

/**
 * Lets a server answer. It is asked again only while nothing of its answer has been passed on.
 * @throws ENGINE_BACKEND_*; the signal's reason when it aborts
 */
export const generate = async (
  deps: GenerateDeps,
  request: PreparedRequest,
  { onToken }: GenerateOptions,
  signal: AbortSignal,
): Promise<Generation> => {
  for (let attempt = 1; ; attempt++) {
    const answer = openAnswer({ ...deps, request, onToken })
    try {
      await fill(deps, request, answer, signal)
      return answer.finish()
    } catch (error) {
      const again = error instanceof SubnetError && AGAIN.includes(error.code)
      if (!again || answer.length > 0 || attempt === ATTEMPTS || signal.aborted) throw error
    }
    await deps.server.clock.sleep((BACKOFF_MS * 2 ** (attempt - 1)) as Ms, signal)
  }
}

/** Tokens more than due, where tokens are made of text: the last characters may take several, and a server may count otherwise. */
const SLACK = 8

const fill = async (
  deps: GenerateDeps,
  request: PreparedRequest,
  answer: GrowingAnswer,
  signal: AbortSignal,
): Promise<void> => {
  const { server, dialect, model, config, promptText } = deps
  const { prompt } = request
  const room = config.context - prompt.length
  const maxTokens = dialect.ids ? request.maxTokens : Math.min(room, request.maxTokens + SLACK)
  const body = dialect.body({ model, prompt, promptText: promptText(prompt), maxTokens })
  if (dialect.prompt === 'text') mustReadAlike(deps, prompt)
  const maxBytes = 2 * BOUNDS.event + EVENT_BYTES * maxTokens
  const read = dialect.open()
  const take = dialect.ids ? takeIds(deps, answer) : takeText(deps, answer)
  for await (const event of ask({ server, url: dialect.path(server.url), body, maxBytes, signal })) {
    const piece = read(event)
    if (piece === null) throw nonsense(server, 'sent an event that is none of its API')
    mustSee(server, piece, prompt.length)
    take(piece)
    if (answer.ended) return // hangs up, so that the server stops
  }
  if (!answer.ended) throw cut(server)
}

/** What a conversation holds may look like control tokens, which only ids can keep apart from them. */
const mustReadAlike = ({ tokenizer, config }: GenerateDeps, prompt: readonly number[]): void => {
  const tokens = config.start === prompt[0] ? prompt.slice(1) : prompt
  const again = tokenizer.encode(tokenizer.textOf(tokens))
  if (again.length === tokens.length && again.every((token, index) => token === tokens[index])) return
  throw new SubnetError({
    code: 'ENGINE_BACKEND_PROMPT',
    message:
      'This prompt cannot be written as text without changing its tokens, and the model server takes text alone; use one that takes token ids',
    details: { tokens: prompt.length },
  })
}

/** What one token's event has at most, on average; a few hundred bytes are usual. */
const EVENT_BYTES = 4_096

const mustSee = (server: Server, { promptTokens }: Piece, due: number): void => {
  if (promptTokens === null || promptTokens === due) return
  throw nonsense(server, `saw a prompt of ${promptTokens} tokens where ${due} were sent`)
}

type Take = (piece: Piece) => void

/** Takes ids as they come. */
const takeIds = ({ server, tokenizer, config }: GenerateDeps, answer: GrowingAnswer): Take => {
  return (piece) => {
    const { finish, stopToken, total } = piece
    if (!answer.push(withGap(tokenizer, piece, answer.length))) {
      throw nonsense(server, 'sent a token that the model does not have')
    }
    if (answer.ended) return
    if (finish === 'stop') answer.push([endOf(config, stopToken)])
    if (total !== null && total > answer.length) {
      throw nonsense(server, `told ${answer.length} of the ${total} tokens that it generated`)
    }
    if (finish !== null && !answer.ended) throw nonsense(server, `ended an answer after ${answer.length} tokens`)
  }
}

const takeText = ({ server, tokenizer, config }: GenerateDeps, answer: GrowingAnswer): Take => {
  const retokeniser = openRetokeniser(tokenizer)
  return ({ text, finish, stopToken }) => {
    answer.push(retokeniser.push(text))
    if (finish === null || answer.ended) return
    answer.push(retokeniser.end())
    if (finish === 'stop') answer.push([endOf(config, stopToken)])
    if (!answer.ended)
      throw nonsense(server, `gave text of ${answer.length} tokens where it says that the length ended it`)
  }
}

/** The token that ended an answer: servers that keep it to themselves mean the model's first. */
const endOf = ({ ends }: ModelConfig, told: number | null): number | undefined =>
  told !== null && ends.includes(told) ? told : ends[0]
