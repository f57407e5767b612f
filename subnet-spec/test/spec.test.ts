import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseThresholds, thresholdsHash } from '@arbor/engine/thresholds'
import type { Block, Blocks, Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { boundsOf } from '../inference/bounds.ts'
import { inferenceSpecifier } from '../inference/specifier.ts'
import { defineSubnet, defineTask, type SubnetSpec } from '../src/define.ts'
import { loadSpec, specifierOf } from '../src/load.ts'
import { roundBlocks, roundOf, roundStart } from '../src/rounds.ts'
import { choicesFrom, taskSeed } from '../src/seed.ts'
import { timingOf } from '../src/timing.ts'
import { toWeights } from '../src/weights.ts'

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'))
const specs = await Promise.all(['inference', 'inference-tiny'].map(loadSpec))

interface RequestCase {
  readonly blockHash: Hex
  readonly netuid: NetUid
  readonly round: number
  readonly hotkey: Ss58
  readonly seed: Hex
  readonly repeats: readonly { readonly repeat: number; readonly seed: Hex }[]
  readonly request: unknown
}
/** Made by scripts/spec-vectors.py. */
const requests: RequestCase[] = read('test/vectors/spec/requests.json').cases

describe.each(specs)('subnet $name', (spec) => {
  test('pins the model that lies in models/, and the limits that its card has', () => {
    const card = read(`models/${spec.model.name}/card.json`)
    const thresholds = thresholdsHash(parseThresholds(card.thresholds))
    expect(spec.model).toEqual({ name: card.name, hash: `0x${card.hash}`, thresholds })
  })

  test.each(requests)('plans what another implementation plans for round $round', ({ seed, request }) => {
    expect(spec.tasks[spec.pick({ seed })]?.plan({ seed })).toEqual(request)
  })

  test('plans different prompts for different seeds', () => {
    const prompts = Array.from({ length: 2_000 }, (_, index) => {
      const seed = `0x${index.toString(16).padStart(64, '0')}` as const
      return JSON.stringify(spec.tasks.chat?.plan({ seed }))
    })
    expect(new Set(prompts).size).toBe(prompts.length)
  })

  test('bounds every part of an answer', () => {
    const answer = { text: 'a', tokens: [1], finish: 'length', fingerprint: ['AA=='] }
    const fits = (change: object) => spec.tasks.chat?.response.safeParse({ ...answer, ...change }).success
    expect(fits({})).toBe(true)
    for (const change of [
      { text: 'a'.repeat(256 * 64 + 1) },
      { tokens: Array(257).fill(1) },
      { tokens: [1.5] },
      { tokens: [-1] },
      { fingerprint: Array(9).fill('A') },
      { fingerprint: ['A'.repeat(401)] },
      { finish: 'error' },
      { extra: 1 },
    ]) {
      expect(fits(change)).toBe(false)
    }
  })

  test('values lateness in classes and pays nobody who is mostly not believed', async () => {
    const engine = {
      model: { name: 'x', hash: '0x' as const, profile: 'fp32' as const },
      generate: () => Promise.reject(new Error('unused')),
    }
    const score = (reason: 'ok' | 'sampling', totalMs: number) =>
      spec.tasks.chat?.score({
        request: {},
        response: {},
        binding: `0x${'00'.repeat(32)}`,
        timing: timingOf(spec.tasks.chat.timing, { totalMs, deadlineMs: 10_000 }),
        engine: {
          ...engine,
          check: async () => ({
            reason,
            residueError: null,
            mismatches: null,
            exponentMismatches: 0,
            mantissaError: 0,
            marginMean: 0,
            marginMax: 0,
            prefilled: 1,
          }),
        },
      })
    expect(
      [await score('ok', 1), await score('ok', 5_000), await score('ok', 5_001), await score('sampling', 1)].map(
        (v) => v?.value,
      ),
    ).toEqual([1, 1, 0.5, 0])
    expect([0, 0.24, 0.25, 1].map((average) => spec.reward(average))).toEqual([0, 0, 0.25, 1])
  })
})

test.each(requests)('seed equals that of another implementation for round $round', ({
  seed,
  blockHash,
  netuid,
  round,
  hotkey,
  repeats,
}) => {
  expect(taskSeed({ blockHash, netuid, round, hotkey })).toBe(seed)
  expect(taskSeed({ blockHash, netuid, round, hotkey, repeat: 0 })).toBe(seed)
  for (const { repeat, seed } of repeats) expect(taskSeed({ blockHash, netuid, round, hotkey, repeat })).toBe(seed)
})

test('choices are within bounds, evenly spread, and independent of other labels', () => {
  const seed = requests[0]?.seed ?? '0x'
  const choices = choicesFrom({ seed, label: 'a' })
  const drawn = Array.from({ length: 6_000 }, () => choices.below(6))
  const counts = [0, 1, 2, 3, 4, 5].map((face) => drawn.filter((value) => value === face).length)
  expect(Math.min(...counts)).toBeGreaterThan(880) // 1 000 ± 4 standard deviations of 29
  expect(choicesFrom({ seed, label: 'b' }).bytes32()).not.toBe(choicesFrom({ seed, label: 'a' }).bytes32())
})

test('rounds start at the multiples of their length, which is at least one block', () => {
  const length = roundBlocks({ tempo: 10 as Blocks, roundsPerEpoch: 2 })
  expect(length).toBe(5)
  expect([0, 4, 5, 14].map((block) => roundOf({ block: block as Block, length }))).toEqual([0, 0, 1, 2])
  expect(roundStart({ round: 3, length })).toBe(15)
  expect(roundBlocks({ tempo: 1 as Blocks, roundsPerEpoch: 9 })).toBe(1)
  expect(() => roundBlocks({ tempo: 0 as Blocks, roundsPerEpoch: 2 })).toThrow(
    expect.objectContaining({ code: 'SPEC_ROUNDS' }),
  )
})

describe('weights', () => {
  interface WeightCase {
    readonly uids: readonly Uid[]
    readonly weights_as_float32?: readonly number[]
    readonly weights: readonly number[]
    readonly out_uids?: readonly number[]
    readonly out_vals?: readonly number[]
    readonly error?: string
  }
  const cases: WeightCase[] = read('test/vectors/wire/weights.json').convert_weights_and_uids_for_emit
  const pairs = cases
    .map((row, index) => [index, row] as const)
    .filter(([, row]) => row.uids.length === row.weights.length)
  test.each(pairs)('equal the reference in case %i, in uid order', (_, row) => {
    const values = row.weights_as_float32 ?? row.weights
    const convert = () => toWeights(row.uids.map((uid, index) => [uid, values[index] ?? 0] as const))
    if (row.out_uids === undefined) expect(convert).toThrow()
    else
      expect(convert()).toEqual(
        row.out_uids.map((uid, index) => [uid, row.out_vals?.[index]]).sort(([a = 0], [b = 0]) => a - b),
      )
  })

  test('refuse what is no reward', () => {
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => toWeights([[0 as Uid, bad]])).toThrow(expect.objectContaining({ code: 'SPEC_REWARD' }))
    expect(() =>
      toWeights([
        [0 as Uid, 1],
        [0 as Uid, 1],
      ]),
    ).toThrow(expect.objectContaining({ code: 'SPEC_REWARD' }))
  })
})

