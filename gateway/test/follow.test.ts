import type { BlockRef, Metagraph, Neuron } from '@arbor/chain/client/types'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import { type Block, netUid, type Ss58, type Uid } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { openFollower } from '../src/follow.ts'
import { createRouter } from '../src/routing/router.ts'
import { seeded } from './support/gateway.ts'

const axon = { ip: '127.0.0.1', port: 8091, version: 1, protocol: 4 }
const neuron = (letter: string, of: Partial<Neuron> = {}): Neuron =>
  ({
    hotkey: `5${letter}` as Ss58,
    uid: letter.charCodeAt(0) as Uid,
    registeredAt: 1 as Block,
    incentive: 0,
    axon,
    validatorPermit: true,
    ...of,
  }) as Neuron

/** A chain whose finalised heads are these lists of neurons, one after the other. */
const follow = async (of: {
  readonly heads: readonly (readonly Neuron[])[]
  readonly scores?: () => never
  /** Numbers of the best blocks, none of them final. */
  readonly best?: readonly number[]
}) => {
  const clock = createManualClock()
  const router = createRouter({ limits: { inFlight: 4, perMiner: 2, waiting: 2 }, clock, random: seeded(2) })
  const refs = of.heads.map((_, index): BlockRef => ({ number: (index + 1) as Block, hash: `0x0${index}` }))
  const bests = (of.best ?? []).map((number): BlockRef => ({ number: number as Block, hash: '0xbe' }))
  const registered: number[] = []
  const follower = await openFollower({
    chain: {
      best: async () => bests[0] ?? (refs[0] as BlockRef),
      finalized: async () => refs[0] as BlockRef,
      metagraph: async (netuid, at) => {
        const index = refs.findIndex(({ hash }) => hash === at)
        const about = { netuid, block: refs[index], lastEpochBlock: 0, tempo: 10 }
        return { ...about, neurons: of.heads[index] } as unknown as Metagraph
      },
      async *heads(kind) {
        yield* (kind === 'best' ? bests : refs).slice(1)
      },
    },
    netuid: netUid(1),
    self: '5V' as Ss58,
    router,
    scores: of.scores ?? null,
    reward: (average) => average,
    registered: (at) => void registered.push(at),
    clock,
    log: createLogger({ name: 'test', level: 'silent' }),
  })
  return { follower, router, clock, registered }
}
const never = new AbortController().signal

describe('following the subnet', () => {
  test('offers the miners that serve, from the first head on', async () => {
    const { follower, router, registered } = await follow({
      heads: [
        [neuron('V'), neuron('A')],
        [neuron('V', { registeredAt: 2 as Block }), neuron('B'), neuron('C')],
      ],
    })
    expect(router.miners().map(({ miner }) => miner.hotkey)).toEqual(['5A'])
    expect(follower.view()).toEqual({ block: 1, trouble: null })
    await follower.follow(never)
    expect(router.miners().map(({ miner }) => miner.hotkey)).toEqual(['5B', '5C'])
    expect(registered).toEqual([1, 2])
  })

  test('knows what keeps miners from answering: no permit, and a chain that stands still', async () => {
    const { follower } = await follow({ heads: [[neuron('V', { validatorPermit: false }), neuron('A')]] })
    expect(follower.view().trouble).toContain('permit')
    const still = await follow({ heads: [[neuron('V'), neuron('A')]] })
    await still.clock.advance(180_000)
    expect(still.follower.view().trouble).toBe(null)
    await still.clock.advance(1_000)
    expect(still.follower.view().trouble).toBe('no finalised block was seen for 181 s')
  })

  test('knows the newest block though it is not final, and forgets none that was told', async () => {
    const { follower } = await follow({ heads: [[neuron('V'), neuron('A')]], best: [3, 4, 5, 4] })
    expect(follower.newest()).toBe(3)
    await follower.followBest(never)
    expect(follower.newest()).toBe(5)
    expect(follower.view().block).toBe(1)
  })

  test('goes on with the miners that it knows when the scores cannot be read', async () => {
    const { router } = await follow({
      heads: [[neuron('V'), neuron('A')]],
      scores: () => {
        throw new Error('locked')
      },
    })
    expect(router.miners()).toHaveLength(1)
  })

  test('ends when our hotkey is not in the subnet, or is missing for five heads', async () => {
    await expect(follow({ heads: [[neuron('A')]] })).rejects.toThrow(
      expect.objectContaining({ code: 'GATEWAY_UNREGISTERED' }),
    )
    const missing = (heads: number) => [[neuron('V')], ...Array.from({ length: heads }, () => [neuron('A')])]
    const four = await follow({ heads: missing(4) })
    await four.follower.follow(never)
    expect(four.follower.view().trouble).toContain('not in the subnet')
    const five = await follow({ heads: missing(5) })
    await expect(five.follower.follow(never)).rejects.toThrow(expect.objectContaining({ code: 'GATEWAY_UNREGISTERED' }))
  })
})
