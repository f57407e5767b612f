import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Ss58, Uid } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { combinedRow, type Source } from '../../src/auditor/combine.ts'
import { sourcesOf } from '../../src/auditor/follow-sources.ts'
import type { ScoreState } from '../../src/scoring/rules.ts'
import { neuron, TEMPO } from './written.ts'

const [a, b, c] = ['//A', '//B', '//C'].map((uri) => keypairFromUri(uri).address) as [Ss58, Ss58, Ss58]
const miners = ['//M1', '//M2', '//M3'].map((uri) => keypairFromUri(uri).address)
const neurons = miners.map((hotkey, uid) => neuron(uid, hotkey))
const at = { block: 100 as Block, tempo: TEMPO, neurons }
const terms = { reward: (average: number) => average }

const state = (averages: readonly number[], of: Partial<ScoreState> = {}): ScoreState => ({
  scores: averages.map((average, uid) => ({
    hotkey: miners[uid] as Ss58,
    uid: uid as Uid,
    registeredAt: 1 as Block,
    average,
    sigma: 0,
    samples: 3,
    lastRoundBlock: 90 as Block,
  })),
  forfeits: [],
  rounds: [90, 80].map((block) => block as Block),
  endedAt: 94 as Block,
  ...of,
})

const source = (validator: Ss58, stake: bigint, of: ScoreState): Source => ({
  validator,
  stake: String(stake),
  state: of,
})
const rowOf = (...sources: readonly Source[]) => combinedRow(sources, at, terms).row

describe('a combined row', () => {
  test('is the one of a single source when there is one', () => {
    expect(rowOf(source(a, 5n, state([1, 0.5, 0])))).toEqual([
      [0, 65_535],
      [1, 32_768],
    ])
  })

  test('is not moved by sources with less than half of the stake when they lie', () => {
    const honest = [source(a, 30n, state([1, 0.5, 0.2])), source(b, 21n, state([1, 0.5, 0.2]))]
    const liar = source(c, 49n, state([0, 0, 1]))
    expect(rowOf(...honest, liar)).toEqual(rowOf(...honest))
  })

  test('takes the higher of two scores when each has half of the stake, as the chain does', () => {
    expect(rowOf(source(a, 5n, state([1, 1])), source(b, 5n, state([1, 0.5])))).toEqual([
      [0, 65_535],
      [1, 65_535],
    ])
  })

  test('gives nothing for a miner that less than half of the stake has a score of', () => {
    expect(rowOf(source(a, 6n, state([1])), source(b, 5n, state([1, 1])))).toEqual([[0, 65_535]])
  })

  test('counts a source once when it is named twice, and none without stake', () => {
    const twice = [source(c, 40n, state([0, 0, 1])), source(c, 40n, state([0, 0, 1]))]
    expect(rowOf(source(a, 60n, state([1])), ...twice)).toEqual([[0, 65_535]])
    expect(rowOf(source(a, 0n, state([1])))).toEqual([])
  })

  test('leaves out a source whose last round is long over', () => {
    const idle = source(b, 90n, state([0, 1], { endedAt: 20 as Block, rounds: [20 as Block] }))
    expect(rowOf(source(a, 10n, state([1])), idle)).toEqual([[0, 65_535]])
  })

  test('gives nothing for who forfeited at sources with more than half of the stake', () => {
    const forfeit = { hotkey: miners[0] as Ss58, uid: 0 as Uid, registeredAt: 1 as Block, atBlock: 90 as Block }
    const forfeits = [
      { ...forfeit, untilBlock: 500 as Block, kind: 'planned' as const, reason: 'sampling', receipt: null },
    ]
    const strict = source(a, 6n, state([1, 1], { forfeits }))
    expect(rowOf(strict, source(b, 5n, state([1, 1])))).toEqual([[1, 65_535]])
  })

  test('gives nothing to who holds the uid now, and names who has gone', () => {
    const now = [...neurons.slice(0, 1), neuron(1, c, { registeredAt: 95 as Block })]
    const made = combinedRow([source(a, 5n, state([1, 1]))], { ...at, neurons: now }, terms)
    expect(made.row).toEqual([[0, 65_535]])
    expect(made.departed).toEqual([{ hotkey: miners[1], uid: 1, registeredAt: 1 }])
  })
})

describe('sources', () => {
  test('are validators with a permit, each once, largest stake first, never the auditor itself', () => {
    const seen = [
      neuron(0, a, { validatorPermit: true, totalStake: 1n as never }),
      neuron(1, b, { validatorPermit: true, totalStake: 9n as never }),
      neuron(2, b, { validatorPermit: true, totalStake: 9n as never }),
      neuron(3, c, { validatorPermit: true, totalStake: 5n as never }),
      neuron(4, miners[0] as Ss58, { totalStake: 99n as never }),
    ]
    expect(sourcesOf(seen, { self: c, chosen: [] })).toEqual([b, a])
    expect(sourcesOf(seen, { self: c, chosen: [a] })).toEqual([a])
  })

  test('are none when nobody has a permit, of 4 096 neurons too', () => {
    const many = Array.from({ length: 4_096 }, (_, uid) => neuron(uid, a))
    expect(sourcesOf(many, { self: c, chosen: [] })).toEqual([])
  })
})
