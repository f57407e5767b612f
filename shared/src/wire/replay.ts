import type { Hex, Ss58, UnixMs } from '../units.ts'
import { type Refusal, refuse } from './refusal.ts'

/** The use of a nonce by a sender whose signature was verified. */
export interface NonceUse {
  readonly sender: Ss58
  readonly nonce: Hex
  /** From then on the request is refused as expired, so the nonce may be forgotten. */
  readonly expiresAt: UnixMs
  readonly now: UnixMs
}

export type ReplayVerdict = { readonly ok: true } | Refusal<'WIRE_REPLAY' | 'WIRE_REPLAY_FULL' | 'WIRE_EXPIRED'>

/**
 * Remembers nonces until their requests expire. Bounded for each sender and in the number of senders: who floods is
 * refused, nobody else's nonce is forgotten for it.
 */
export interface ReplayStore {
  /** Claims a nonce, once. */
  claim(use: NonceUse): ReplayVerdict
}

/** How much a store remembers. */
export interface ReplayLimits {
  /** Live nonces of one sender: 65 s × this many ÷ 65 requests a second. */
  readonly perSender: number
  /** Senders with live nonces; only permitted validators should get here, of which a subnet has at most a few hundred. */
  readonly senders: number
}
export const REPLAY_LIMITS: ReplayLimits = { perSender: 8_192, senders: 1_024 }

/**
 * Creates a store in memory, which forgets at a restart: for tests, or below one that persists.
 * It never accepts a nonce that expires before the latest moment up to which it forgot, whatever the clock says now.
 */
export const createMemoryReplayStore = (limits: ReplayLimits = REPLAY_LIMITS): ReplayStore => {
  const senders = new Map<Ss58, Map<Hex, UnixMs>>()
  let forgottenUpTo = 0

  const forget = (now: UnixMs): void => {
    forgottenUpTo = Math.max(forgottenUpTo, now)
    for (const [sender, nonces] of senders) {
      for (const [nonce, expires] of nonces) if (expires <= now) nonces.delete(nonce)
      if (nonces.size === 0) senders.delete(sender)
    }
  }

  const claim = ({ sender, nonce, expiresAt, now }: NonceUse): ReplayVerdict => {
    if (expiresAt <= Math.max(now, forgottenUpTo)) return refuse('WIRE_EXPIRED')
    const isFull = (): boolean => {
      const own = senders.get(sender)
      return own === undefined ? senders.size >= limits.senders : own.size >= limits.perSender
    }
    if (senders.get(sender)?.has(nonce)) return refuse('WIRE_REPLAY')
    if (isFull()) forget(now)
    if (isFull()) return refuse('WIRE_REPLAY_FULL')
    const nonces = senders.get(sender) ?? new Map<Hex, UnixMs>()
    nonces.set(nonce, expiresAt)
    senders.set(sender, nonces)
    return { ok: true }
  }
  return { claim }
}
