import { fromHex, toHex } from '@arbor/shared/hex'
import type { Blocks, Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import draws from '../../test/vectors/finetune/draws.json' with { type: 'json' }
import plans from '../../test/vectors/finetune/plans.json' with { type: 'json' }
import records from '../../test/vectors/finetune/records.json' with { type: 'json' }
import { mergePlan } from '../finetune/merge-plan.ts'
import { phasesOf, roundAt } from '../finetune/phases.ts'
import {
  basePrefix,
  encodeUpdateRecord,
  encodeVote,
  isUpdateField,
  isVoteField,
  MAX_UPDATE_URL_BYTES,
  MAX_VOTED_UIDS,
  readUpdateRecord,
  readVote,
} from '../finetune/records.ts'
import { assignedSeed, measuredPasses, replayOf, unseenSeed } from '../finetune/seeds.ts'
import type { MergeFacts, UpdateCommitment, Vote } from '../finetune/types.ts'
import { assignedWindows, slotsOf, unseenWindows } from '../finetune/windows.ts'

fc.configureGlobal({ seed: 8 })

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(toHex)

describe("a miner's record", () => {
  const { fields, ...rest } = records.update
  const written = { ...rest, name: rest.name as Hex, base: rest.base as Hex }

  test('is written and read as in Python', () => {
    expect(encodeUpdateRecord(written).map(toHex)).toEqual(fields)
    expect(readUpdateRecord(fields.map((field) => fromHex(field)).reverse())).toEqual(written)
    expect(basePrefix(records.vote.base as Hex)).toBe(written.base)
  })

  test('is read as what was written, and each field fits the chain', () => {
    const commitment: fc.Arbitrary<UpdateCommitment> = fc.record({
      round: fc.nat(2 ** 32 - 1),
      bytes: fc.nat(2 ** 32 - 1),
      name: hex(32),
      base: hex(8),
      url: fc.string({ maxLength: 60 }),
    })
    fc.assert(
      fc.property(commitment, fc.uint8Array({ maxLength: 3 }), (made, other) => {
        const fields = encodeUpdateRecord(made)
        expect(fields.every((field) => field.length <= 128 && isUpdateField(field) && !isVoteField(field))).toBe(true)
        expect(readUpdateRecord([other, ...fields])).toEqual(made)
      }),
    )
  })

  test('with an URL that is too long is not written', () => {
    const url = 'x'.repeat(MAX_UPDATE_URL_BYTES + 1)
    expect(() => encodeUpdateRecord({ ...written, url })).toThrow(expect.objectContaining({ code: 'RECORD_URL' }))
    expect(encodeUpdateRecord({ ...written, url: url.slice(1) })[1]?.length).toBe(128)
  })

  test('of foreign bytes is null', () => {
    const [update, place] = fields.map((field) => fromHex(field)) as [Uint8Array, Uint8Array]
    expect(readUpdateRecord([])).toBeNull()
    expect(readUpdateRecord([place])).toBeNull()
    expect(readUpdateRecord([update, update])).toBeNull()
    expect(readUpdateRecord([update, place, place])).toBeNull()
    expect(readUpdateRecord([update.subarray(0, -1)])).toBeNull()
    expect(readUpdateRecord([Uint8Array.of(...update, 0)])).toBeNull()
    expect(readUpdateRecord([update, place.subarray(0, 4)])).toBeNull()
    expect(readUpdateRecord([update, Uint8Array.of(...place, 0xff)])).toBeNull()
    expect(readUpdateRecord([update, Uint8Array.of(...place.subarray(0, 3), 2)])).toEqual({ ...written, url: '' })
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 128 })), (some) => readUpdateRecord(some) === null))
  })
})

