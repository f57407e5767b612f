import type { Uid } from '@arbor/shared/units'
import type { JudgedUpdate } from './judged-update.ts'
import type { RecordedMerge } from './ledger.ts'

/** What is to be seen of a training subnet from outside. */
export interface TrainingReading {
  /** The newest round that was merged; null before the first. */
  readonly round: number | null
  /** Tokens that merged updates were trained on, since this process began. */
  readonly tokens: number
  /** Loss a token on held-out text, in nats, of the newest checkpoint. */
  readonly heldOut: number | null
  /** On OpenSkill's scale, by uid. */
  readonly ratings: ReadonlyMap<Uid, { readonly mu: number; readonly sigma: number }>
  /** Bytes of updates and states that were fetched. */
  readonly bytesFetched: number
  /** Updates that were measured, and what that took together. */
  readonly scored: number
  readonly scoredMs: number
  /** What judging the newest round took, and its merge. */
  readonly roundMs: number | null
  readonly mergeMs: number | null
}

/** Hears what happens in a training subnet. */
export interface TrainingMeter {
  bytes(count: number): void
  judged(updates: readonly JudgedUpdate[], ms: number): void
  merged(merge: Pick<RecordedMerge, 'round' | 'tokens' | 'heldOut'>): void
  /** @param ms of the arithmetic alone */
  mergeTook(ms: number): void
  rating(uid: Uid, rating: { readonly mu: number; readonly sigma: number }): void
  read(): TrainingReading
}

/** Uids whose ratings are shown: labels have a bound. */
const MOST_UIDS = 4_096

/** Makes a meter that remembers what was last heard. */
export function createTrainingMeter(): TrainingMeter {
  const ratings = new Map<Uid, { readonly mu: number; readonly sigma: number }>()
  let reading: Omit<TrainingReading, 'ratings'> = {
    round: null,
    tokens: 0,
    heldOut: null,
    bytesFetched: 0,
    scored: 0,
    scoredMs: 0,
    roundMs: null,
    mergeMs: null,
  }
  return {
    bytes: (count) => {
      reading = { ...reading, bytesFetched: reading.bytesFetched + count }
    },
    judged: (updates, roundMs) => {
      const measured = updates.filter((one) => one.measured !== null)
      const scoredMs = reading.scoredMs + measured.reduce((sum, { checkMs }) => sum + checkMs, 0)
      reading = { ...reading, roundMs, scored: reading.scored + measured.length, scoredMs }
    },
    merged: ({ round, tokens, heldOut }) => {
      reading = { ...reading, round, heldOut: heldOut ?? reading.heldOut, tokens: reading.tokens + tokens }
    },
    mergeTook: (mergeMs) => {
      reading = { ...reading, mergeMs }
    },
    rating: (uid, rating) => {
      if (ratings.has(uid) || ratings.size < MOST_UIDS) ratings.set(uid, rating)
    },
    read: () => ({ ...reading, ratings }),
  }
}
