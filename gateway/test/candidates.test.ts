import type { Metagraph, Neuron } from '@arbor/chain/client/types'
import { AXON_PROTOCOL } from '@arbor/shared/dial/statement'
import type { Block, Ss58, Uid } from '@arbor/shared/units'
import type { Score } from '@arbor/validator/scores'
import { describe, expect, test } from 'vitest'
import { candidatesOf } from '../src/routing/candidates.ts'

const axon = { ip: '127.0.0.1', port: 8091, version: 1, protocol: AXON_PROTOCOL.ask }
const neuron = (letter: string, of: Partial<Neuron> = {}): Neuron =>
  ({
    hotkey: `5${letter}` as Ss58,
    uid: letter.charCodeAt(0) as Uid,
    registeredAt: 1 as Block,
    incentive: 0,
    axon,
    ...of,
  }) as Neuron
const metagraph = (...neurons: readonly Neuron[]): Metagraph =>
  ({ neurons, lastEpochBlock: 1_000, tempo: 100, block: { number: 1_050, hash: '0x00' } }) as unknown as Metagraph
const score = (letter: string, average: number, registeredAt = 1): Score => ({
  hotkey: `5${letter}` as Ss58,
  uid: letter.charCodeAt(0) as Uid,
  registeredAt: registeredAt as Block,
  average,
  sigma: 0,
  samples: 3,
  lastRoundBlock: 1_000 as Block,
})
const weights = (of: { readonly neurons: readonly Neuron[]; readonly scores: readonly Score[] | null }) =>
  Object.fromEntries(
    candidatesOf({
      metagraph: metagraph(...of.neurons),
      self: '5Z' as Ss58,
      scores: of.scores,
      reward: (average) => (average < 0.25 ? 0 : average),
    }).map(({ hotkey, weight }) => [hotkey, weight]),
  )

describe('candidates', () => {
  test('are miners that serve, and never ourselves or who only listens for dials', () => {
    const neurons = [
      neuron('A'),
      neuron('B', { axon: null }),
      neuron('C', { axon: { ...axon, protocol: AXON_PROTOCOL.dial } }),
      neuron('Z'),
    ]
    expect(weights({ neurons, scores: [] })).toEqual({ '5A': 1 })
  })

  test('by the validator’s scores have their rewards, newcomers a tenth of the best, and the worthless nothing', () => {
    const neurons = ['A', 'B', 'C', 'D'].map((letter) => neuron(letter))
    const scores = [score('A', 0.8), score('B', 0.4), score('C', 0.2)]
    expect(weights({ neurons, scores })).toEqual({ '5A': 0.8, '5B': 0.4, '5D': expect.closeTo(0.08) })
  })

  test('do not inherit the score of who held their uid before', () => {
    expect(
      weights({
        neurons: [neuron('A', { registeredAt: 900 as Block }), neuron('B')],
        scores: [score('A', 0), score('B', 1)],
      }),
    ).toEqual({
      '5A': 0.1,
      '5B': 1,
    })
  })

  test('are all alike while nobody was judged', () => {
    expect(weights({ neurons: [neuron('A'), neuron('B')], scores: [] })).toEqual({ '5A': 1, '5B': 1 })
    expect(weights({ neurons: [neuron('A'), neuron('B')], scores: null })).toEqual({ '5A': 1, '5B': 1 })
  })

  test('by the chain alone have their incentive, and who registered after the last epoch a tenth of the best', () => {
    const neurons = [
      neuron('A', { incentive: 0.6 }),
      neuron('B', { incentive: 0.4 }),
      neuron('C'),
      neuron('D', { registeredAt: 1_010 as Block }),
    ]
    expect(weights({ neurons, scores: null })).toEqual({ '5A': 0.6, '5B': 0.4, '5D': expect.closeTo(0.06) })
  })
})
