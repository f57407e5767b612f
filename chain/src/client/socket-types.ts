import type { Fault } from './faults.ts'

/** Spans in milliseconds that bound every wait of the connection. */
export interface ConnectionLimits {
  /** Deadline of one request, reconnections included. */
  readonly requestMs: number
  /** How long the first connection is tried before giving up; somebody waits for the reason. Each further endpoint adds `attemptMs`. */
  readonly openMs: number
  /** How long one of several endpoints is tried at a time. */
  readonly attemptMs: number
  /** How long a lost connection is tried before giving up for good. */
  readonly giveUpMs: number
  /** How long a chain that is behind what was seen of it is waited for. */
  readonly behindMs: number
  /** Between two pings; an endpoint that says nothing at all from one to the next is half-open. */
  readonly pingMs: number
  /** Between two looks at the finalised head and the code's version, whatever the subscriptions tell. */
  readonly checkMs: number
  /** An endpoint that answers such a look later than this is too slow. */
  readonly slowMs: number
  /** After so long without a new final block the other endpoints are asked for one. */
  readonly staleMs: number
  /** How often a more preferred endpoint is looked at while another is used. */
  readonly returnMs: number
  /** How long one of several endpoints is avoided that was half-open, slow, behind or answered rubbish. */
  readonly shunMs: number
  /** How long one of several endpoints is avoided that is on another fork or is another chain. */
  readonly refusedMs: number
  /** Longest pause between two attempts; pauses double from 100 ms. */
  readonly backoffMs: number
}

export const defaultLimits: ConnectionLimits = {
  requestMs: 30_000,
  openMs: 10_000,
  attemptMs: 5_000,
  giveUpMs: 60_000,
  behindMs: 300_000,
  pingMs: 10_000, // half-open is known within 20 s, so that reads under way then still have 10 s elsewhere
  checkMs: 10_000,
  slowMs: 20_000,
  staleMs: 60_000, // five blocks of Bittensor's
  returnMs: 300_000,
  shunMs: 60_000,
  refusedMs: 600_000,
  backoffMs: 5_000,
}

export interface RequestOptions {
  /** Sends again after a reconnection; false for what must not happen twice. */
  readonly replay?: boolean
  /** Another deadline than `requestMs`. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export type Request = (method: string, params: readonly unknown[], options?: RequestOptions) => Promise<unknown>

export interface Subscription {
  readonly method: string
  readonly unsubscribe: string
  readonly params: readonly unknown[]
  readonly onMessage: (result: unknown) => void
  /** Called when the socket dies; the subscription is then gone unless `renew` is set. */
  readonly onLost?: () => void
  /** Subscribes again after a reconnection. */
  readonly renew: boolean
}

/** How an endpoint does. `waiting` ones are tried later, `refused` ones are on another fork or are another chain. */
export interface EndpointStatus {
  /** Its address without user, path and query, which may hold secrets. */
  readonly url: string
  readonly state: 'used' | 'ready' | 'waiting' | 'refused'
  /** Since it last served for a second. */
  readonly failures: number
  readonly lastFault: string | null
}

/** How the connection does; numbers count from its start. */
export interface SocketStatus {
  /** The endpoint in use; null while there is none. */
  readonly endpoint: string | null
  readonly endpoints: readonly EndpointStatus[]
  readonly connections: number
  /** Connections after the first. */
  readonly reconnects: number
  /** Of them, those to another endpoint than before. */
  readonly failovers: number
  /** Milliseconds since the connection was lost; 0 while there is one. */
  readonly lostMs: number
}

/** One JSON-RPC connection that mends itself until it gives up, over one of several endpoints at a time. */
export interface RpcSocket {
  readonly request: Request
  /** Resolves when the chain has accepted the subscription; the result ends it. */
  subscribe(subscription: Subscription): Promise<() => void>
  /** Leaves the endpoint in use; does nothing when the connection that it was found on is over. */
  suspect(fault: Fault, connection: number): void
  /** Tells whether a request is on the wire that must not be sent twice. */
  isFragile(): boolean
  /** Milliseconds since anything came from the endpoint in use. */
  heardMs(): number
  status(): SocketStatus
  /** Resolves with the first connection; rejects when it gives up. */
  readonly opened: Promise<void>
  /** Aborts with the reason when the connection gives up or is closed. */
  readonly dead: AbortSignal
  close(): Promise<void>
}
