import { blobName } from '@arbor/shared/blob'
import { bytesToFloats, floatsToBytes } from '@arbor/shared/floats'
import { toHex } from '@arbor/shared/hex'
import type { Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import vectors from '../../test/vectors/finetune/files.json' with { type: 'json' }
import {
  checkpointBytes,
  checkpointName,
  decodeCheckpoint,
  encodeCheckpoint,
  nextCheckpoint,
} from '../finetune/checkpoint.ts'
import { mergePlan } from '../finetune/merge-plan.ts'
import { optimiserOf } from '../finetune/optimisers/optimiser-of.ts'
import { basePrefix } from '../finetune/records.ts'
import { boundaryStep, encodeState, namesOf, readState, statesTree, verifyState } from '../finetune/states.ts'
import type { Checkpoint, MergeFacts, Update } from '../finetune/types.ts'
import { decodeUpdate, encodeUpdate, readUpdate, UPDATE_HEAD_BYTES, updateBytesMost } from '../finetune/update.ts'
import { bytesOf, drawsOf, floatsOf, layoutOf } from './finetune-draws.ts'

fc.configureGlobal({ seed: 8 })

const refused = (code: string) => expect.objectContaining({ code })
const codeOf = (action: () => unknown): string => {
  try {
    action()
    return 'none'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}
const flipped = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))

const SIZE = 700
const optimiser = optimiserOf({
  terms: { kind: 'sparseloco', outer: { learningRate: 0.9, momentum: 0.5 }, chunk: 256, k: 8, feedback: 0.95 },
  layout: layoutOf(SIZE),
})
const { payload } = optimiser.encode({ progress: drawsOf(1).floats(SIZE, 1e-3), carried: new Float32Array(SIZE) })
const written = vectors.update
const update: Update = {
  head: {
    version: 1,
    netuid: written.netuid as NetUid,
    round: written.round,
    hotkey: written.hotkey as Ss58,
    base: written.base as Hex,
    optimiser: 'sparseloco',
    size: SIZE,
    states: written.states as Hex,
  },
  payload,
}
const file = encodeUpdate(update)
const read = (over: Partial<Parameters<typeof readUpdate>[0]> = {}) =>
  readUpdate({ file, maxBytes: 10_000, expected: update.head, optimiser, ...over })

