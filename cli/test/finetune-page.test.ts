import type { Hex } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { lineChart, ticksOf } from '../src/finetune/chart.ts'
import { historySchema, minersOf, type TrainingHistory } from '../src/finetune/history.ts'
import { reportPage } from '../src/finetune/page.ts'

const name = (digit: number): Hex => `0x${String(digit % 10).repeat(64)}` as Hex

/** A run of three miners, of whom the third never helps. */
const history = (rounds: number): TrainingHistory => ({
  spec: { name: 'finetune', version: 1 },
  rounds: Array.from({ length: rounds }, (_, round) => ({
    round,
    before: name(round),
    checkpoint: name(round + 1),
    merged: [1, 2],
    heldOut: round === 1 ? null : 4.5 - round / 10,
    tokens: 1_000,
    verdicts: [1, 2, 3].map((uid) => ({
      uid,
      hotkey: `5M${uid}`,
      reason: uid === 3 ? 'copy' : 'ok',
      value: uid === 3 ? 0 : 1,
      bytes: 500,
      mu: uid === 3 ? 25 - round : 25 + round / uid,
      sigma: 8,
    })),
  })),
})

/** Elements of a page that are opened, and whether each is closed in its turn: a strict reading, since nothing here may rely on repair. */
const elementsOf = (page: string): readonly string[] => {
  const open: string[] = []
  const seen: string[] = []
  const empty = new Set(['meta', '!doctype'])
  for (const [, close, name = '', rest = ''] of page
    .replace(/<style>[\s\S]*?<\/style>/, '<style></style>')
    .matchAll(/<(\/?)([!a-z0-9]+)((?:[^<>"]|"[^"]*")*)>/g)) {
    if (close === '/') expect(open.pop()).toBe(name)
    else {
      seen.push(name)
      if (!empty.has(name) && !rest.endsWith('/')) open.push(name)
    }
  }
  expect(open).toEqual([])
  return seen
}

describe('the report page', () => {
  const page = reportPage(history(12))

  test('is whole by itself: it closes what it opens, and asks nobody for anything', () => {
    const elements = elementsOf(page)
    expect(elements.filter((each) => each === 'svg')).toHaveLength(2)
    for (const foreign of ['script', 'link', 'img', 'iframe', 'image', 'use', 'base'])
      expect(elements).not.toContain(foreign)
    expect(page).not.toMatch(/https?:|url\(|@import|\son[a-z]+=/)
    expect(page).toContain('prefers-color-scheme:dark')
  })

  test('draws one line of losses and one for each miner, the best named first, with a table of the same', () => {
    expect(page.match(/<polyline/g)).toHaveLength(4)
    expect(page.match(/class="dot c0"/g)).toHaveLength(11 + 12) // a loss was not measured once
    expect(page.indexOf('>uid 1<')).toBeGreaterThan(0)
    expect(page).toContain('4.5000 → 3.4000 nats a token')
    expect(page).toContain('copy 12')
    expect(page).toContain('6.00 kB')
    expect(page).not.toContain('NaN')
  })

  test('puts every point within the drawing, the highest loss at the top', () => {
    const [line = ''] = /<polyline class="line c0" points="([^"]+)"/.exec(page)?.slice(1) ?? []
    const points = line.split(' ').map((point) => point.split(',').map(Number))
    expect(points[0]).toEqual([56, 12])
    expect(points.at(-1)).toEqual([632, 246])
    for (const [x = -1, y = -1] of points) expect(x >= 56 && x <= 632 && y >= 12 && y <= 246).toBe(true)
  })

  test('keeps the names of many miners apart', () => {
    const lines = Array.from({ length: 18 }, (_, i) => ({
      label: `uid ${i}`,
      colour: 'other',
      points: [{ x: 0, y: i % 2, says: '' }],
    }))
    const svg = lineChart({ title: 't', xLabel: 'x', yLabel: 'y', lines })
    const heights = [...svg.matchAll(/class="name other" x="640" y="([\d.]+)"/g)].map(([, y]) => Number(y))
    const gaps = heights.slice(1).map((y, i) => y - (heights[i] ?? 0))
    expect(heights).toHaveLength(18)
    expect(Math.min(...gaps)).toBeGreaterThan(12)
    expect(Math.max(...heights)).toBeLessThanOrEqual(280)
  })

  test('shows what others wrote as text only', () => {
    const [round] = history(1).rounds
    const [verdict] = round?.verdicts ?? []
    if (round === undefined || verdict === undefined) throw new Error('no round')
    const hostile = `"><script>alert('x')</script>`
    const spec = { name: hostile, version: 1 }
    const rounds = [{ ...round, verdicts: [{ ...verdict, hotkey: hostile, reason: hostile }] }]
    expect(elementsOf(reportPage({ spec, rounds }))).not.toContain('script')
  })

  test('says so when there is nothing yet', () => {
    const empty = reportPage(history(0))
    elementsOf(empty)
    expect(empty).toContain('No loss was measured yet.')
    expect(elementsOf(reportPage(history(1)))).toContain('svg')
  })
})

test('ticks are round numbers within their range', () => {
  expect(ticksOf([4.31, 4.54])).toEqual([4.35, 4.4, 4.45, 4.5])
  expect(ticksOf([0, 11])).toEqual([0, 2, 4, 6, 8, 10])
  expect(ticksOf([-3, 41])).toEqual([0, 10, 20, 30, 40])
})

test('a history is refused when it has no names, or more rounds than can be', () => {
  expect(historySchema.safeParse(history(3)).success).toBe(true)
  const [round] = history(1).rounds
  expect(historySchema.safeParse({ ...history(0), rounds: [{ ...round, checkpoint: '0x12' }] }).success).toBe(false)
  expect(historySchema.safeParse({ ...history(0), rounds: Array.from({ length: 10_001 }, () => round) }).success).toBe(
    false,
  )
})

test('miners are sorted by their last rating, with reasons and bytes added up', () => {
  const miners = minersOf(history(4))
  expect(miners.map(({ uid }) => uid)).toEqual([1, 2, 3])
  expect(miners.at(-1)).toMatchObject({ reasons: { copy: 4 }, bytes: 2_000 })
})
