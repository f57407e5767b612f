import { readFileSync } from 'node:fs'
import type { Metagraph, Neuron } from '@arbor/chain/client/types'
import { describe, expect, test } from 'vitest'
import { hyperparameters, metagraph, neuron } from '../validator/test/fixtures.ts'
import { epochOutcome } from './chaos/allowed.ts'
import { EXCUSED } from './chaos/excused.ts'
import { planFaults } from './chaos/faults.ts'
import type { Moment } from './chaos/history.ts'
import { watched } from './chaos/killing.ts'
import { withResults } from './chaos/page.ts'
import { planOf } from './chaos/plan.ts'
import { allPoints } from './chaos/points.ts'
import { random } from './chaos/random.ts'
import { differenceOf, refold } from './chaos/refold.ts'
import type { Summary } from './chaos/summary.ts'
import { transitionOf } from './chaos/summary.ts'
import { rootOf } from './chaos/tree.ts'

const hotkey = '5Fme' as Neuron['hotkey']
const scoredRow = [[3, 65_535]] as unknown as Moment['rows'] extends ReadonlyMap<string, infer Row> ? Row : never

/** Ten blocks of one epoch, from block 100 on, in which nothing stands in the way of weights. */
const epoch = (
  over: {
    readonly lastUpdate?: number
    readonly permit?: boolean
    readonly able?: (block: number) => boolean
    readonly life?: (block: number) => number
  } = {},
) =>
  Array.from({ length: 10 }, (_, i): Moment => {
    const block = 100 + i
    const me = neuron({
      hotkey,
      uid: 1,
      validatorPermit: over.permit ?? true,
      lastUpdate: Math.min(block, over.lastUpdate ?? 95),
    })
    return {
      block: block as Moment['block'],
      hash: '0x00' as Moment['hash'],
      metagraph: metagraph({ tempo: 10, neurons: [me] } as never) as Metagraph,
      rules: { ...hyperparameters({ weightsRateLimit: 2, weightsVersion: 1n } as never) },
      revealPeriod: 1,
      rows: new Map([[hotkey, scoredRow]]),
      able: new Map((over.able ?? (() => true))(block) ? [[hotkey, (over.life ?? (() => 1))(block)]] : []),
    }
  })
const judged = (
  moments: readonly Moment[],
  over: { readonly scored?: boolean; readonly held?: typeof scoredRow } = {},
) => epochOutcome({ moments, hotkey, version: 1, scored: over.scored ?? true, held: over.held ?? null })

describe('rule of an epoch', () => {
  test('calls it missed when nothing stood in the way and nothing was set', () => {
    expect(judged(epoch({ lastUpdate: 80 }))).toMatchObject({ kind: 'missed' })
  })
  test('calls it done when a row entered in it, or the chain holds the one that was read back', () => {
    expect(judged(epoch({ lastUpdate: 104 }))).toEqual({ kind: 'done' })
    expect(judged(epoch({ lastUpdate: 98 }), { held: scoredRow })).toEqual({ kind: 'done' })
    expect(judged(epoch({ lastUpdate: 80 }), { held: scoredRow })).toMatchObject({ kind: 'missed' })
  })
  test('excuses it for a rule, for a disturbance and for want of scores, by name', () => {
    expect(judged(epoch({ permit: false, lastUpdate: 80 }))).toEqual({ kind: 'excused', why: 'permit' })
    expect(judged(epoch({ able: (block) => block % 5 !== 0, lastUpdate: 80 }))).toEqual({
      kind: 'excused',
      why: 'disturbed',
    })
    expect(judged(epoch({ life: (block) => Math.floor(block / 3), lastUpdate: 80 }))).toEqual({
      kind: 'excused',
      why: 'disturbed',
    })
    expect(judged(epoch({ lastUpdate: 80 }), { scored: false })).toEqual({ kind: 'excused', why: 'nothing-scored' })
  })
})

describe('kill points', () => {
  test('are every move of the tables, before and after, each once', () => {
    const names = allPoints().map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('weights:finalised>confirmed:before')
    expect(names).toContain('rounds:start>planned:after')
    expect(names).toContain('receipts:step>anchor:before')
  })
  test('are excused only where they exist', () => {
    const transitions = new Set(allPoints().map(({ name }) => transitionOf(name)))
    expect(Object.keys(EXCUSED).filter((name) => !transitions.has(name))).toEqual([])
  })
  test('come immediately before and after the call, and change nothing of it', () => {
    const told: string[] = []
    const target = { write: (value: number) => told.push(`write ${value}`), read: () => 7 }
    const seen = watched({
      target,
      move: (method) => (method === 'write' ? { machine: 'rounds', from: 'a', to: 'b' } : null),
      on: (point) => told.push(point),
    })
    seen.write(3)
    expect(seen.read()).toBe(7)
    expect(told).toEqual(['rounds:a>b:before', 'write 3', 'rounds:a>b:after'])
  })
})

test('a seed draws the same faults each time', () => {
  const drawn = () => planFaults({ random: random(5).fork('faults'), blocks: 500, every: 10 })
  expect(drawn()).toEqual(drawn())
  expect(drawn().length).toBeGreaterThan(20)
  expect(planOf(5)).toEqual(planOf(5))
})

test('scores are computed anew from verdicts, and differences are named', () => {
  const verdict = (roundBlock: number, value: number, over: object = {}) =>
    ({ hotkey: 'a', uid: 2, registeredAt: 1, repeat: 0, reason: 'ok', sigma: 0, roundBlock, value, ...over }) as never
  const scores = refold([verdict(5, 1), verdict(10, 0.5), verdict(10, 0, { repeat: 1 })], 1)
  expect(scores).toMatchObject([{ average: 0.5 * 1 + 0.5 * 0.25, samples: 3, lastRoundBlock: 10 }])
  expect(differenceOf(scores, scores)).toBeNull()
  expect(differenceOf(scores, [])).toMatch(/1 scores, 0 expected/)
  const taken = refold([verdict(5, 1), verdict(10, 0.5, { hotkey: 'b', registeredAt: 7 })], 1)
  expect(taken).toMatchObject([{ hotkey: 'b', average: 0.5, samples: 1 }])
})

test('roots are those of RFC 6962', () => {
  // SHA-256 of nothing: the root of an empty tree
  expect(Buffer.from(rootOf([])).toString('hex')).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  )
})

test('docs/chaos.md has the results of the last long run', () => {
  const file = new URL('../bench/results/chaos-seeds.json', import.meta.url)
  const page = readFileSync(new URL('../docs/chaos.md', import.meta.url), 'utf8')
  expect(withResults(page, JSON.parse(readFileSync(file, 'utf8')) as Summary)).toBe(page)
})
