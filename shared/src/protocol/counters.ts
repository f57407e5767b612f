import { SubnetError } from '../errors.ts'
import { OK, type Refusal, refuse } from './refusal.ts'

/** How far out of order requests of one session may come. */
export const WINDOW = 1_024
/** How far ahead of the highest counter the next may be, so that no counter ends its own session. */
export const MAX_JUMP = 1_000_000
/** Receivers of one session: every slot that a subnet can have, and as many turned over. */
const MAX_RECEIVERS = 131_072

/** Counts the requests of one session up, each receiver's by itself. */
export interface Counters {
  /** Takes the next counter of a receiver, from 1. @throws SESSION_COUNTERS_FULL when it is one receiver too many */
  next(receiver: string): number
}

/** Creates the counters of a new session. */
export const createCounters = (maxReceivers: number = MAX_RECEIVERS): Counters => {
  const counters = new Map<string, number>()
  const next = (receiver: string): number => {
    const last = counters.get(receiver)
    if (last === undefined && counters.size >= maxReceivers)
      throw new SubnetError({
        code: 'SESSION_COUNTERS_FULL',
        message: `The session has asked ${maxReceivers} receivers; open a new one`,
        retryable: true,
      })
    const counter = (last ?? 0) + 1
    counters.set(receiver, counter)
    return counter
  }
  return { next }
}

/** Remembers which counters of one session were used. */
export interface CounterWindow {
  /** Uses a counter, once. */
  take(counter: number): { readonly ok: true } | Refusal<'WIRE_REPLAY' | 'WIRE_COUNTER'>
}

/** Creates the window of a new session: 128 bytes, whatever is counted. */
export const createCounterWindow = (): CounterWindow => {
  const used = new Uint8Array(WINDOW / 8)
  let highest = 0
  const take: CounterWindow['take'] = (counter) => {
    if (counter > highest + MAX_JUMP) return refuse('WIRE_COUNTER')
    if (counter <= highest - WINDOW || counter < 1) return refuse('WIRE_REPLAY')
    if (counter > highest) {
      if (counter - highest >= WINDOW) used.fill(0)
      else for (let skipped = highest + 1; skipped < counter; skipped += 1) clear(used, skipped)
      highest = counter
      set(used, counter)
      return OK
    }
    if (has(used, counter)) return refuse('WIRE_REPLAY')
    set(used, counter)
    return OK
  }
  return { take }
}

const has = (bits: Uint8Array, counter: number): boolean => {
  const bit = counter % WINDOW
  return ((bits[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0
}
const set = (bits: Uint8Array, counter: number): void => {
  const bit = counter % WINDOW
  bits[bit >> 3] = (bits[bit >> 3] ?? 0) | (1 << (bit & 7))
}
const clear = (bits: Uint8Array, counter: number): void => {
  const bit = counter % WINDOW
  bits[bit >> 3] = (bits[bit >> 3] ?? 0) & ~(1 << (bit & 7))
}