describe('a vote', () => {
  const vote = { ...records.vote, base: records.vote.base as Hex, accepted: records.vote.accepted as Uid[] }

  test.each([records.vote, records.none])('is written and read as in Python: $accepted', ({ field, ...made }) => {
    const voted = { ...made, base: made.base as Hex, accepted: made.accepted as Uid[] }
    expect(toHex(encodeVote(voted))).toBe(field)
    expect(readVote([Uint8Array.of(1), fromHex(field)])).toEqual(voted)
  })

  test('is read as what was written, for any uids', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(MAX_VOTED_UIDS - 1)), hex(32), fc.nat(2 ** 32 - 1), (uids, base, round) => {
        const accepted = uids.toSorted((a, b) => a - b) as Uid[]
        const field = encodeVote({ round, base, accepted })
        expect(field.length).toBeLessThanOrEqual(128)
        expect(isVoteField(field) && !isUpdateField(field)).toBe(true)
        expect(readVote([field])).toEqual({ round, base, accepted })
      }),
    )
  })

  test('for a uid without a bit is not written', () => {
    expect(MAX_VOTED_UIDS).toBe(704)
    expect(() => encodeVote({ ...vote, accepted: [704 as Uid] })).toThrow(
      expect.objectContaining({ code: 'RECORD_UID' }),
    )
  })

  test('of foreign bytes is null', () => {
    const field = fromHex(records.vote.field)
    expect(readVote([])).toBeNull()
    expect(readVote([field, field])).toBeNull()
    expect(readVote([field.subarray(0, 39)])).toBeNull()
    expect(readVote([Uint8Array.of(...field, 1)])).toBeNull() // 129 bytes
    expect(readVote([Uint8Array.of(...field.subarray(0, 60), 0)])).toBeNull() // two spellings of one vote
    expect(readVote([Uint8Array.of(...field.subarray(0, 3), 2, ...field.subarray(4))])).toBeNull()
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 128 })), (some) => readVote(some) === null))
  })
})

describe('phases', () => {
  const of = (length: number, publish: number, vote: number, round = 3) =>
    phasesOf({ terms: { publish, vote }, length: length as Blocks, round })

  test('are shares of the round, each with a block of its own', () => {
    expect(of(10, 0.6, 0.8)).toEqual({ round: 3, start: 30, length: 10, publishBy: 36, voteBy: 38, end: 39 })
    expect(of(360, 0.5, 0.75, 0)).toEqual({ round: 0, start: 0, length: 360, publishBy: 180, voteBy: 270, end: 359 })
  })

  test('ascend within their round whenever they are not refused', () => {
    const share = fc.double({ min: -0.5, max: 1.5, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), share, share, fc.nat(1e6), (length, publish, vote, round) => {
        try {
          const { start, publishBy, voteBy, end } = of(length, publish, vote, round)
          expect(start < publishBy && publishBy < voteBy && voteBy < end).toBe(true)
          for (const block of [start, publishBy, voteBy, end])
            expect(roundAt({ block, length: length as Blocks })).toBe(round)
        } catch (error) {
          expect(error).toMatchObject({ code: 'SPEC_PHASES' })
        }
      }),
    )
  })

  test.each([
    [3, 0.4, 0.7],
    [10, 0.05, 0.8],
    [10, 0.6, 0.65],
    [10, 0.8, 0.6],
    [10, 0.6, 0.95],
    [10, 0.6, 1],
    [10, Number.NaN, 0.8],
  ])('are refused where one has no block: %d blocks, %d, %d', (length, publish, vote) => {
    expect(() => of(length, publish, vote)).toThrow(expect.objectContaining({ code: 'SPEC_PHASES' }))
  })
})

const keyOf = (uid: number): Ss58 => `hotkey-${uid}` as Ss58
const factsOf = (plan: (typeof plans)[number]): MergeFacts => ({
  commitments: plan.commitments.map(({ uid, ...commitment }) => ({
    uid: uid as Uid,
    hotkey: keyOf(uid),
    commitment: { ...commitment, name: commitment.name as Hex, base: commitment.base as Hex, url: '' },
  })),
  votes: plan.votes.map(({ stake, round, base, accepted }, index) => ({
    hotkey: keyOf(100 + index),
    stake: BigInt(stake),
    vote: { round, base: base as Hex, accepted: accepted as Uid[] } satisfies Vote,
  })),
  permitStake: BigInt(plan.permitStake),
})

