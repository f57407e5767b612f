/** Bounds of what serves the log, whoever asks. */
export const SERVE_LIMITS = {
  /** Connections: of all, and of one address. */
  sockets: 256,
  socketsPerAddress: 16,
  /** Requests of one address: so many at once, and so many more a second. */
  burst: 50,
  perSecond: 10,
  /** Requests of all: 100 pages a second are 25 MB/s, and the half of one core. */
  burstOfAll: 200,
  perSecondOfAll: 100,
  /** Entries and bytes of one page; an entry that is larger alone makes a page. */
  pageEntries: 1_000,
  pageBytes: 256 * 1024,
  /** Bytes of answers that wait to be read by all callers together. */
  waitingBytes: 64 * 1024 * 1024,
  /** Files that are being sent, to all callers together; each holds a buffer of 64 KiB. */
  transfers: 32,
  /** Rounds of a training subnet that one page tells. */
  pageRounds: 200,
  /** A connection between two requests, and one on which nothing moves. */
  keepAliveMs: 5_000,
  idleMs: 10_000,
  /** An answer that is read more slowly is cut off. */
  answerMs: 60_000,
} as const

export type ServeLimits = { readonly [K in keyof typeof SERVE_LIMITS]: number }
