import type { Hex } from '@arbor/shared/units'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Outcome } from '../asking.ts'
import { type ApiError, errorBody, shuttingDown, unknownModel } from '../openai/errors.ts'
import type { Route } from '../openai/parameters.ts'
import { type Read, readWish, type Wish } from '../openai/read.ts'
import { type Frame, lastChunk, type Mark, textChunk, usageChunk, wholeBody } from '../openai/write.ts'
import type { Question } from '../question.ts'
import type { Candidate } from '../routing/router.ts'
import { refuse } from './app.ts'
import type { Visit } from './guard.ts'
import { readJson } from './json.ts'
import type { ServerDeps } from './server.ts'
import { type EventStream, openEventStream } from './sse.ts'

interface Asked {
  readonly route: Route
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly visit: Visit
}

/** Answers one request for text, whole or as a stream. */
export const answer = async (deps: ServerDeps, asked: Asked): Promise<FastifyReply | undefined> => {
  const { reply, visit } = asked
  const read = readQuestion(deps, asked)
  if (!read.ok) return refuse(reply, read.error)
  const { wish, question } = read.value
  const refusal = visit.entry.spend(question.promptTokens + question.maxTokens)
  reply.headers(visit.entry.headers())
  if (refusal !== null) return refuse(reply, refusal)
  const frame = frameOf(deps, asked.route)
  try {
    if (wish.stream) return await stream(deps, { ...asked, frame, question, withUsage: wish.includeUsage })
    return await whole(deps, { ...asked, frame, question })
  } catch (error) {
    if (!visit.signal.aborted && reply.raw.writable) throw error
    if (deps.stop.aborted && !reply.sent) return refuse(reply, shuttingDown)
    reply.hijack() // nobody reads it, or nobody shall
    reply.raw.destroy()
    return undefined
  }
}

const readQuestion = (
  { questions, model, randomBytes }: ServerDeps,
  { route, request }: Asked,
): Read<{ readonly wish: Wish; readonly question: Question }> => {
  const json = readJson(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))
  if (!json.ok) return json
  const wish = readWish(route, json.value)
  if (!wish.ok) return wish
  if (wish.value.model !== model.id) return { ok: false, error: unknownModel(wish.value.model) }
  const question = questions.ask(wish.value, () => randomBytes(32))
  return question.ok ? { ok: true, value: { wish: wish.value, question: question.value } } : question
}

const frameOf = ({ model, clock, randomBytes }: ServerDeps, route: Route): Frame => ({
  route,
  id: `${route === 'chat' ? 'chatcmpl' : 'cmpl'}-${Buffer.from(randomBytes(16)).toString('hex')}`,
  created: Math.floor(clock.now() / 1_000),
  model: model.id,
  fingerprint: `fp_${model.hash.slice(2, 14)}`,
})

interface Answering extends Asked {
  readonly frame: Frame
  readonly question: Question
}

const markOf = (model: Hex, { hotkey, uid }: Candidate, receipt: string | null): Mark => ({
  miner: hotkey,
  uid,
  model,
  receipt,
})

/** What the head of an answer says of who gave it; a stream's receipt stands in its last piece. */
const markHeaders = ({ miner, uid, model, receipt }: Mark): Readonly<Record<string, string>> => ({
  'x-arbor-miner': miner,
  'x-arbor-uid': String(uid),
  'x-arbor-model': model,
  ...(receipt === null ? {} : { 'x-arbor-receipt': receipt }),
})

/** Counts what an answer used, for the key and for the metrics. */
const count = ({ metrics }: ServerDeps, { visit, question }: Answering, completionTokens: number) => {
  const { promptTokens } = question
  visit.usedTokens = promptTokens + completionTokens
  metrics.tokens({ prompt: promptTokens, completion: completionTokens })
  return { promptTokens, completionTokens }
}

async function whole(deps: ServerDeps, on: Answering): Promise<FastifyReply> {
  const { asking, model } = deps
  const { reply, visit, question, frame } = on
  visit.usedTokens = question.promptTokens + question.maxTokens // for who hangs up: how far the answer came nobody says
  const outcome = await asking(question, { signal: visit.signal })
  if (outcome.kind === 'failed') {
    visit.usedTokens = 0
    return refuse(reply, outcome.error)
  }
  const usage = count(deps, on, outcome.tokens)
  const mark = markOf(model.hash, outcome.miner, outcome.receipt)
  return reply.headers(markHeaders(mark)).send(wholeBody(frame, { ...outcome, usage, mark }))
}

/** Streams an answer. Its head goes out with the first text, so that until then a failure has a status of its own. */
async function stream(
  deps: ServerDeps,
  on: Answering & { readonly withUsage: boolean },
): Promise<FastifyReply | undefined> {
  const { asking, clock, metrics, model } = deps
  const { reply, visit, question, frame, withUsage } = on
  const began = clock.monotonic()
  const cut = new AbortController()
  let events: EventStream | null = null
  let first = true
  const open = (miner: Candidate): EventStream => {
    metrics.firstText((clock.monotonic() - began) / 1_000)
    reply.hijack()
    return openEventStream({
      response: reply.raw,
      headers: { ...plainHeaders(reply), ...markHeaders(markOf(model.hash, miner, null)) },
      write: (text) => {
        const chunk = textChunk(frame, { text, first, withUsage })
        first = false
        return JSON.stringify(chunk)
      },
      clock,
      cut: () => {
        metrics.stalled()
        cut.abort(READER_STALLED)
      },
    })
  }
  // Whoever hangs up has had these, and the pieces that came: each is a token, about.
  visit.usedTokens = question.promptTokens
  const onText = (text: string, miner: Candidate): void => {
    events ??= open(miner)
    events.text(text)
    visit.usedTokens += 1
  }
  const gone = AbortSignal.any([visit.signal, cut.signal])
  const outcome = await asking(question, { signal: gone, onText }).catch((error: unknown): Outcome => {
    if (!deps.stop.aborted || events === null) throw error
    return { kind: 'failed', begun: true, error: shuttingDown }
  })
  if (outcome.kind === 'failed') {
    if (!outcome.begun || events === null) {
      visit.usedTokens = 0
      return refuse(reply, outcome.error)
    }
    // The reader has text already; OpenAI's clients take this for an error, and no [DONE] follows.
    return finish(events, [failure(outcome.error)])
  }
  const usage = count(deps, on, outcome.tokens)
  // An answer without a word has a role all the same.
  const opening = events === null ? [JSON.stringify(textChunk(frame, { text: '', first, withUsage }))] : []
  const mark = markOf(model.hash, outcome.miner, outcome.receipt)
  return finish(events ?? open(outcome.miner), [...opening, ...endOf(on, { outcome, mark, usage })])
}

const READER_STALLED = new Error('the reader takes nothing')

const finish = async (events: EventStream, data: readonly string[]): Promise<undefined> => {
  await events.end(data)
  return undefined
}

const failure = (error: ApiError): string => JSON.stringify(errorBody(error))

const endOf = (
  { frame, withUsage }: { readonly frame: Frame; readonly withUsage: boolean },
  of: {
    readonly outcome: Extract<Outcome, { kind: 'answered' }>
    readonly mark: Mark
    readonly usage: Parameters<typeof usageChunk>[1]
  },
): readonly string[] => [
  JSON.stringify(lastChunk(frame, { finish: of.outcome.finish, mark: of.mark, withUsage })),
  ...(withUsage ? [JSON.stringify(usageChunk(frame, of.usage))] : []),
  '[DONE]',
]

/** The headers that hooks have set, for a response that is written without fastify. */
const plainHeaders = (reply: FastifyReply): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]))