describe('a merge plan', () => {
  test('is that of Python, in whatever order the facts come', () => {
    for (const one of plans) {
      const facts = factsOf(one)
      const plan = mergePlan({ round: 9, facts })
      expect({ base: plan.base, merged: plan.merged.map(({ uid }) => uid) }).toEqual({
        base: one.base,
        merged: one.merged,
      })
      fc.assert(
        fc.property(
          fc.shuffledSubarray([...facts.commitments], { minLength: facts.commitments.length }),
          fc.shuffledSubarray([...facts.votes], { minLength: facts.votes.length }),
          (commitments, votes) => {
            expect(mergePlan({ round: 9, facts: { ...facts, commitments, votes } })).toEqual(plan)
          },
        ),
        { numRuns: 10 },
      )
    }
  })

  const base: Hex = `0x${'ab'.repeat(32)}`
  const other: Hex = `0x${'aa'.repeat(32)}`
  const committed = (uid: number, over: Partial<UpdateCommitment> = {}) => ({
    uid: uid as Uid,
    hotkey: keyOf(uid),
    commitment: { round: 9, name: base, bytes: 5, base: basePrefix(base), url: '', ...over },
  })
  const voted = (index: number, stake: bigint, accepted: readonly number[], over: Partial<Vote> = {}) => ({
    hotkey: keyOf(100 + index),
    stake,
    vote: { round: 9, base, accepted: accepted as Uid[], ...over },
  })
  const planOf = (facts: Partial<MergeFacts>) => {
    const { base, merged } = mergePlan({ round: 9, facts: { commitments: [], votes: [], permitStake: 10n, ...facts } })
    return { base, merged: merged.map(({ uid }) => uid) }
  }

  test('leaves out what is withdrawn, of another round or base, late, or committed twice', () => {
    const commitments = [
      committed(1),
      committed(2, { bytes: 0 }),
      committed(3, { round: 8 }),
      committed(4, { base: basePrefix(other) }),
      committed(5),
      committed(5, { name: other }),
    ]
    expect(planOf({ commitments, votes: [voted(0, 10n, [1, 2, 3, 4, 5, 6])] })).toEqual({ base, merged: [1] })
  })

  test('needs more than half of the stake behind the base', () => {
    const commitments = [committed(1), committed(2)]
    const votes = [voted(0, 5n, [1, 2]), voted(1, 5n, [2]), voted(2, 3n, [1], { base: other })]
    expect(planOf({ commitments, votes })).toEqual({ base, merged: [2] })
  })

  test('takes the smaller name of two bases with equal stake', () => {
    expect(planOf({ votes: [voted(0, 5n, []), voted(1, 5n, [], { base: other })] }).base).toBe(other)
  })

  test('is empty where nobody voted, or no more than a third of the stake', () => {
    const nothing = { base: null, merged: [] }
    const commitments = [committed(1)]
    expect(planOf({ commitments })).toEqual(nothing)
    expect(planOf({ commitments, votes: [voted(0, 0n, [1])], permitStake: 0n })).toEqual(nothing)
    expect(planOf({ commitments, votes: [voted(0, 10n, [1], { round: 8 })] })).toEqual(nothing)
    expect(planOf({ commitments, votes: [voted(0, 10n, [1])], permitStake: 30n })).toEqual(nothing)
    expect(planOf({ commitments, votes: [voted(0, 10n, [1])], permitStake: 29n })).toEqual({ base, merged: [1] })
  })

  test('counts nothing of a hotkey with two votes', () => {
    const votes = [voted(0, 5n, [1]), voted(0, 5n, [2]), voted(1, 4n, [2])]
    expect(planOf({ commitments: [committed(1), committed(2)], votes })).toEqual({ base, merged: [2] })
  })
})

