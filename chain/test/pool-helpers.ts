import { blake2b256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Block, Hex } from '@arbor/shared/units'
import type { StoredBlock, Validity } from '../src/embedded/types.ts'
import { createPool } from '../src/pool/pool.ts'
import { defaultPoolLimits, type PoolEvent, type PoolLimits } from '../src/pool/types.ts'

/** Extrinsics of a runtime with accounts and nonces: account, nonce, priority, longevity (0 = for ever), salt. */
export const extrinsic = (of: {
  readonly account: number
  readonly nonce: number
  readonly priority?: number
  readonly longevity?: number
  readonly salt?: number
}): Uint8Array => Uint8Array.of(of.account, of.nonce, of.priority ?? 1, of.longevity ?? 0, of.salt ?? 0)

export const hashOf = (bytes: Uint8Array): Hex => toHex(blake2b256(bytes))

export const account = (index: number): Uint8Array => new Uint8Array(32).fill(index)

const tag = (index: number, nonce: number): Hex => toHex(Uint8Array.of(...account(index), nonce, 0, 0, 0))

export const refusal = (index: number, custom: number | null = null): Validity => ({
  valid: false,
  kind: 'invalid',
  index,
  custom,
})
export const STALE = 3
export const FUTURE = 2

/** A pool over a ledger of nonces that follows frame_system's CheckNonce and CheckMortality. */
export const createWorld = (limits: Partial<PoolLimits> = {}) => {
  const clock = createManualClock()
  const nonces = new Map<number, number>()
  const answers = new Map<Hex, Validity>()
  let best = 0
  let fork = 77
  let validations = 0
  const validate = (bytes: Uint8Array): Validity => {
    validations += 1
    const forced = answers.get(hashOf(bytes))
    if (forced) return forced
    const [who = 0, nonce = 0, priority = 0, longevity = 0] = bytes
    const next = nonces.get(who) ?? 0
    if (nonce < next) return refusal(STALE)
    return {
      valid: true,
      priority: BigInt(priority),
      requires: nonce > next ? [tag(who, nonce - 1)] : [],
      provides: [tag(who, nonce)],
      longevity: longevity === 0 ? 2n ** 64n - 1n : BigInt(longevity),
      propagate: true,
    }
  }
  const pool = createPool({
    validate,
    check: async (bytes) => validate(bytes),
    best: () => ({ hash: hashOf(Uint8Array.of(best, fork)), number: best as Block }),
    clock,
    limits: { ...defaultPoolLimits, ...limits },
  })
  const blockOf = (extrinsics: readonly Uint8Array[]): StoredBlock => {
    const header = {
      parentHash: hashOf(Uint8Array.of(best - 1)),
      number: best as Block,
      stateRoot: hashOf(new Uint8Array()),
      extrinsicsRoot: hashOf(new Uint8Array()),
      digest: [],
    }
    return { hash: hashOf(Uint8Array.of(best, fork)), header, extrinsics }
  }
  /** Makes a block of these extrinsics, as the chain would. */
  const block = (included: readonly Uint8Array[], refused: ReadonlyMap<Hex, Validity> = new Map()): StoredBlock => {
    best += 1
    for (const [who = 0, nonce = 0] of included) nonces.set(who, nonce + 1)
    const made = blockOf(included)
    pool.onBlock(made, refused)
    return made
  }
  /** Changes the best chain: these blocks leave it, and others with the given extrinsics come in their place. */
  const reorg = (retracted: readonly StoredBlock[], enacted: readonly (readonly Uint8Array[])[]): StoredBlock[] => {
    best -= retracted.length
    fork += 1
    for (const { extrinsics } of retracted)
      for (const [who = 0] of extrinsics) nonces.set(who, (nonces.get(who) ?? 1) - 1)
    const made = enacted.map((included) => {
      best += 1
      for (const [who = 0, nonce = 0] of included) nonces.set(who, nonce + 1)
      return blockOf(included)
    })
    pool.onReorg({ retracted: [...retracted].reverse(), enacted: made })
    return made
  }
  const watch = async (bytes: Uint8Array) => {
    const events: string[] = []
    const listener = (event: PoolEvent): void => void events.push(event.kind)
    return { submitted: await pool.submit(bytes, listener), events, listener }
  }
  return { pool, clock, answers, block, reorg, watch, validations: () => validations, ready: () => pool.pending() }
}
