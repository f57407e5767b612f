import { sha256 } from '@arbor/shared/hashing'
import { fromHex, toHex } from '@arbor/shared/hex'
import type { Block, Blocks, Uid, UnixMs } from '@arbor/shared/units'
import { describe, expect, it } from 'vitest'
import rounds from '../../test/vectors/chain/reveal_rounds.json' with { type: 'json' }
import vectors from '../../test/vectors/chain/timelock.json' with { type: 'json' }
import { dueAt, publicKeyOf, QUICKNET, roundAt, secretScalar, signRound, verifyPulse } from '../src/timelock/drand.ts'
import { decodePayload, encodePayload } from '../src/timelock/payload.ts'
import { nextEpoch, revealBlock, revealRound } from '../src/timelock/schedule.ts'
import { seal, unseal } from '../src/timelock/seal.ts'

const signature = fromHex(`0x${vectors.drand.signature}`)
const pulse = { round: 1000n, signature, randomness: signRound(1n, 1n).randomness }

/** What the reference calls encrypted data: a length, the ciphertext, and the round as u64. */
const inner = (hex: string): Uint8Array => {
  const bytes = fromHex(`0x${hex}`)
  const offset = [1, 2, 4][(bytes[0] ?? 0) & 3] ?? 0
  return bytes.slice(offset, -8)
}
const code = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
  return 'none'
}
const cases = [
  ...vectors.decrypt.map(({ plaintext_hex, ciphertext_hex }) => [plaintext_hex, ciphertext_hex] as const),
  ...vectors.weights_payload.map(({ scale_hex, ciphertext_hex }) => [scale_hex, ciphertext_hex] as const),
]

describe('ciphertexts of bittensor-drand for quicknet round 1000', () => {
  it.each(
    cases,
  )('%s… is opened, and sealing it again with what the opening shows gives the same bytes', (plain, hex) => {
    const sealed = inner(hex)
    const opened = unseal(sealed, { signature })
    expect(toHex(opened.plain)).toBe(`0x${plain}`)
    expect(toHex(seal(QUICKNET, 1000n, opened.plain, opened.random))).toBe(toHex(sealed))
  })

  it('commits of another round stay closed, and are of this layout', () => {
    for (const { commit_hex, commit_len } of vectors.commit_v2) {
      const commit = fromHex(`0x${commit_hex}`)
      expect(commit.length).toBe(commit_len)
      expect(code(() => unseal(commit, { signature }))).toBe('TIMELOCK_NOT_OPENED')
    }
  })

  it('changed, cut and foreign bytes are told from those of another round', () => {
    const sealed = inner(cases[0]?.[1] ?? '')
    const changed = (at: number): Uint8Array => sealed.map((byte, index) => (index === at ? byte ^ 1 : byte))
    expect(code(() => unseal(changed(110), { signature }))).toBe('TIMELOCK_NOT_OPENED') // sigma
    expect(code(() => unseal(changed(200), { signature }))).toBe('TIMELOCK_NOT_OPENED') // the text
    for (const bytes of [sealed.slice(0, -1), sealed.slice(0, 100), new Uint8Array(), changed(5), changed(97)]) {
      expect(code(() => unseal(bytes, { signature }))).toMatch(/^TIMELOCK_/)
    }
    expect(code(() => unseal(Uint8Array.from([...sealed, 0]), { signature }))).toBe('TIMELOCK_MALFORMED')
  })
})

describe('payload of a timelocked commit', () => {
  it('is the reference’s SCALE, and is read back', () => {
    const { scale_hex } = vectors.weights_payload[0] ?? { scale_hex: '' }
    const payload = decodePayload(fromHex(`0x${scale_hex}`))
    expect(payload.version).toBe(10_005_000n)
    expect(payload.row).toEqual([
      [0, 65_535],
      [1, 32_767],
      [2, 1],
    ])
    expect(toHex(encodePayload(payload))).toBe(`0x${scale_hex}`)
  })

  it('is refused when its lists and its length do not agree', () => {
    const bytes = encodePayload({ hotkey: new Uint8Array(32), row: [[3 as Uid, 65_535]], version: 1n })
    for (const bad of [bytes.slice(0, -1), Uint8Array.from([...bytes, 0]), new Uint8Array(), Uint8Array.of(255, 255)])
      expect(code(() => decodePayload(bad))).toBe('TIMELOCK_MALFORMED')
  })
})

describe('a beacon', () => {
  it('quicknet’s recorded pulse is its own, and no other round’s or key’s', () => {
    const own = { ...pulse, randomness: sha256(signature) }
    expect(verifyPulse(QUICKNET, own)).toBe(true)
    expect(verifyPulse(QUICKNET, { ...own, round: 1001n })).toBe(false)
    expect(verifyPulse(QUICKNET, pulse)).toBe(false) // the randomness is another's
    expect(verifyPulse({ publicKey: publicKeyOf(5n) }, own)).toBe(false)
  })

  it('local key signs what its public key proves, and what was sealed for the round opens', () => {
    const secret = secretScalar(new Uint8Array(32).fill(7))
    const beacon = { publicKey: publicKeyOf(secret) }
    const made = signRound(secret, 12n)
    expect(verifyPulse(beacon, made)).toBe(true)
    const random = { key: new Uint8Array(32).fill(1), sigma: new Uint8Array(32).fill(2), nonce: new Uint8Array(12) }
    const sealed = seal(beacon, 12n, Uint8Array.of(1, 2, 3), random)
    expect([...unseal(sealed, made).plain]).toEqual([1, 2, 3])
    expect(code(() => unseal(sealed, signRound(secret, 13n)))).toBe('TIMELOCK_NOT_OPENED')
  })

  it('round n is due at genesis + (n − 1) periods', () => {
    expect(roundAt(QUICKNET, 1_692_803_366_999 as UnixMs)).toBe(0n)
    expect(roundAt(QUICKNET, 1_692_803_367_000 as UnixMs)).toBe(1n)
    expect(roundAt(QUICKNET, 1_692_803_369_999 as UnixMs)).toBe(1n)
    expect(roundAt(QUICKNET, dueAt(QUICKNET, 1000n))).toBe(1000n)
  })
})

describe('the round that a commit is sealed for', () => {
  it.each(rounds.cases.map((entry) => [JSON.stringify(entry), entry] as const))('%s as the reference', (_, entry) => {
    const state = {
      block: entry.block as Block,
      lastEpochBlock: entry.lastEpochBlock as Block,
      pendingEpochAt: entry.pendingEpochAt as Block,
      tempo: entry.tempo as Blocks,
      blocksSinceLastStep: entry.blocksSinceLastStep as Blocks,
    }
    const found = revealBlock(state, entry.periods)
    // The reference's vectors name the block whose time the round is due at: three after the epoch's.
    expect(found === null ? null : found + 3).toBe(entry.round_block)
    if (entry.round_block === null) expect(nextEpoch(state)).toBeNull()
  })

  it.each(vectors.commit_v2)('recorded commit has the recorded round', ({ args, unix_time_before, reveal_round }) => {
    const found = revealRound({
      state: {
        block: args.current_block as Block,
        lastEpochBlock: args.last_epoch_block as Block,
        pendingEpochAt: args.pending_epoch_at as Block,
        tempo: args.tempo as Blocks,
        blocksSinceLastStep: args.blocks_since_last_step as Blocks,
      },
      periods: args.subnet_reveal_period_epochs,
      now: (unix_time_before * 1000) as UnixMs,
      blockMs: args.block_time * 1000,
      beacon: QUICKNET,
    })
    expect(found?.round).toBe(BigInt(reveal_round))
  })
})
