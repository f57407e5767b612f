import type { Clock } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'
import type { Misfit } from './answers.ts'
import { badAnswer, busy, connectionLost, rpcError, timedOut } from './errors.ts'
import type { ConnectionLimits, RequestOptions } from './socket-types.ts'

interface Pending {
  readonly method: string
  readonly params: readonly unknown[]
  readonly text: string
  readonly replay: boolean
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  sent: boolean
  misfits: number
}

/** Requests in flight or waiting for a connection; more are refused with CHAIN_BUSY. */
const MAX_PENDING = 4096
/** Requests on the wire at once; the rest wait their turn. Chain nodes refuse more than about 1 024. */
const MAX_IN_FLIGHT = 512
/** An answer that does not fit is asked for so often, each time over another connection, before its caller hears of it. */
const MAX_MISFITS = 2

/** An answer as it came. */
export interface Answer {
  readonly id: unknown
  readonly result?: unknown
  readonly error?: { readonly code?: unknown }
}

/** The requests of one client; they outlive its connections. */
export interface Requests {
  /** @param now sends it before all that waits, on a connection that is not open for others yet */
  call(method: string, params: readonly unknown[], options: RequestOptions, now: boolean): Promise<unknown>
  /** Gives an answer to whom it is for; tells what is wrong with it, null when nothing is. */
  answer(message: Answer): string | null
  /** Takes a new connection, for requests that are sent `now`. */
  attach(send: (text: string) => void): void
  /** Sends what waits, from now on at once. */
  release(): void
  /** Loses the connection: what may be sent again waits for the next one. */
  detach(): void
  /** Rejects everything, also what is asked later. */
  fail(reason: unknown): void
  isFragile(): boolean
}

export const createRequests = (of: {
  readonly clock: Clock
  readonly limits: ConnectionLimits
  readonly misfit: Misfit
  /** The endpoint in use, for errors. */
  readonly where: () => string
  readonly onTimeout: () => void
}): Requests => {
  const { clock, limits, where } = of
  const pending = new Map<number, Pending>()
  let send: ((text: string) => void) | null = null
  let released = false
  let nextId = 1
  let inFlight = 0
  let over: { readonly reason: unknown } | null = null

  const put = (entry: Pending): void => {
    if (send === null) return
    entry.sent = true
    inFlight += 1
    send(entry.text)
  }
  const pump = (): void => {
    if (!released || pending.size === inFlight) return
    for (const entry of pending.values()) {
      if (inFlight >= MAX_IN_FLIGHT) return
      if (!entry.sent) put(entry)
    }
  }

  const call: Requests['call'] = (method, params, { replay = true, timeoutMs = limits.requestMs, signal }, now) => {
    if (over !== null) return Promise.reject(over.reason)
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (now && send === null) return Promise.reject(connectionLost(where(), method))
    if (!now && pending.size >= MAX_PENDING) return Promise.reject(busy(where(), MAX_PENDING))
    const id = nextId++
    const done = new AbortController()
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const abort = (): void => reject(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    clock.sleep(timeoutMs as Ms, done.signal).then(
      () => {
        reject(timedOut(where(), method, timeoutMs))
        of.onTimeout()
      },
      () => {},
    )
    const text = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    const entry: Pending = { method, params, text, replay, resolve, reject, sent: false, misfits: 0 }
    pending.set(id, entry)
    if (now) put(entry)
    else pump()
    return promise.finally(() => {
      if (entry.sent) inFlight -= 1
      pending.delete(id)
      pump()
      done.abort()
      signal?.removeEventListener('abort', abort)
    })
  }

  const answer: Requests['answer'] = ({ id, result, error }) => {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id >= nextId)
      return 'it answered what was never asked'
    const entry = pending.get(id)
    if (entry === undefined) return null // it came too late, and nobody waits for it
    if (error !== undefined && error !== null) {
      entry.reject(rpcError(entry.method, error))
      return null
    }
    const wrong = of.misfit(entry.method, entry.params, result)
    if (wrong === null) {
      entry.resolve(result)
      return null
    }
    entry.misfits += 1
    if (entry.misfits >= MAX_MISFITS) entry.reject(badAnswer(`${entry.method}, from ${where()}: ${wrong}`, result))
    return `it answered ${entry.method} with ${wrong}`
  }

  return {
    call,
    answer,
    attach: (next) => {
      send = next
    },
    release: () => {
      released = true
      pump()
    },
    detach: () => {
      send = null
      released = false
      inFlight = 0
      for (const entry of pending.values()) {
        if (entry.sent && !entry.replay) entry.reject(connectionLost(where(), entry.method))
        entry.sent = false
      }
    },
    fail: (reason) => {
      over = { reason }
      send = null
      released = false
      for (const entry of pending.values()) entry.reject(reason)
    },
    isFragile: () => [...pending.values()].some((entry) => entry.sent && !entry.replay),
  }
}
