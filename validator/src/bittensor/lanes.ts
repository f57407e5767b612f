import type { Clock } from '@arbor/shared/clock'
import type { Ss58 } from '@arbor/shared/units'
import { uuid1 } from './uuid.ts'

/** The right to have one request in flight at a miner under one uuid; dispose it when the answer has ended. */
export interface Lane extends Disposable {
  readonly uuid: string
}

export interface Lanes {
  /** Takes the first lane that is free at this miner. */
  take(miner: Ss58): Lane
  /** A nonce in nanoseconds of Unix time, larger than every one before it under the uuids of now. */
  nonce(): bigint
  /** Uuids in use: as many as were ever in flight at one miner at once. */
  readonly size: number
}

/** A clock that is set back by more gets new uuids: nonces of the future would be refused until it has caught up. */
const BACK_NS = 2_000_000_000n

/**
 * Keeps the uuids under which axons are asked. A Python axon takes the nonces of one uuid in rising order only, and requests in flight
 * together arrive in any order; so each uuid has one request in flight at a miner at most. Other miners share the same few uuids, since
 * every axon keeps its own table, which it never prunes.
 * @param deps.randomBytes fills the random part of a uuid
 */
export function openLanes(deps: {
  readonly clock: Clock
  readonly randomBytes: (length: number) => Uint8Array
}): Lanes {
  const uuids: string[] = []
  const busy = new Map<Ss58, Set<number>>()
  let last = 0n
  /** Reads the clock, in nanoseconds; axons know no nonce of a new uuid, so that any time will do there. */
  const readClock = (): bigint => {
    const now = BigInt(deps.clock.now()) * 1_000_000n
    if (last <= now + BACK_NS) return now
    uuids.length = 0
    last = 0n
    return now
  }
  return {
    take: (miner) => {
      readClock()
      const taken = busy.get(miner) ?? new Set<number>()
      busy.set(miner, taken)
      let index = 0
      while (taken.has(index)) index += 1
      taken.add(index)
      const uuid = uuids[index] ?? uuid1({ at: deps.clock.now(), random: deps.randomBytes(8) })
      uuids[index] = uuid
      let held = true
      return {
        uuid,
        [Symbol.dispose]: () => {
          if (!held) return
          held = false
          taken.delete(index)
          if (taken.size === 0 && busy.get(miner) === taken) busy.delete(miner)
        },
      }
    },
    nonce: () => {
      const now = readClock()
      last = now > last ? now : last + 1n
      return last
    },
    get size() {
      return uuids.length
    },
  }
}
