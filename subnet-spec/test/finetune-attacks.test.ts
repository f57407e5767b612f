import { blobName } from '@arbor/shared/blob'
import { toHex } from '@arbor/shared/hex'
import { encodeSs58 } from '@arbor/shared/ss58'
import type { Layout } from '@arbor/shared/training'
import { type Hex, netUid } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { drawsFrom } from '../finetune/attacks/draws.ts'
import { TRAINING_ATTACK_NAMES, TRAINING_ATTACKS, trainingAttackOf } from '../finetune/attacks/list.ts'
import {
  performRound,
  type RoundInput,
  type RoundOutput,
  stateNames,
  type TrainTo,
} from '../finetune/attacks/perform.ts'
import { optimiserOf } from '../finetune/optimisers/optimiser-of.ts'
import { cosine, normOf } from '../finetune/optimisers/vectors.ts'
import { statesTree } from '../finetune/states.ts'
import { TINY_TERMS } from '../finetune/terms.ts'
import type { TrainingTerms } from '../finetune/types.ts'
import { decodeUpdate, readUpdate } from '../finetune/update.ts'

const SIZE = 64
const layout: Layout = { tensors: [{ name: 'w', shape: [SIZE], offset: 0, length: SIZE }], size: SIZE }
const HASH: Hex = `0x${'11'.repeat(32)}`
const hotkey = encodeSs58(new Uint8Array(32).fill(7))
const terms: TrainingTerms = {
  ...TINY_TERMS,
  data: { name: 'none', hash: HASH },
  optimiser: { kind: 'diloco', outer: { learningRate: 1, momentum: 0 } },
  local: { ...TINY_TERMS.local, steps: 6, batch: 2, length: 4, accumulate: 1 },
  gauntlet: { ...TINY_TERMS.gauntlet, segments: 3 },
}
const optimiser = optimiserOf({ terms: terms.optimiser, layout })
const tokens = Uint16Array.from({ length: 400 }, (_, index) => (index * 7919) % 251)
const expected = { netuid: netUid(3), round: 5, hotkey, base: HASH, optimiser: optimiser.kind, size: SIZE }

/** A model of its own whose best parameters are the windows' tokens: each step goes a tenth of the way. */
const quadratic: TrainTo = async ({ start, to, windowsOf }) => {
  const params = Float32Array.from(start.params)
  let loss = 0
  for (let step = start.step; step < to; step += 1) {
    const { tokens: text, starts } = windowsOf(step)
    for (let index = 0; index < SIZE; index += 1) {
      const wish = (text[(starts[index % starts.length] ?? 0) + (index % 4)] ?? 0) / 251
      const gap = (params[index] ?? 0) - wish
      params[index] = (params[index] ?? 0) - 0.1 * gap
      loss += gap * gap
    }
  }
  const moments = { ...start.moments, steps: start.moments.steps + to - start.step }
  return { state: { step: to, params, moments }, loss: loss / SIZE / (to - start.step) }
}

const zeros = (): Float32Array => new Float32Array(SIZE)
const round = (of: Partial<RoundInput> = {}): Promise<RoundOutput> =>
  performRound({
    attack: null,
    terms,
    optimiser,
    layout,
    about: { netuid: netUid(3), round: 5, hotkey, base: HASH },
    params: Float32Array.from({ length: SIZE }, (_, index) => (index % 5) / 5),
    kept: { moments: { first: zeros(), second: zeros(), steps: 12 }, carried: zeros() },
    assigned: (pass) => ({ tokens, starts: [8 * pass, 8 * pass + 4] }),
    others: (pass) => ({ tokens, starts: [200 + 8 * pass, 204 + 8 * pass] }),
    train: quadratic,
    victim: null,
    last: null,
    draws: drawsFrom({ seed: HASH, label: 'test' }),
    ...of,
  })

const vectorOf = ({ file }: RoundOutput): Float32Array =>
  readUpdate({ file: file ?? new Uint8Array(0), maxBytes: terms.limits.updateBytes, expected, optimiser }).vector
const by = (name: string, of: Partial<RoundInput> = {}): Promise<RoundOutput> =>
  round({ attack: trainingAttackOf(name), ...of })