describe("an update's file", () => {
  test('is written and named as in Python', () => {
    const made = { ...update, head: { ...update.head, size: written.size }, payload: bytesOf(written.payload) }
    expect(Buffer.from(encodeUpdate(made)).toString('base64')).toBe(written.file)
    expect(decodeUpdate({ file: bytesOf(written.file), maxBytes: 1_000 })).toEqual(made)
    expect(blobName(bytesOf(written.file))).toBe(written.name)
  })

  test('is read as what was written, whatever stands in it', () => {
    const hash = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`)
    fc.assert(
      fc.property(
        fc.record({
          netuid: fc.nat(65_535).map((value) => value as NetUid),
          round: fc.nat(2 ** 32 - 1),
          base: hash,
          states: hash,
          size: fc.nat(2 ** 32 - 1),
          optimiser: fc.constantFrom('diloco', 'sparseloco', 'demo'),
        }),
        fc.uint8Array(),
        (head, bytes) => {
          const made: Update = { head: { ...update.head, ...head }, payload: bytes }
          expect(decodeUpdate({ file: encodeUpdate(made), maxBytes: 1_000 })).toEqual(made)
        },
      ),
    )
  })

  test('gives the vector that its payload stands for', () => {
    expect(read()).toEqual({ update, vector: optimiser.decode(payload) })
    expect(file.length).toBeLessThanOrEqual(updateBytesMost(optimiser))
  })

  test.each([
    ['UPDATE_FOREIGN', { netuid: 8 as NetUid }],
    ['UPDATE_FOREIGN', { hotkey: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY' as Ss58 }],
    ['UPDATE_STALE', { round: 1 }],
    ['UPDATE_STALE', { base: written.states as Hex }],
    ['UPDATE_SHAPE', { optimiser: 'demo' as const }],
    ['UPDATE_SHAPE', { size: SIZE + 1 }],
  ])('is refused with %s where %j is expected', (code, over) => {
    expect(() => read({ expected: { ...update.head, ...over } })).toThrow(refused(code))
  })

  test('is refused when it has more bytes than the spec, or its optimiser, allows', () => {
    expect(() => read({ maxBytes: file.length - 1 })).toThrow(refused('UPDATE_TOO_LARGE'))
    expect(() => read({ file: new Uint8Array(updateBytesMost(optimiser) + 1) })).toThrow(refused('UPDATE_TOO_LARGE'))
  })

  test('that declares a huge model is refused without room being made for it', () => {
    const bomb = Buffer.from(file)
    bomb.writeUInt32LE(2 ** 32 - 1, 12)
    const before = process.memoryUsage().arrayBuffers
    for (let time = 0; time < 100; time += 1) expect(() => read({ file: bomb })).toThrow(refused('UPDATE_SHAPE'))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 2 ** 20)
  })

  test('is read or refused by a code, whatever its bytes', () => {
    const known = /^(none|UPDATE_(MALFORMED|TOO_LARGE|FOREIGN|STALE|SHAPE|NOT_FINITE))$/
    const tried = (bytes: Uint8Array): void => {
      expect(codeOf(() => read({ file: bytes }))).toMatch(known)
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), tried))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (rest) => tried(Uint8Array.of(...file.subarray(0, 16), ...rest))),
    )
    fc.assert(fc.property(fc.nat(file.length), (cut) => tried(file.subarray(0, cut))))
    fc.assert(fc.property(fc.nat(8 * file.length - 1), (bit) => tried(flipped(file, bit))))
    for (let bit = 0; bit < 8 * UPDATE_HEAD_BYTES - 8 * 32; bit += 1)
      expect(codeOf(() => read({ file: flipped(file, bit) }))).not.toBe('none')
  })
})

const checkpoint: Checkpoint = {
  round: vectors.checkpoint.round,
  spec: vectors.checkpoint.spec,
  params: floatsOf(vectors.checkpoint.params),
  outer: floatsOf(vectors.checkpoint.outer),
}

describe("a checkpoint's file", () => {
  const bytes = encodeCheckpoint(checkpoint)
  const open = (over: Partial<Parameters<typeof decodeCheckpoint>[0]> = {}) =>
    decodeCheckpoint({ file: bytes, size: 5, ...over })

  test('is written, named and read as in Python', () => {
    expect(Buffer.from(bytes).toString('base64')).toBe(vectors.checkpoint.file)
    expect(checkpointName(checkpoint)).toBe(vectors.checkpoint.name)
    expect(bytes.length).toBe(checkpointBytes({ size: 5, spec: checkpoint.spec }))
    expect(open({ name: vectors.checkpoint.name as Hex, spec: checkpoint.spec })).toEqual(checkpoint)
  })

  test('is read at any place in memory', () => {
    const moved = new Uint8Array(bytes.length + 3)
    moved.set(bytes, 3)
    expect(open({ file: moved.subarray(3) })).toEqual(checkpoint)
  })

  test('is refused when it is another one than was asked for', () => {
    const name = vectors.checkpoint.name as Hex
    for (const bit of [0, 50, 8 * bytes.length - 1])
      expect(() => open({ file: flipped(bytes, bit), name })).toThrow(refused('CHECKPOINT_NAME'))
    expect(() => open({ size: 6 })).toThrow(refused('CHECKPOINT_SHAPE'))
    expect(() => open({ spec: { ...checkpoint.spec, version: 4 } })).toThrow(refused('CHECKPOINT_SPEC'))
    expect(() => open({ spec: { ...checkpoint.spec, name: 'x' } })).toThrow(refused('CHECKPOINT_SPEC'))
    const broken = { ...checkpoint, params: checkpoint.params.map(() => Number.NaN) }
    expect(() => open({ file: encodeCheckpoint(broken) })).toThrow(refused('CHECKPOINT_NOT_FINITE'))
    expect(() => encodeCheckpoint({ ...checkpoint, spec: { name: 'x'.repeat(256), version: 1 } })).toThrow(
      refused('CHECKPOINT_SPEC'),
    )
  })

  test('is read or refused by a code, whatever its bytes', () => {
    const known = /^(none|CHECKPOINT_(MALFORMED|SHAPE|NOT_FINITE))$/
    const tried = (file: Uint8Array): void => {
      expect(codeOf(() => open({ file }))).toMatch(known)
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), tried))
    fc.assert(fc.property(fc.nat(bytes.length - 1), (cut) => tried(bytes.subarray(0, cut))))
    fc.assert(fc.property(fc.nat(8 * bytes.length - 1), (bit) => tried(flipped(bytes, bit))))
    expect(() => open({ file: Uint8Array.of(...bytes, 0) })).toThrow(refused('CHECKPOINT_MALFORMED'))
  })

  test('of the next round has the same model where nothing was merged', () => {
    const next = nextCheckpoint({ checkpoint, optimiser, updates: [] })
    expect(next).toEqual({ ...checkpoint, round: 43 })
  })
})

test('a round leads to one checkpoint, in whatever order its records and files arrive', () => {
  const start: Checkpoint = { ...checkpoint, params: drawsOf(2).floats(SIZE, 0.1), outer: new Float32Array(SIZE) }
  const base = checkpointName(start)
  const hotkeys = ['Alice', 'Bob', 'Charlie', 'Dave', 'Eve'].map((name, uid) => ({
    uid: uid as Uid,
    hotkey: name as Ss58,
  }))
  const files = new Map<Hex, Uint8Array>()
  const commitments = hotkeys.map(({ uid, hotkey }) => {
    const made = optimiser.encode({
      progress: drawsOf(10 + uid).floats(SIZE, 1e-3 * (1 + uid)),
      carried: new Float32Array(SIZE),
    })
    const bytes = encodeUpdate({ head: { ...update.head, round: start.round, base }, payload: made.payload })
    const name = blobName(bytes)
    files.set(name, bytes)
    const url = ''
    return { uid, hotkey, commitment: { round: start.round, name, bytes: bytes.length, base: basePrefix(base), url } }
  })
  const votes = [
    { hotkey: 'one' as Ss58, stake: 5n, vote: { round: start.round, base, accepted: [0, 1, 2, 4] as Uid[] } },
    { hotkey: 'two' as Ss58, stake: 4n, vote: { round: start.round, base, accepted: [1, 2, 3] as Uid[] } },
    { hotkey: 'three' as Ss58, stake: 3n, vote: { round: start.round, base, accepted: [0, 2] as Uid[] } },
  ]
  const merged = (facts: Omit<MergeFacts, 'permitStake'>): Hex => {
    const plan = mergePlan({ round: start.round, facts: { ...facts, permitStake: 12n } })
    expect(plan.merged.map(({ uid }) => uid)).toEqual([0, 1, 2])
    const updates = plan.merged.map(({ commitment }) => {
      const file = files.get(commitment.name) ?? new Uint8Array()
      return readUpdate({ file, maxBytes: 10_000, expected: { ...update.head, round: start.round, base }, optimiser })
        .vector
    })
    return checkpointName(nextCheckpoint({ checkpoint: start, optimiser, updates }))
  }
  const once = merged({ commitments, votes })
  const shuffled = <T>(all: readonly T[]) => fc.shuffledSubarray([...all], { minLength: all.length })
  fc.assert(
    fc.property(
      shuffled(commitments),
      shuffled(votes),
      (some, others) => merged({ commitments: some, votes: others }) === once,
    ),
    { numRuns: 20 },
  )
})

describe('a state', () => {
  const rows = vectors.states.rows.map(({ parts, steps, step }) => {
    const [params, first, second, carried] = parts.map(floatsOf)
    if (params === undefined || first === undefined || second === undefined || carried === undefined) throw new Error()
    return namesOf({ params, first, second, carried, steps, step })
  })
  const root = vectors.states.root as Hex
  const tree = statesTree(rows)
  const check = (index: number, bytes: Uint8Array, proof: readonly Uint8Array[]) =>
    verifyState({ root, segments: 5, index, bytes, proof })

  test('is named, written and proven as in Python', () => {
    expect(rows.map((row) => Buffer.from(encodeState(row)).toString('base64'))).toEqual(
      vectors.states.rows.map(({ row }) => row),
    )
    expect(tree.root).toBe(root)
    for (const [index, row] of rows.entries()) {
      expect(tree.proof(index).map(toHex)).toEqual(vectors.states.proofs[index])
      expect(check(index, encodeState(row), tree.proof(index))).toEqual(row)
    }
  })

  test('is refused when it is not the one that was committed to', () => {
    const bytes = bytesOf(vectors.states.rows[2]?.row ?? '')
    expect(check(2, bytes, tree.proof(2))).not.toBeNull()
    expect(check(3, bytes, tree.proof(2))).toBeNull()
    expect(check(2, flipped(bytes, 9), tree.proof(2))).toBeNull()
    expect(check(2, bytes.subarray(1), tree.proof(2))).toBeNull()
    expect(check(2, bytes, tree.proof(1))).toBeNull()
    expect(readState(bytes.subarray(1))).toBeNull()
  })

  test('stands at steps that part the round evenly', () => {
    expect([0, 1, 2, 3, 4, 5].map((index) => boundaryStep({ steps: 12, segments: 5, index }))).toEqual([
      0, 2, 4, 7, 9, 12,
    ])
  })
})

test('numbers are the same bits in bytes', () => {
  fc.assert(
    fc.property(fc.float32Array(), (values) => {
      expect(bytesToFloats(floatsToBytes(values))).toEqual(values)
    }),
  )
  expect(floatsToBytes(Float32Array.of(1))).toEqual(Uint8Array.of(0, 0, 0x80, 0x3f))
})
