import type { Address } from '@arbor/chain/address'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'
import type { Fault, Ours, SocketTiming } from './answer.ts'
import type { Connections } from './connections.ts'
import { type Exchanged, exchange } from './exchange.ts'
import type { LagMeter } from './lag.ts'
import { createTurns, type Turn } from './turns.ts'

/** The head of an answer. */
export interface HttpHead {
  readonly status: number
  /** By lower-case name, latin-1; repeated ones as arrays. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Names and values in turn, as the socket brought them. */
  readonly rawHeaders: readonly string[]
}

/** One HTTP request to one address. */
export interface HttpRequest {
  readonly address: Address
  readonly method: 'GET' | 'POST'
  /** Request target as it goes into the request line. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | null
  /** From the request's first byte sent to the answer's last byte. */
  readonly timeoutMs: number
  /** The answer's body; the connection is cut where it becomes larger. */
  readonly maxBytes: number
  /** Content encodings that the caller undoes itself, bounded; none by default. */
  readonly encodings?: readonly string[]
  /** Takes the head as it comes. @returns a fault to break off with */
  readonly onHead?: (head: HttpHead) => Fault | null
  /** Takes the body as it comes, which is then not collected. @returns a fault to break off with */
  readonly onChunk?: (bytes: Uint8Array) => Fault | null
}

/** What came of a request, every way of failing included. */
export type HttpReply =
  | ({ readonly ok: true; readonly body: Uint8Array; readonly timing: SocketTiming } & HttpHead)
  | HttpFailure

export interface HttpFailure {
  readonly ok: false
  /** `sockets` is no fault of the miner's. */
  readonly reason: Fault | Extract<Ours, 'sockets'>
  /** One line for the log; holds no text of the miner's. */
  readonly why: string
  /** As far as it came. */
  readonly timing: SocketTiming | null
  /** The connection had been kept open and was closed before a byte of the answer came: the same may be sent again, on a new one. */
  readonly stale: boolean
}

/** Sends a request and takes its answer. Rejects with the signal's reason when it aborts first. */
export type Send = (request: HttpRequest, signal: AbortSignal) => Promise<HttpReply>

/** Creates the sending half: connections that are kept, bounded phases, timings. */
export const createSend =
  ({
    turn = createTurns().turn,
    ...of
  }: {
    readonly connections: Connections
    readonly clock: Clock
    readonly lag: LagMeter
    readonly turn?: Turn
  }): Send =>
  async (request, signal) => {
    const { connections, clock } = of
    const { address } = request
    const taken = await connections.take(address, signal)
    if (!taken.ok) {
      const why = taken.reason === 'sockets' ? taken.why : connectFailure[taken.reason]
      return { ok: false, reason: taken.reason, why, timing: null, stale: false }
    }
    const { connection } = taken
    using watch = of.lag.watch()
    const late = new Error('the time was up')
    using deadline = startDeadline({ clock, ms: request.timeoutMs as Ms, parent: signal, reason: () => late })
    let done: Exchanged | null = null
    try {
      done = await exchange({ connection, request, clock, signal: deadline.signal })
    } finally {
      connections.give(connection, done?.ok !== true)
    }
    signal.throwIfAborted()
    const timing = { ...done.timing, connectMs: connection.connectMs, lagMs: watch.worstMs() }
    await turn() // what the caller does with it takes time of the sockets
    if (done.ok) return { ...done, timing }
    if (done.stale) connections.drop(address)
    return { ...done, timing }
  }

const connectFailure = {
  unreachable: 'no route to the address',
  'connect-refused': 'nobody listens there',
  'connect-timeout': 'the connection was not accepted in time',
} as const