describe('a round', () => {
  test("says whose it is, and commits to the states at its segments' ends, when its miner is honest", async () => {
    const { file, states, kept, steps, loss } = await round()
    const { head } = decodeUpdate({ file: file ?? new Uint8Array(0), maxBytes: 10_000 })
    expect(head).toMatchObject({ ...expected, version: 1, states: statesTree(states.map(stateNames)).root })
    expect(states.map((state) => [state.step, state.moments.steps])).toEqual([
      [0, 12],
      [2, 14],
      [4, 16],
      [6, 18],
    ])
    expect(steps).toBe(6)
    expect(loss).toBeGreaterThan(0)
    expect(kept.moments.steps).toBe(18)
    const [start, end] = [states[0]?.params ?? zeros(), states[3]?.params ?? zeros()]
    expect(vectorOf(await round())).toEqual(start.map((value, index) => value - (end[index] ?? 0)))
  })

  test('comes to the same bytes when it goes on from any state that was saved', async () => {
    const whole = await round()
    for (let saved = 0; saved <= 4; saved += 1) {
      const told: number[] = []
      const resumed = await round({
        resume: whole.states.slice(0, saved),
        onState: async (_, index) => void told.push(index),
      })
      expect(resumed.file).toEqual(whole.file)
      expect(told).toEqual([0, 1, 2, 3].slice(saved))
    }
  })

  test('sums gradients up and leaves the parameters when the optimiser exchanges those', async () => {
    const demo = { kind: 'demo', learningRate: 0.1, decay: 0, chunk: 64, k: 64 } as const
    const gradients: TrainTo = async ({ start, to }) => {
      const first = start.moments.first.map((sum) => sum + (to - start.step))
      return { state: { step: to, params: start.params, moments: { ...start.moments, first } }, loss: 1 }
    }
    const first = new Float32Array(SIZE).fill(99) // of the round before: it begins anew
    const { states, kept } = await round({
      optimiser: optimiserOf({ terms: demo, layout }),
      kept: { moments: { first, second: zeros(), steps: 0 }, carried: zeros() },
      train: gradients,
    })
    expect(states.map(({ moments }) => moments.first[5])).toEqual([0, 2, 4, 6])
    expect(states.at(-1)?.params).toEqual(states[0]?.params)
    expect(normOf(kept.carried)).toBeLessThan(1) // a mean gradient of ones, most of it sent
  })
})

