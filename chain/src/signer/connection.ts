import { timingSafeEqual } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from '@arbor/shared/log'
import type { Field } from '@arbor/shared/protocol/canonical'
import type { Ms } from '@arbor/shared/units'
import type { Counts } from './counts.ts'
import type { Desk } from './desk.ts'
import { createFrameReader, writeFrame } from './frames.ts'
import { type Answered, type Asked, answeredFields, readAsked, readHello } from './messages.ts'
import { forbid } from './rules.ts'

/** Bounds of what clients can make a signer hold. */
export const SERVER_LIMITS = {
  connections: 32,
  /** Requests of one connection that wait for their answer. */
  inFlight: 64,
  /** For the hello, and for the rest of a message that has begun. */
  patienceMs: 5_000,
  /** Answers that a client does not read. */
  unreadBytes: 262_144,
} as const

export interface ConnectionDeps {
  readonly desk: Desk
  /** 32 bytes. */
  readonly token: Uint8Array
  readonly counts: Counts
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
}

/** Talks with one client until it goes, says what is no message, is too slow, or shows another token. */
export const serve = (deps: ConnectionDeps, socket: Socket): void => {
  const { counts, log } = deps
  const reader = createFrameReader()
  const gone = new AbortController()
  const signal = AbortSignal.any([gone.signal, deps.signal])
  let isKnown = false
  let patience: AbortController | null = null

  const say = (answered: Answered): void => {
    if (socket.destroyed) return
    socket.write(writeFrame(answeredFields(answered)))
    if (socket.writableLength > SERVER_LIMITS.unreadBytes) socket.destroy()
  }
  const cut = (why: 'wrongToken' | 'garbage' | 'late'): void => {
    counts.connections[why] += 1
    log.warn({ event: 'signer.cut', why }, 'a connection was cut off')
    socket.destroy()
  }
  const answer = createAnswering({ ...deps, signal, say, fail: () => socket.destroy() })
  const greet = (fields: readonly Field[]): void => {
    const token = readHello(fields)
    if (token === null) cut('garbage')
    else if (!timingSafeEqual(token, deps.token)) cut('wrongToken')
    else {
      isKnown = true
      counts.connections.taken += 1
      say({ is: 'welcome' })
    }
  }
  const take = (fields: readonly Field[]): void => {
    if (!isKnown) greet(fields)
    else {
      const asked = readAsked(fields)
      if (asked === null) cut('garbage')
      else answer(asked)
    }
  }
  /** Something is due when the hello has not come, or a message has begun: each gets its time once. */
  const settle = (hasProgressed: boolean): void => {
    const isDue = !isKnown || reader.isPartial
    if (!isDue || hasProgressed) {
      patience?.abort(CLIENT_GONE)
      patience = null
    }
    if (isDue && !socket.destroyed) patience ??= startPatience(deps.clock, () => cut('late'))
  }

  socket.on('error', () => {}) // it closes by itself
  socket.once('close', () => {
    patience?.abort(CLIENT_GONE)
    gone.abort(CLIENT_GONE)
  })
  socket.on('data', (bytes) => {
    const messages = reader.push(bytes)
    for (const fields of messages ?? []) if (!socket.destroyed) take(fields)
    if (messages === null) cut('garbage')
    else settle(messages.length > 0)
  })
  settle(false)
}

/** Makes what answers a client's requests side by side, up to a bound. */
const createAnswering = (
  of: Pick<ConnectionDeps, 'desk' | 'counts' | 'log' | 'signal'> & {
    readonly say: (answered: Answered) => void
    readonly fail: () => void
  },
): ((asked: Asked) => void) => {
  const { desk, counts, log, signal, say, fail } = of
  let inFlight = 0
  return (asked) => {
    if (inFlight >= SERVER_LIMITS.inFlight) {
      counts.refused.busy = (counts.refused.busy ?? 0) + 1
      const { rule, why } = forbid('busy', `${inFlight} requests of this connection are in flight`)
      say({ is: 'refused', id: asked.id, rule, why })
      return
    }
    inFlight += 1
    desk(asked, signal)
      .then(say, (error: unknown) => {
        if (!signal.aborted) log.error({ event: 'signer.failed', error: String(error) }, 'a request failed')
        fail()
      })
      .finally(() => {
        inFlight -= 1
      })
  }
}

const CLIENT_GONE = new SubnetError({ code: 'SIGNER_AWAY', message: 'The client has gone', retryable: true })

/** Calls `onLate` unless it is stopped in time. */
const startPatience = (clock: Clock, onLate: () => void): AbortController => {
  const stop = new AbortController()
  clock.sleep(SERVER_LIMITS.patienceMs as Ms, stop.signal).then(onLate, () => {}) // stopped: it said what was due
  return stop
}
