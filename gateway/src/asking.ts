import { type Clock, startDeadline } from '@arbor/shared/clock'
import type { Hex, Ms } from '@arbor/shared/units'
import { type Answer, type Fault, UNREACHED } from '@arbor/validator/dendrite/answer'
import type { PlannedTask } from '@arbor/validator/plan'
import { z } from 'zod'
import { type ApiError, badGateway, shuttingDown, unavailable } from './openai/errors.ts'
import type { Finish } from './openai/write.ts'
import type { Question } from './question.ts'
import type { Candidate, Router, Seat, Settled } from './routing/router.ts'

export type Answered = Extract<Answer, { kind: 'answered' }>

/** What came of a question. */
export type Outcome =
  | {
      readonly kind: 'answered'
      readonly miner: Candidate
      readonly text: string
      readonly tokens: number
      readonly finish: Finish
      readonly receipt: string | null
    }
  /** Nobody gave an answer. `begun`: text of one has been handed on, which is worth nothing now. */
  | { readonly kind: 'failed'; readonly error: ApiError; readonly begun: boolean }

/** Hears what happens while miners are asked. */
export interface AskingEvents {
  attempt(miner: Candidate, outcome: 'ok' | string): void
  retry(): void
}

export interface AskingDeps {
  readonly router: Router
  readonly clock: Clock
  readonly task: string
  readonly deadlineMs: number
  /** Whether the task's text comes as it is made. */
  readonly streams: boolean
  /** The dendrite's. */
  readonly ask: (task: PlannedTask, signal: AbortSignal, onChunk?: (bytes: Uint8Array) => void) => Promise<Answer>
  /** Records an answer for audits; never throws. @returns its name; null when it is not recorded */
  readonly record: (of: { readonly task: PlannedTask; readonly answer: Answered }) => string | null
  /** How long a question may wait for a seat. */
  readonly patienceMs: number
  readonly events: AskingEvents
}

/** Asks miners until one answers. Rejects with the signal's reason when it aborts first. */
export type Asking = (
  question: Question,
  of: {
    readonly signal: AbortSignal
    /** Takes text as it comes; after the first piece no other miner is asked. */
    readonly onText?: (text: string, miner: Candidate) => void
  },
) => Promise<Outcome>

/** Miners that one question is put to at most: two failures may be bad luck, three are trouble. */
const ATTEMPTS = 3
/** Longest time that asking takes, in deadlines of the task. */
export const LONGEST_ASK = ATTEMPTS + 1
/** Of the task's time, how much may pass before the first text; then there is time left to ask another miner. */
const FIRST_SHARE = 0.5
/** The miner cannot have been reached, whatever was asked. */
const NOT_REACHED: ReadonlySet<Fault> = new Set(UNREACHED)
const FULL: ReadonlySet<Fault> = new Set(['busy', 'rate'])

/** The part of a response that users see; the task's schema has been held to it by the dendrite. */
const shown = z.looseObject({
  text: z.string(),
  tokens: z.array(z.number()),
  finish: z.enum(['length', 'stop']),
})

/** Creates the asking of miners for users. */
export const createAsking =
  (deps: AskingDeps): Asking =>
  async (question, { signal, onText }) => {
    const { router, clock, events } = deps
    const tried = new Set<string>()
    const failed: { readonly seat: Seat; readonly why: string; readonly settled: Settled }[] = []
    using patience = startDeadline({
      clock,
      ms: deps.patienceMs as Ms,
      parent: signal,
      reason: () => new Error('late'),
    })
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const seating = await router.take({ tried, late: patience.signal, signal })
      if (!seating.ok)
        return {
          kind: 'failed',
          begun: false,
          error: noSeat(
            seating.reason,
            failed.map(({ why }) => why),
          ),
        }
      const { seat } = seating
      if (attempt > 1) events.retry()
      const put = await putOnce(deps, { question, seat, signal, onText })
      events.attempt(seat.miner, put.kind === 'answered' ? 'ok' : put.why)
      if (put.kind === 'answered') {
        // Somebody could answer this question, so those who did not are to blame.
        for (const before of failed) if (before.settled.kind === 'void') before.seat.blame()
        return put
      }
      if (put.begun) return { kind: 'failed', begun: true, error: broken(put.why) }
      if (!put.ours) {
        tried.add(seat.miner.hotkey)
        failed.push({ seat, why: put.why, settled: put.settled })
      }
    }
    const words = failed.map(({ why }) => why)
    return {
      kind: 'failed',
      begun: false,
      error: badGateway(`No miner answered: ${words.join(', ') || 'the gateway could not ask'}.`),
    }
  }

type Put =
  | Extract<Outcome, { kind: 'answered' }>
  | {
      readonly kind: 'failed'
      readonly why: string
      readonly begun: boolean
      /** The reason is ours: the same miner may be asked again. */
      readonly ours: boolean
      readonly settled: Settled
    }