describe('what blocks draw', () => {
  test.each(draws)('is that of Python for uid $uid of $tokens tokens', (at) => {
    const of = {
      blockHash: at.blockHash as Hex,
      netuid: at.netuid as NetUid,
      round: at.round,
      hotkey: at.hotkey as Ss58,
      uid: at.uid as Uid,
    }
    const { tokens, local } = at
    expect(assignedSeed(of)).toBe(at.assignedSeed)
    expect(unseenSeed(of)).toBe(at.unseenSeed)
    const windowsOf = assignedWindows({ ...of, tokens, local })
    expect(at.assigned.map((_, pass) => windowsOf(pass))).toEqual(at.assigned)
    expect(unseenWindows({ seed: unseenSeed(of), tokens, batches: 3, local })).toEqual(at.unseen)
    expect(replayOf({ ...of, terms: { segments: 5, replayShare: 0.5 } })).toEqual(at.replay)
    expect(measuredPasses({ ...of, passes: local.steps, batches: 4 })).toEqual(at.measured)
  })

  const seed: Hex = `0x${'07'.repeat(32)}`

  test('is a window of the stream, and each slot once before any twice', () => {
    fc.assert(
      fc.property(
        hex(32),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 3_000 }),
        (some, length, more) => {
          const tokens = 2 * length + more
          const slots = slotsOf({ seed: some, tokens, length })
          for (const order of [0, 3]) {
            const starts = Array.from({ length: slots.count }, (_, at) => slots.start(order * slots.count + at))
            expect(new Set(starts).size).toBe(slots.count)
            expect(Math.min(...starts)).toBeGreaterThanOrEqual(0)
            expect(Math.max(...starts) + length + 1).toBeLessThanOrEqual(tokens)
            const sorted = starts.toSorted((a, b) => a - b)
            expect(sorted.every((start, at) => at === 0 || start - (sorted[at - 1] ?? 0) === length)).toBe(true)
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  test('is spread evenly over the stream', () => {
    const slots = slotsOf({ seed, tokens: 64 * 1_000 + 64, length: 64 })
    // the first tenth of the order, in tenths of the stream: 10 each on average
    const tenths = new Array<number>(10).fill(0)
    for (let at = 0; at < 100; at += 1) {
      const tenth = Math.floor(slots.start(at) / 6_401)
      tenths[tenth] = (tenths[tenth] ?? 0) + 1
    }
    expect(Math.min(...tenths)).toBeGreaterThan(2)
    expect(Math.max(...tenths)).toBeLessThan(22)
  })

  test('gives no window to two miners while the stream has room', () => {
    const local = { steps: 5, accumulate: 2, batch: 4, length: 16 }
    const all = Array.from({ length: 20 }, (_, uid) => {
      const windowsOf = assignedWindows({
        blockHash: seed,
        netuid: 1 as NetUid,
        round: 4,
        uid: uid as Uid,
        tokens: 16 * 20 * 40 + 32,
        local,
      })
      return Array.from({ length: 10 }, (_, pass) => windowsOf(pass)).flat()
    }).flat()
    expect(all.length).toBe(800)
    expect(new Set(all).size).toBe(800)
  })

  test('refuses a stream that is shorter than two windows', () => {
    for (const tokens of [0, 1, 127, Number.NaN])
      expect(() => slotsOf({ seed, tokens, length: 64 })).toThrow(expect.objectContaining({ code: 'WINDOWS_NONE' }))
    expect(slotsOf({ seed, tokens: 128, length: 64 }).count).toBe(1)
  })

  test('replays as many rounds, and each part of them as often, as the terms say', () => {
    const counts = new Map<number | undefined, number>()
    for (let round = 0; round < 2_000; round += 1) {
      const of = { blockHash: seed, netuid: 1 as NetUid, round, hotkey: draws[0]?.hotkey as Ss58 }
      const segment = replayOf({ ...of, terms: { segments: 4, replayShare: 0.25 } })?.segment
      counts.set(segment, (counts.get(segment) ?? 0) + 1)
      expect(replayOf({ ...of, terms: { segments: 4, replayShare: 1 } })).not.toBeNull()
      expect(replayOf({ ...of, terms: { segments: 4, replayShare: 0 } })).toBeNull()
    }
    expect(counts.get(undefined)).toBeGreaterThan(1_420)
    expect(counts.get(undefined)).toBeLessThan(1_580)
    for (const segment of [0, 1, 2, 3, 4]) expect(counts.get(segment)).toBeGreaterThan(65)
  })

  test('measures different passes of the round, all of them where it has few', () => {
    for (let round = 0; round < 50; round += 1) {
      const of = { blockHash: seed, netuid: 1 as NetUid, round, hotkey: draws[0]?.hotkey as Ss58 }
      const passes = measuredPasses({ ...of, passes: 10, batches: 4 })
      expect(new Set(passes).size).toBe(4)
      expect(passes.every((pass) => pass >= 0 && pass < 10)).toBe(true)
      expect(measuredPasses({ ...of, passes: 3, batches: 4 })).toEqual([0, 1, 2])
    }
  })
})