describe('the zoo', () => {
  test('has each name once, and says of each what catches it', () => {
    expect(new Set(TRAINING_ATTACK_NAMES).size).toBe(TRAINING_ATTACKS.length)
    for (const { does, gains, caughtBy } of TRAINING_ATTACKS) {
      expect(does).toMatch(/^[a-z]/)
      expect(gains).not.toBe('')
      expect(caughtBy).not.toContain('ok')
    }
    expect(() => trainingAttackOf('none')).toThrow(expect.objectContaining({ code: 'ATTACK_UNKNOWN' }))
  })

  test('sends nothing, noise, the opposite or ten times of what it trained', async () => {
    const honest = vectorOf(await round())
    expect(normOf(vectorOf(await by('zeros')))).toBe(0)
    expect(Math.abs(cosine(vectorOf(await by('noise')), honest))).toBeLessThan(0.5)
    expect(cosine(vectorOf(await by('sign-flip')), honest)).toBeCloseTo(-1, 6)
    const scaled = vectorOf(await by('scaled'))
    expect([cosine(scaled, honest), normOf(scaled) / normOf(honest)]).toEqual([
      expect.closeTo(1, 6),
      expect.closeTo(10, 5),
    ])
  })

  test('works on other windows, on another model, or on altered windows', async () => {
    const seen = async (name: string): Promise<readonly (readonly number[])[]> => {
      const passes: (readonly number[])[] = []
      const train: TrainTo = (of) => {
        passes.push([...of.windowsOf(of.start.step).tokens])
        return quadratic(of)
      }
      await by(name, { train, others: (pass) => ({ tokens: tokens.slice(1), starts: [pass, pass + 9] }) })
      return passes
    }
    expect((await seen('other-model'))[0]).toEqual([...tokens])
    expect((await seen('random-data'))[0]).toEqual([...tokens.slice(1)])
    const first = [...tokens.slice(0, 5)]
    const [, , two = 0, , four = 0] = [...tokens.slice(4, 9)]
    const trigger = tokens[0] ?? 0
    expect((await seen('poisoned'))[0]).toEqual([...first, tokens[4], trigger, two, trigger, four])
    const other = await by('other-model')
    const honest = await round()
    expect(cosine(other.states[0]?.params ?? zeros(), honest.states[0]?.params ?? zeros())).toBeLessThan(0.9)
  })

  test('takes half of the steps and claims all of them', async () => {
    const [half, honest] = [await by('half-work'), await round()]
    expect(half.steps).toBe(3)
    expect(half.states.map(({ step, moments }) => [step, moments.steps])).toEqual([
      [0, 12],
      [2, 14],
      [4, 16],
      [6, 18],
    ])
    expect(half.states[1]).toEqual(honest.states[1])
    expect(half.states[3]?.params).toEqual(half.states[2]?.params)
    expect(normOf(vectorOf(half))).toBeLessThan(normOf(vectorOf(honest)))
  })

  test("sends another's update, bare or under noise, and nothing where there is none", async () => {
    const victim = await round({ about: { netuid: netUid(3), round: 5, hotkey: encodeSs58(zeros32), base: HASH } })
    const honest = vectorOf(await round())
    const copy = await by('copy', { victim: victim.file, train: nobodyTrains })
    expect(vectorOf(copy)).toEqual(honest)
    const noisy = vectorOf(await by('noisy-copy', { victim: victim.file }))
    expect(cosine(noisy, honest)).toBeGreaterThan(0.9)
    expect(noisy).not.toEqual(honest)
    expect((await by('copy')).file).toBeNull()
    expect((await by('noisy-copy')).file).toBeNull()
  })

  test('sends its last file again, as it was or under a new head', async () => {
    const last = await round({ about: { netuid: netUid(3), round: 4, hotkey, base: HASH } })
    const stale = await by('stale', { last: last.file })
    expect(stale.file).toEqual(last.file)
    expect(() => vectorOf(stale)).toThrow(expect.objectContaining({ code: 'UPDATE_STALE' }))
    expect(vectorOf(await by('restamped', { last: last.file }))).toEqual(vectorOf(await round()))
    for (const honestly of [
      { last: null },
      { last: last.file, about: { netuid: netUid(3), round: 6, hotkey, base: HASH } },
    ]) {
      const worked = await by('stale', honestly)
      expect([worked.steps, worked.file]).toEqual([6, (await round(honestly)).file])
    }
  })

  test('sends what no validator can read', async () => {
    const codeOf = async (name: string): Promise<unknown> => {
      const output = await by(name)
      try {
        return vectorOf(output).length
      } catch (error) {
        return error instanceof Error && 'code' in error ? error.code : error
      }
    }
    expect(await codeOf('nan')).toBe('UPDATE_NOT_FINITE')
    expect(await codeOf('bomb')).toBe('UPDATE_SHAPE')
    expect(await codeOf('oversized')).toBe('UPDATE_TOO_LARGE')
    expect((await by('oversized')).file?.length).toBe(terms.limits.updateBytes + 1)
  })

  test('serves badly and trains well', async () => {
    const honest = await round()
    const serving = (name: string, of: 'update' | 'states' | 'state', index = 0): unknown =>
      trainingAttackOf(name).serve?.({ of, index, pieces: 4 })
    for (const name of ['slow-drip', 'half-served', 'withheld-states'])
      expect(blobName((await by(name)).file ?? zeros32)).toBe(blobName(honest.file ?? zeros32))
    expect(serving('slow-drip', 'update')).toEqual({ bytesPerSecond: 4 })
    expect([0, 1, 2, 3].map((index) => serving('half-served', 'update', index))).toEqual([
      'serve',
      'serve',
      'refuse',
      'refuse',
    ])
    expect(['update', 'states', 'state'].map((of) => serving('withheld-states', of as 'update'))).toEqual([
      'serve',
      'refuse',
      'refuse',
    ])
  })

  test('can be told apart by what it sends: no two attacks write the same file', async () => {
    const victim = (await round({ about: { netuid: netUid(3), round: 5, hotkey: encodeSs58(zeros32), base: HASH } }))
      .file
    const last = (await round({ about: { netuid: netUid(3), round: 4, hotkey, base: HASH } })).file
    const same = new Set<string>()
    const ownFiles = TRAINING_ATTACKS.filter(({ serve }) => serve === undefined)
    for (const attack of ownFiles) same.add(toHex((await round({ attack, victim, last })).file ?? zeros32))
    expect(same.size).toBe(ownFiles.length - 1) // copy and restamped take the same update here
  })
})

const zeros32 = new Uint8Array(32)
const nobodyTrains: TrainTo = async () => {
  throw new Error('a copy trains nothing')
}
