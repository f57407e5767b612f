/** Bounds of the server. */
export interface RpcLimits {
  readonly connections: number
  readonly subscriptionsPerConnection: number
  /** Requests of one connection that wait or run; more are refused. */
  readonly inFlight: number
  /** Largest message of a client. */
  readonly requestBytes: number
  /** Unsent bytes at which a client that does not read is dropped. */
  readonly bufferedBytes: number
  /** Unsent bytes above which a connection's next request waits. */
  readonly highWaterBytes: number
  /** Between two pings; no pong until the next one counts as a dead socket. */
  readonly pingMs: number
  /** How long clients get to take the goodbye. */
  readonly closeMs: number
}

/** Connections, subscriptions and message size are near Substrate's defaults (100, 1024, 15 MiB). */
export const defaultRpcLimits: RpcLimits = {
  connections: 256,
  subscriptionsPerConnection: 1024,
  inFlight: 1024,
  requestBytes: 32 * 1024 * 1024,
  bufferedBytes: 64 * 1024 * 1024,
  highWaterBytes: 4 * 1024 * 1024,
  pingMs: 30_000,
  closeMs: 300,
}
