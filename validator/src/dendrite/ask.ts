import { type Address, refusalOf } from '@arbor/chain/address'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'
import { type Answer, type Fault, type Ours, withTimeBefore } from './answer.ts'
import type { Breakers } from './breaker.ts'
import type { Dialled } from './dial.ts'
import { createLine, createLines, type Leave } from './line.ts'
import type { Question, Speaker, SpeakerContext } from './speaker.ts'
import { createTurns, type Turn } from './turns.ts'

/** Bounds of asking; each keeps one slow, dead or hostile miner from costing the others more than a place. */
export interface AskLimits {
  /** Questions in flight at once. */
  readonly inFlight: number
  /** Questions to one miner at once. */
  readonly perMiner: number
  /** What answers in flight may hold together, at their largest. */
  readonly bytesInFlight: number
  /** Questions that wait. */
  readonly waiting: number
  /** Time for everything, waiting in line included; the rest of it must be enough for the miner's own. */
  readonly withinMs: number
  /** Time that an address has to accept a connection, and to be probed. */
  readonly connectMs: number
  readonly probeMs: number
}

/** A fan-out of 64 with answers of 32 KiB holds 2 MiB; 4 096 with answers of 1 MiB hold as many as fit. */
export const ASK_LIMITS: Omit<AskLimits, 'inFlight'> = {
  perMiner: 2,
  bytesInFlight: 268_435_456, // 256 MiB
  waiting: 16_384, // 4 096 miners, four questions each
  withinMs: 300_000, // 5 min: 4 096 miners of which all take 10 s, 256 at a time, take 160 s
  connectMs: 3_000,
  probeMs: 1_000,
}

/** Asks a miner, within bounds. Rejects with the signal's reason when it aborts first. */
export type Ask = (question: Question, signal: AbortSignal) => Promise<Answer>

/** Creates the asking half of a dendrite; it knows no protocol, sockets or threads. */
export const createAsk = (of: {
  readonly limits: AskLimits
  readonly clock: Clock
  readonly breakers: Breakers
  readonly dial: (address: Address, timeoutMs: number, signal: AbortSignal) => Promise<Dialled>
  readonly speakerOf: (question: Question) => Speaker
  readonly context: SpeakerContext
  /** Whether addresses that are not of the public internet are dialled. */
  readonly privateAllowed: boolean
  /** Waited for before a question is written, which takes time of the sockets. */
  readonly turn?: Turn
}): Ask => {
  const { limits, clock, breakers, context, turn = createTurns().turn } = of
  const line = createLine({ places: limits.inFlight, bytes: limits.bytesInFlight, capacity: limits.waiting })
  const miners = createLines({ places: limits.perMiner, bytes: Number.POSITIVE_INFINITY, capacity: limits.waiting })
  const probes = createLine({ places: PROBES, bytes: Number.POSITIVE_INFINITY, capacity: limits.waiting })

  /** Waits for one's turn; null when the turn did not come while there was time. */
  const enter = async (question: Question, signal: AbortSignal): Promise<Leave | Answer> => {
    const own = miners(question.hotkey)
    const bytes = question.body.length + question.maxResponseBytes * (question.onChunk === undefined ? 1 : 2)
    const first = own.tryEnter(bytes)
    const second = first === null ? null : line.tryEnter(bytes)
    if (first !== null && second !== null) {
      return () => {
        second()
        first()
      }
    }
    first?.()
    const room = question.deadlineMs + limits.connectMs
    const late = new Error('waited too long')
    const ms = Math.max(0, limits.withinMs - room) as Ms
    using patience = startDeadline({ clock, ms, parent: signal, reason: () => late })
    const leaves: Leave[] = []
    const leave = (): void => {
      for (const each of leaves.splice(0)) each()
    }
    try {
      for (const each of [own, line]) {
        const left = await each.enter({ bytes, signal: patience.signal })
        if (left === null) {
          leave()
          return ours('line-full', `${limits.waiting} questions wait already`)
        }
        leaves.push(left)
      }
      return leave
    } catch (error) {
      leave()
      signal.throwIfAborted()
      if (error === late) return ours('line-wait', `no place came free within ${ms} ms`)
      throw error
    }
  }

  /** A miner that was missed so often gets no place before its address accepts a connection again. */
  const isDead = async ({ hotkey, address }: Question, signal: AbortSignal): Promise<boolean> => {
    if (!breakers.isOpen(hotkey)) return false
    const leave = await probes.enter({ bytes: 0, signal })
    if (leave === null) return false
    try {
      const dialled = await of.dial(address, limits.probeMs, signal)
      if (dialled.ok) dialled.socket.destroy()
      return !dialled.ok && dialled.reason !== 'sockets'
    } finally {
      leave()
    }
  }

  return async (question, signal) => {
    signal.throwIfAborted()
    const refusal = question.isOwn ? null : refusalOf(question.address, of.privateAllowed)
    if (refusal !== null) return fault('address', `the announced address is not dialled: ${refusal}`)
    if (await isDead(question, signal))
      return fault('unreachable', 'it was not reached lately, and accepts no connection')
    const leave = await enter(question, signal)
    if (typeof leave !== 'function') return leave
    try {
      await turn()
      const answer = excused(question, await speakTwice({ speak: of.speakerOf(question), question, context }, signal))
      if (answer.kind === 'fault' && MISSED.has(answer.reason)) breakers.missed(question.hotkey)
      else if (answer.kind !== 'ours') breakers.reached(question.hotkey)
      return answer
    } finally {
      leave()
    }
  }
}

/** Speaks, and once more when the connection turned out to be stale, within the miner's one time. */
async function speakTwice(
  of: { readonly speak: Speaker; readonly question: Question; readonly context: SpeakerContext },
  signal: AbortSignal,
): Promise<Answer> {
  const { speak, question, context } = of
  const { deadlineMs } = question
  const first = await speak(question, context, signal)
  if (first.kind !== 'fault' || first.stale !== true) return first
  const beforeMs = first.timing?.totalMs ?? 0
  const left = Math.floor(deadlineMs - beforeMs)
  if (left < 1) return first
  const second = withTimeBefore(await speak({ ...question, deadlineMs: left }, context, signal), beforeMs)
  return second.kind === 'answered' ? { ...second, timing: { ...second.timing, deadlineMs } } : second
}

/** A thread that was late by this share of a miner's time may have missed the answer itself. */
const EXCUSING_SHARE = 0.1

/** Takes back the verdict on a miner that was too late while we were late ourselves. */
function excused({ deadlineMs }: Question, answer: Answer): Answer {
  if (answer.kind !== 'fault' || (answer.reason !== 'timeout' && answer.reason !== 'trickle')) return answer
  const lagMs = answer.timing?.lagMs ?? 0
  if (lagMs < deadlineMs * EXCUSING_SHARE) return answer
  return ours('lag', `its time was up, and this thread was ${Math.round(lagMs)} ms late itself`)
}

/** Probes at once: they hold nothing but a socket, for a second. */
const PROBES = 256
const MISSED: ReadonlySet<Fault> = new Set(['unreachable', 'connect-refused', 'connect-timeout'])

const fault = (reason: Fault, why: string): Answer => ({ kind: 'fault', reason, why, timing: null })
const ours = (reason: Ours, why: string): Answer => ({ kind: 'ours', reason, why })
