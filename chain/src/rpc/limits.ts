/** Bounds of the server. */
export interface RpcLimits {
  readonly connections: number
  /** How long a connection without subscriptions says nothing before it may be closed to make room for another. */
  readonly idleMs: number
  readonly subscriptionsPerConnection: number
  /** Subscriptions of all connections together. */
  readonly subscriptions: number
  /** Requests of one connection that wait or run; more are refused. */
  readonly inFlight: number
  /** Largest message of a client. */
  readonly requestBytes: number
  /** Characters of one connection's waiting requests at which no more of them are read from its socket. */
  readonly queuedBytes: number
  /** Bytes of requests of all connections, arriving or waiting, at which whoever adds a large one is sent away. */
  readonly totalRequestBytes: number
  /** Unsent bytes at which a client that does not read is dropped. */
  readonly bufferedBytes: number
  /** Unsent characters of all connections together at which whoever adds to them is dropped. */
  readonly totalBufferedBytes: number
  /** Unsent bytes above which a connection's next request waits. */
  readonly highWaterBytes: number
  /** Between two pings; no pong until the next one counts as a dead socket. */
  readonly pingMs: number
  /** How long clients get to take the goodbye. */
  readonly closeMs: number
  /** How long a client may take to send the head of an HTTP request, and the whole of it. */
  readonly headersMs: number
  readonly requestMs: number
}

const MIB = 1024 * 1024

/** Substrate's defaults are 100 connections, 1024 subscriptions each, 15 MiB. A connection that says nothing holds 30 KiB. */
export const defaultRpcLimits: RpcLimits = {
  connections: 2_048,
  idleMs: 60_000,
  subscriptionsPerConnection: 1_024,
  subscriptions: 16_384,
  inFlight: 1_024,
  requestBytes: 16 * MIB,
  queuedBytes: 32 * MIB,
  totalRequestBytes: 512 * MIB,
  bufferedBytes: 64 * MIB,
  totalBufferedBytes: 512 * MIB,
  highWaterBytes: 4 * MIB,
  pingMs: 30_000,
  closeMs: 300,
  headersMs: 10_000,
  requestMs: 60_000,
}