describe('definition', () => {
  const task = {
    request: z.object({ n: z.number() }),
    response: z.object({ n: z.number() }),
    deadlineMs: 1_000,
    maxRequestBytes: 100,
    maxResponseBytes: 100,
    plan: () => ({ n: 1 }),
    solve: async ({ request }: { request: { n: number } }) => ({ n: request.n }),
    score: async () => ({ reason: 'ok', value: 1, sigma: 0 }),
  }
  const spec: SubnetSpec = {
    name: 'mine',
    version: 1,
    model: { name: 'm', hash: `0x${'00'.repeat(32)}` },
    roundsPerEpoch: 1,
    tasks: { add: defineTask(task) },
    pick: () => 'add',
    reward: (average) => average,
    halfLifeRounds: 1,
  }
  const refused = expect.objectContaining({ code: 'SPEC_INVALID' })

  test('is accepted when it is whole', () => {
    expect(defineSubnet(spec).name).toBe('mine')
  })

  test.each([
    { deadlineMs: 60_001 },
    { deadlineMs: 0 },
    { maxRequestBytes: 3 },
    { maxResponseBytes: Number.NaN },
    { plan: () => ({ n: 'one' as never }) },
  ])('of a task is refused with %o', (change) => {
    expect(() => defineTask({ ...task, ...change })).toThrow(refused)
  })

  test('of a task is refused when its plan is not pure', () => {
    let n = 0
    expect(() => defineTask({ ...task, plan: () => ({ n: n++ }) })).toThrow(refused)
  })

  test.each([
    { name: '../x' },
    { version: 0 },
    { model: { name: 'm', hash: '0x00' as const } },
    { roundsPerEpoch: 0 },
    { halfLifeRounds: 0 },
    { tasks: {} },
    { pick: () => 'subtract' },
    { reward: () => -1 },
  ])('of a subnet is refused with %o', (change) => {
    expect(() => defineSubnet({ ...spec, ...change })).toThrow(refused)
  })
})

