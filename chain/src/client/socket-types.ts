/** Spans in milliseconds that bound every wait of the connection. */
export interface ConnectionLimits {
  /** Deadline of one request, reconnections included. */
  readonly requestMs: number
  /** How long the first connection is tried before giving up; somebody waits for the reason. */
  readonly openMs: number
  /** How long a lost connection is tried before giving up for good. */
  readonly giveUpMs: number
  /** Between two pings; no pong until the next one counts as a dead socket. */
  readonly pingMs: number
  /** Longest pause between two attempts; pauses double from 100 ms. */
  readonly backoffMs: number
}

export const defaultLimits: ConnectionLimits = {
  requestMs: 30_000,
  openMs: 10_000,
  giveUpMs: 60_000,
  pingMs: 15_000,
  backoffMs: 5_000,
}

export interface RequestOptions {
  /** Sends again after a reconnection; false for what must not happen twice. */
  readonly replay?: boolean
  readonly signal?: AbortSignal
}

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

/** One JSON-RPC connection that mends itself until it gives up. */
export interface RpcSocket {
  request(method: string, params: readonly unknown[], options?: RequestOptions): Promise<unknown>
  /** Resolves when the chain has accepted the subscription; the result ends it. */
  subscribe(subscription: Subscription): Promise<() => void>
  /** Resolves with the first connection; rejects when it gives up. */
  readonly opened: Promise<void>
  /** Aborts with the reason when the connection gives up or is closed. */
  readonly dead: AbortSignal
  close(): Promise<void>
}
