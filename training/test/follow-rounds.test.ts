import { SubnetError } from '@arbor/shared/errors'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Blocks } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { type FollowDeps, followRounds } from '../src/follow-rounds.ts'
import type { RoundEvent } from '../src/types.ts'
import { createNet, hex32, hotkeyOf, type Net, netuid, training, until } from './support.ts'

const members = [
  { name: 'validator', stake: 100n, permit: true },
  { name: 'other', stake: 60n, permit: true },
  { name: 'miner', stake: 0n, permit: false },
]
const base = hex32('base')
const commitment = (round: number) => ({
  round,
  name: hex32(`update ${round}`),
  bytes: 100,
  base: base.slice(0, 18) as `0x${string}`,
  url: '',
})

const clock = createManualClock()
const said: object[] = []

const deps = (net: Net, over: Partial<FollowDeps> = {}): FollowDeps => ({
  chain: net.chain,
  netuid,
  clock,
  warn: (fields) => void said.push(fields),
  terms: training.phases,
  length: 10 as Blocks,
  roundsPerEpoch: 1,
  ...over,
})

/** Follows in the background, and notes what comes. */
const following = (net: Net, from: number | null, over: Partial<FollowDeps> = {}) => {
  const stop = new AbortController()
  const events: RoundEvent[] = []
  const failed: unknown[] = []
  const run = async (): Promise<void> => {
    for await (const event of followRounds(deps(net, over), { from, signal: stop.signal })) events.push(event)
  }
  const done = run().catch((error: unknown) => void failed.push(error))
  const names = () => events.map(({ kind, phases, isPast }) => `${phases.round} ${kind}${isPast ? ' (past)' : ''}`)
  return { events, failed, names, stop: () => stop.abort(new Error('the test is over')), done }
}

describe('rounds', () => {
  test('are told in order and once when block follows on block', async () => {
    const net = createNet(members, 20)
    const seen = following(net, null)
    const counts: number[] = []
    for (const block of [20, 21, 24, 25, 26, 27, 28, 29, 30, 35]) {
      net.to(block)
      await until(() => seen.events.length >= counts.length / 4, 'it goes on')
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
      counts.push(seen.events.length)
    }
    await until(() => seen.events.length === 5, 'the next round is published')
    expect(seen.names()).toEqual(['2 start', '2 published', '2 voted', '3 start', '3 published'])
    expect(seen.events.map(({ block }) => block)).toEqual([20, 25, 28, 30, 35].map(net.refAt))
    seen.stop()
    await seen.done
  })

  test('are told from blocks that went by when many heads were missed, and say what is over', async () => {
    const net = createNet(members, 20)
    net.to(21)
    net.commit('miner', commitment(2))
    net.to(25)
    net.commit('miner', commitment(3)) // too late for this round's facts to change
    net.vote('validator', { round: 2, base, accepted: [2 as never] })
    net.to(46)
    const seen = following(net, 2)
    await until(() => seen.events.length === 8, 'all were told')
    expect(seen.names()).toEqual([
      '2 start (past)',
      '2 published (past)',
      '2 voted (past)',
      '3 start (past)',
      '3 published (past)',
      '3 voted (past)',
      '4 start (past)',
      '4 published',
    ])
    const [, published, voted] = seen.events
    expect(published).toMatchObject({
      commitments: [{ uid: 2, hotkey: hotkeyOf('miner'), commitment: { round: 2 }, block: 22 }],
    })
    expect(voted).toMatchObject({
      plan: { round: 2, base, merged: [{ uid: 2, commitment: commitment(2) }] },
      voters: [{ uid: 0, hotkey: hotkeyOf('validator'), url: 'http://validator' }],
    })
    expect(seen.events[5]).toMatchObject({ plan: { base: null, merged: [] }, voters: [] })
    seen.stop()
    await seen.done
  })

  test.each([
    [20, 4],
    [24, 4],
    [25, 4],
    [27, 4],
    [28, 4],
    [31, 4],
  ])('go on at the right event when the process starts at block %i', async (block) => {
    const net = createNet(members, 20)
    net.to(block)
    const seen = following(net, 2)
    net.to(30)
    await until(() => seen.events.length === 4, 'the next one starts')
    expect(seen.events.map(({ kind }) => kind)).toEqual(['start', 'published', 'voted', 'start'])
    seen.stop()
    await seen.done
  })

  test('count what stands in the state of the last block alone', async () => {
    const net = createNet(members, 20)
    net.to(22)
    net.commit('miner', commitment(2)) // in block 23
    net.to(23)
    net.commit('miner', { ...commitment(2), bytes: 0 }) // withdrawn in block 24
    net.to(25)
    net.vote('other', { round: 2, base, accepted: [2 as never] })
    net.to(28)
    net.vote('validator', { round: 2, base: hex32('too late'), accepted: [] }) // in block 29
    net.to(30)
    const seen = following(net, 2)
    await until(() => seen.events.length === 4, 'it went by')
    expect(seen.events[1]).toMatchObject({ commitments: [{ commitment: { bytes: 0 } }] })
    expect(seen.events[2]).toMatchObject({ plan: { base, merged: [] } })
    seen.stop()
    await seen.done
  })

  test('outlive a chain that is away for a while, and go on where they were', async () => {
    const net = createNet(members, 20)
    const away = new SubnetError({ code: 'CHAIN_TIMEOUT', message: 'no answer', retryable: true })
    let isAway = false
    const chain: Net['chain'] = {
      ...net.chain,
      finalized: () => (isAway ? Promise.reject(away) : net.chain.finalized()),
      commitments: (...of) => (isAway ? Promise.reject(away) : net.chain.commitments(...of)),
      heads: async function* (kind, signal) {
        for await (const head of net.chain.heads(kind, signal)) {
          if (isAway) throw away
          yield head
        }
      },
    }
    said.length = 0
    const seen = following(net, 2, { chain })
    await until(() => seen.events.length === 1, 'it starts')
    isAway = true
    net.to(25)
    await until(() => clock.sleeping() > 0, 'it waits')
    await clock.advance(1_000)
    await until(() => said.length === 2 && clock.sleeping() > 0, 'it waits longer')
    isAway = false
    net.to(28)
    await clock.advance(2_000)
    await until(() => seen.events.length === 3, 'it went on')
    expect(seen.names()).toEqual(['2 start', '2 published', '2 voted'])
    expect(said).toMatchObject([{ event: 'training.chain', code: 'CHAIN_TIMEOUT' }, { code: 'CHAIN_TIMEOUT' }])
    seen.stop()
    await seen.done
  })

  test('end with what to do where the state of a round is gone', async () => {
    const net = createNet(members, 20)
    net.to(40)
    net.prune(36)
    const seen = following(net, 2)
    await until(() => seen.failed.length === 1, 'it is refused')
    expect(seen.failed[0]).toMatchObject({ code: 'TRAINING_STATE_PRUNED', details: { block: 25 } })
    expect(String(seen.failed[0])).toContain('--keep archive')
  })

  test('end when the owner changed the tempo, but not for what lies before', async () => {
    const net = createNet(members, 20)
    net.setTempo(12)
    net.to(29)
    net.setTempo(10)
    net.to(31)
    const seen = following(net, 2)
    await until(() => seen.events.length === 4, 'the old round went by')
    net.setTempo(20)
    net.to(35)
    await until(() => seen.failed.length === 1, 'it is refused')
    expect(seen.failed[0]).toMatchObject({ code: 'TRAINING_TEMPO', details: { tempo: 20, length: 10 } })
  })
})