describe('loading', () => {
  test.each([
    ['inferense', 'SPEC_UNKNOWN'],
    ['__proto__', 'SPEC_UNKNOWN'],
    ['/nowhere/spec.ts', 'SPEC_NOT_FOUND'],
    [fileURLToPath(new URL('../src/rounds.ts', import.meta.url)), 'SPEC_NOT_A_SPEC'],
  ])('%s is refused as %s', async (specifier, code) => {
    await expect(loadSpec(specifier)).rejects.toThrow(expect.objectContaining({ code }))
  })

  test('takes a module by its path', async () => {
    expect((await loadSpec(fileURLToPath(new URL('../inference/tiny.ts', import.meta.url)))).name).toBe(
      'inference-tiny',
    )
  })
})

describe('the subnet of any model', () => {
  const model = { name: 'smollm2', hash: `0x${'5a'.repeat(32)}`, thresholds: `0x${'b2'.repeat(32)}` } as const
  const speed = { tokensPerSecond: 30, context: 8_192 }
  const specifier = inferenceSpecifier({ model, speed, vocabulary: 49_152 })

  test('is made from its name alone, the same in every process', async () => {
    expect(specifier).toBe(
      `inference@smollm2,hash=${model.hash},thresholds=${model.thresholds},speed=30,context=8192,vocabulary=49152`,
    )
    expect(specifierOf(specifier, '/somewhere')).toBe(specifier)
    const spec = await loadSpec(specifier)
    expect(spec).toMatchObject({ name: 'inference', model, audit: { positions: 16 } })
    expect(spec.tasks.chat?.plan({ seed: `0x${'01'.repeat(32)}` })).toEqual(
      specs[0]?.tasks.chat?.plan({ seed: `0x${'01'.repeat(32)}` }),
    )
  })

  test('gives a slow model more time and shorter answers', () => {
    expect(boundsOf({ tokensPerSecond: 400, context: 512 })).toMatchObject({ maxTokens: 256, deadlineMs: 10_000 })
    expect(boundsOf({ tokensPerSecond: 30, context: 8_192 })).toMatchObject({ maxTokens: 450, deadlineMs: 60_000 })
    expect(() => boundsOf({ tokensPerSecond: 1, context: 8_192 })).toThrow(
      expect.objectContaining({ code: 'SPEC_INVALID' }),
    )
  })

  test('takes only greedy answers of servers that show no hidden states', async () => {
    const greedy = await loadSpec(inferenceSpecifier({ model, speed, proof: 'none' }))
    const task = greedy.tasks.chat
    const planned = task?.plan({ seed: `0x${'01'.repeat(32)}` }) as { temperature: number }
    expect(planned.temperature).toBe(0)
    expect(task?.request.safeParse({ ...planned, temperature: 0.1 }).success).toBe(false)
  })

  test.each([
    'inference@',
    'inference@a/b,hash=0x00,speed=1,context=512',
    specifier.replace('speed=30', 'speed=-1'),
    specifier.replace(/hash=0x[0-9a-f]+/, 'hash=0x12'),
    `${specifier},speed=40`,
    `${specifier},colour=red`,
    `inference@smollm2,hash=${model.hash},context=8192`,
  ])('is refused as SPEC_SPECIFIER with %s', async (text) => {
    await expect(loadSpec(text)).rejects.toMatchObject({ code: 'SPEC_SPECIFIER' })
  })

  test('takes conversations, filters and stops within bounds, and null for what is not there', () => {
    const request = specs[0]?.tasks.chat?.request
    const plain = { prompt: 'Why?', maxTokens: 8, temperature: 1, seed: `0x${'01'.repeat(32)}` }
    const fits = (change: object) => request?.safeParse({ ...plain, ...change }).success
    for (const change of [
      {},
      { topK: null, topP: null, stop: null },
      { topK: 40, topP: 0.9, stop: ['\n\n'] },
      { prompt: [{ role: 'user', content: 'Why?' }] },
    ])
      expect(fits(change)).toBe(true)
    for (const change of [
      { prompt: '' },
      { prompt: [] },
      { prompt: [{ role: 'tool', content: 'x' }] },
      { prompt: 'a'.repeat(2_049) },
      { topK: 0 },
      { topP: 0 },
      { topP: 1.1 },
      { stop: [''] },
      { stop: ['a', 'b', 'c', 'd', 'e'] },
      { binding: `0x${'00'.repeat(32)}` },
      { proof: 'none' },
    ])
      expect(fits(change)).toBe(false)
  })
})