interface Putting {
  readonly question: Question
  readonly seat: Seat
  readonly signal: AbortSignal
  readonly onText: ((text: string, miner: Candidate) => void) | undefined
}

/** Puts a question to the miner of a seat, which it settles. */
async function putOnce(deps: AskingDeps, { question, seat, signal, onText }: Putting): Promise<Put> {
  const { clock, record } = deps
  const { miner } = seat
  const { seed } = question.request
  const task: PlannedTask = { ...minerOf(miner), task: deps.task, seed: seed as Hex, request: question.request }
  const listener = createListener((text) => onText?.(text, miner))
  const stop = new AbortController()
  const asking = AbortSignal.any([signal, stop.signal])
  const began = clock.monotonic()
  const firstMs = (FIRST_SHARE * deps.deadlineMs) as Ms
  const first = startDeadline({ clock, ms: firstMs, parent: asking, reason: () => NO_TEXT })
  first.signal.addEventListener('abort', () => stop.abort(first.signal.reason), { once: true })
  const onChunk = (bytes: Uint8Array): void => {
    first[Symbol.dispose]()
    if (!listener.push(bytes)) stop.abort(NO_UTF8)
  }
  if (!deps.streams) first[Symbol.dispose]()
  const end = (settled: Settled, of: { readonly why: string; readonly ours?: boolean }): Put => {
    seat.settle(settled)
    const begun = onText !== undefined && listener.text !== '' // else nobody has seen it
    return { kind: 'failed', why: of.why, begun, ours: of.ours === true, settled }
  }
  try {
    const answer = await deps.ask(task, asking, deps.streams ? onChunk : undefined)
    if (answer.kind === 'ours') return end({ kind: 'void' }, { why: answer.reason, ours: true })
    if (answer.kind === 'fault') return end(settledBy(answer.reason, listener.text !== ''), { why: answer.reason })
    const read = shown.safeParse(JSON.parse(Buffer.from(answer.body).toString()))
    if (!read.success || read.data.tokens.length > question.maxTokens) return end(FAILED, { why: 'schema' })
    const { text, tokens, finish } = read.data
    // What users saw must be what audits will see.
    if (!listener.complete(text)) return end(FAILED, { why: 'other-text' })
    seat.settle({ kind: 'answered', ms: clock.monotonic() - began })
    const receipt = record({ task, answer })
    return { kind: 'answered', miner, text, tokens: tokens.length, finish, receipt }
  } catch (error) {
    if (error === NO_TEXT) return end({ kind: 'void' }, { why: 'timeout' })
    if (error === NO_UTF8) return end(FAILED, { why: 'malformed' })
    seat.settle({ kind: 'void' })
    throw error
  } finally {
    first[Symbol.dispose]()
  }
}

const minerOf = ({
  hotkey,
  uid,
  registeredAt,
  axon,
}: Candidate): Pick<PlannedTask, 'hotkey' | 'uid' | 'registeredAt' | 'axon'> => ({
  hotkey,
  uid,
  registeredAt,
  axon,
})

const NO_TEXT = new Error('no text came in time')
const NO_UTF8 = new Error('the text is no UTF-8')
const FAILED: Settled = { kind: 'failed', soft: false }

/** What a fault says of its miner; one that the question may have caused says nothing until another miner has answered it. */
const settledBy = (reason: Fault, begun: boolean): Settled => {
  if (FULL.has(reason)) return { kind: 'failed', soft: true }
  return begun || NOT_REACHED.has(reason) ? FAILED : { kind: 'void' }
}

/** Hands text on as it comes and remembers it. */
const createListener = (onText: (text: string) => void) => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let heard = ''
  const hand = (text: string): void => {
    if (text === '') return
    heard += text
    onText(text)
  }
  return {
    get text() {
      return heard
    },
    /** @returns false for bytes that are no UTF-8 */
    push: (bytes: Uint8Array): boolean => {
      let text: string
      try {
        text = decoder.decode(bytes, { stream: true })
      } catch {
        return false // a miner sent it
      }
      hand(text)
      return true
    },
    /** Hands on what the whole has beyond what was heard. @returns false when it is another text */
    complete: (whole: string): boolean => {
      if (!whole.startsWith(heard)) return false
      hand(whole.slice(heard.length))
      return true
    },
  }
}

const noSeat = (reason: 'none' | 'full' | 'late' | 'closed', failed: readonly string[]): ApiError => {
  if (reason === 'closed') return shuttingDown
  if (reason !== 'none') return unavailable('overloaded', 'All miners are busy. Please try again.', 2)
  if (failed.length > 0) return badGateway(`No miner answered: ${failed.join(', ')}.`)
  return unavailable('no_miners', 'No miner of this subnet can be asked now.', 10)
}

const broken = (why: string): ApiError =>
  badGateway(`The miner's answer broke off (${why}); what came of it is worth nothing. Please ask again.`)
