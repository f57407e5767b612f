/** Bounds of a miner that dials. */
export interface DialLimits {
  /** Questions that it takes at once over one connection. */
  readonly inFlight: number
  /** How long connecting, and being welcomed after that, may take. */
  readonly connectMs: number
  readonly welcomeMs: number
  /** How long a relay may say nothing: it pings every 15 s. */
  readonly silentMs: number
  /** First and longest pause before dialling again; each is drawn at random up to twice the one before. */
  readonly firstPauseMs: number
  readonly longestPauseMs: number
  /** A connection that lived that long begins anew with the first pause. */
  readonly goodMs: number
  /** Pause after another process of the same hotkey took the place. */
  readonly replacedMs: number
  /** Validators that are dialled at once; those with the most stake. */
  readonly validators: number
  /** Between two looks at the metagraph. */
  readonly lookMs: number
}

/** Three pings may be lost before a relay counts as gone. */
export const defaultDialLimits: DialLimits = {
  inFlight: 64,
  connectMs: 10_000,
  welcomeMs: 10_000,
  silentMs: 50_000,
  firstPauseMs: 1_000,
  longestPauseMs: 60_000,
  goodMs: 30_000,
  replacedMs: 60_000,
  validators: 64,
  lookMs: 2_000,
}