describe('timing classes', () => {
  test('are the shares of the deadline that a time does not exceed', () => {
    const classOf = (totalMs: number) => timingOf([0.25, 0.5], { totalMs, deadlineMs: 1_000 }).class
    expect([0, 250, 250.1, 500, 501, 5_000].map(classOf)).toEqual([0, 0, 1, 1, 2, 2])
    expect(timingOf(undefined, { totalMs: 999, deadlineMs: 1_000 })).toEqual({ class: 0 })
  })

  test.each([
    [[0.5, 0.5], '0.5, 0.5'],
    [[0.5, 0.25], '0.5, 0.25'],
    [[0, 0.5], '0, 0.5'],
    [[1], '1'],
    [[Number.NaN], 'NaN'],
    [[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], 'fewer than 8'],
  ])('refuses %j', (timing, named) => {
    const task = specs[0]?.tasks.chat
    if (task === undefined) throw new Error('no chat')
    expect(() => defineTask({ ...task, timing })).toThrow(named)
  })
})

test.each([
  [{ k: 0, most: 2 }, 'repeats.k is 0'],
  [{ k: 11, most: 2 }, 'repeats.k is 11'],
  [{ k: 1, most: 0 }, 'repeats.most is 0'],
  [{ k: 1, most: 1.5 }, 'repeats.most is 1.5'],
  [{ k: 1, most: 65 }, 'repeats.most is 65'],
])('a subnet with the repeats %j is refused', (repeats, named) => {
  const [spec] = specs
  if (spec === undefined) throw new Error('no spec')
  expect(() => defineSubnet({ ...spec, repeats })).toThrow(named)
  expect(defineSubnet({ ...spec, repeats: { k: 2, most: 4 } }).repeats).toEqual({ k: 2, most: 4 })
})
