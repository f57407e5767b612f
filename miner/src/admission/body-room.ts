import type { Alpha, Ss58 } from '@arbor/shared/units'

/** Bytes of bodies that are on their way or wait for a thread. */
const MAX_BODY_BYTES = 256 << 20
/** One caller may hold this many times what is left free: 170 MiB when it is alone, so that each other one finds some room. */
const SHARE_OF_FREE = 2
/** What one caller may hold when others' bodies have to go for it: a quarter, however much stake it has. */
const MAX_TAKEN_BYTES = MAX_BODY_BYTES / 4

/** A body that asks for room. */
export interface BodyClaim {
  readonly caller: Ss58
  readonly stake: Alpha
  readonly bytes: number
  /** Called when a caller with more stake takes the room; the body has none from then on. */
  readonly evict: () => void
}

/** Room that a body has. */
export interface TakenRoom {
  /** Nobody takes the room any more: the body is worked on. */
  keep(): void
  /** Gives the room back; does nothing when it is gone. */
  giveBack(): void
}

/** Bounds the memory that bodies take, of all callers and of each. */
export interface BodyRoom {
  /** Takes room; where there is too little, that of waiting bodies with less stake, least stake and then longest wait first. Null when that is too little too. */
  take(claim: BodyClaim): TakenRoom | null
}

/** Creates the room that the bodies of a miner share. */
export const createBodyRoom = (): BodyRoom => {
  const held = new Map<Ss58, number>()
  const present = new Set<BodyClaim>()
  /** Those that are not worked on yet, in order of arrival. */
  const waiting = new Set<BodyClaim>()
  let total = 0

  const count = ({ caller }: BodyClaim, bytes: number): void => {
    const own = (held.get(caller) ?? 0) + bytes
    total += bytes
    if (own === 0) held.delete(caller)
    else held.set(caller, own)
  }
  /** @returns whose room has to be taken; null when all of it is too little */
  const victimsOf = ({ caller, stake, bytes }: BodyClaim): readonly BodyClaim[] | null => {
    const own = (held.get(caller) ?? 0) + bytes
    let after = total + bytes
    const fits = (): boolean => own <= SHARE_OF_FREE * (MAX_BODY_BYTES - after)
    if (fits()) return []
    if (own > MAX_TAKEN_BYTES) return null
    const victims: BodyClaim[] = []
    for (const body of [...waiting].filter((other) => other.stake < stake && other.caller !== caller).sort(byStake)) {
      victims.push(body)
      after -= body.bytes
      if (fits()) return victims
    }
    return null
  }
  const drop = (body: BodyClaim): void => {
    if (!present.delete(body)) return
    waiting.delete(body)
    count(body, -body.bytes)
  }
  const take: BodyRoom['take'] = (claim) => {
    const victims = victimsOf(claim)
    if (victims === null) return null
    victims.forEach(drop)
    const body = { ...claim } // one claim may be made twice
    present.add(body)
    if (body.bytes > 0) waiting.add(body)
    count(body, body.bytes)
    for (const { evict } of victims) evict()
    return { keep: () => void waiting.delete(body), giveBack: () => drop(body) }
  }
  return { take }
}

const byStake = (a: BodyClaim, b: BodyClaim): number => (a.stake < b.stake ? -1 : a.stake > b.stake ? 1 : 0)
