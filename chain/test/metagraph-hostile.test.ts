import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import type { Block, Blocks, Hex } from '@arbor/shared/units'
import { describe, expect, it } from 'vitest'
import { createMemo } from '../src/client/memo.ts'
import { readMetagraph } from '../src/client/metagraph.ts'
import type { Metagraph } from '../src/client/types.ts'
import { fixtures, runtimeOf } from './support/fixtures.ts'
import { blake, keyOf, le, readerOf } from './support/reader.ts'
import { account, list, netuid, own, PER_UID, put, type State, subnetOf, vector } from './support/subnet-state.ts'

const block = { number: 1_000 as Block, hash: `0x${'00'.repeat(32)}` as Hex }
const newest = fixtures.at(-1)
if (newest === undefined) throw new Error('no metadata')
const runtime = runtimeOf(newest.file, newest.spec)

const read = (state: State): Promise<Metagraph> =>
  readMetagraph(readerOf(runtime, state, { SubnetInfoRuntimeApi_get_subnet_state: '0x00' }), netuid, block)
const refused = (why: RegExp) => ({ code: 'CHAIN_METAGRAPH', message: expect.stringMatching(why), retryable: true })

describe('a metagraph that cannot be', () => {
  it('hotkey with two uids is refused by both uids', async () => {
    const state = subnetOf(5)
    put(state, 4, account(2))
    await expect(read(state)).rejects.toMatchObject(refused(/has the uids 1 and 4/))
  })

  it('uid without a hotkey is refused', async () => {
    const state = subnetOf(5)
    state.delete(keyOf('SubtensorModule.Keys', le(netuid, 2), le(3, 2)))
    await expect(read(state)).rejects.toMatchObject(refused(/uid 3 of 5 has no hotkey/))
  })

  it.each(PER_UID)('%s of another length than there are uids is refused', async (name, bytes) => {
    for (const length of [4, 6]) {
      const state = subnetOf(5)
      vector(state, name, length, bytes)
      await expect(read(state)).rejects.toMatchObject(refused(new RegExp(`${name} has ${length} entries for 5 uids`)))
    }
  })

  it.each(['Active', 'LastUpdate', 'ValidatorPermit'])('%s that is missing is refused', async (name) => {
    const state = subnetOf(5)
    state.delete(keyOf(`SubtensorModule.${name}`, le(netuid, 2)))
    await expect(read(state)).rejects.toMatchObject(refused(new RegExp(`${name} has 0 entries`)))
  })

  it('block number beyond all numbers is refused', async () => {
    const state = subnetOf(2)
    vector(state, 'LastUpdate', 2, 8)
    own(state, 'LastUpdate', list([le(2n ** 63n, 8), le(1, 8)]))
    await expect(read(state)).rejects.toMatchObject(refused(/last update of uid 0/))
  })
})

describe('a metagraph at its edges', () => {
  it('subnet before its first epoch has shares of zero', async () => {
    const state = subnetOf(3)
    for (const name of ['Incentive', 'Dividends', 'Consensus', 'ValidatorTrust', 'Emission'])
      state.delete(keyOf(`SubtensorModule.${name}`, le(netuid, 2)))
    const { neurons } = await read(state)
    for (const neuron of neurons)
      expect(neuron).toMatchObject({ incentive: 0, dividends: 0, consensus: 0, validatorTrust: 0, emission: 0n })
  })

  it('subnet without a neuron, with a tempo of zero, or without stake is read as it is', async () => {
    expect((await read(subnetOf(0))).neurons).toEqual([])
    const state = subnetOf(2)
    own(state, 'Tempo', le(0, 2))
    state.delete(keyOf('SubtensorModule.SubnetEpochIndex', le(netuid, 2)))
    const graph = await read(state)
    expect(graph.tempo).toBe(0 as Blocks)
    expect(Number.isSafeInteger(graph.epochIndex)).toBe(true)
    expect(graph.neurons.map(({ totalStake, alphaStake }) => [totalStake, alphaStake])).toEqual([
      [0n, 0n],
      [0n, 0n],
    ])
  })

  it('4 096 uids are all read, each with its own hotkey', async () => {
    const { neurons } = await read(subnetOf(4_096))
    expect(neurons.length).toBe(4_096)
    expect(new Set(neurons.map(({ hotkey }) => hotkey)).size).toBe(4_096)
    expect(neurons.at(-1)).toMatchObject({ uid: 4_095, registeredAt: 4_096, validatorPermit: true })
  }, 60_000)
})

describe('any bytes for a metagraph', () => {
  it('give a typed refusal or a graph without a hole, for 60 states from a seed', async () => {
    let seed = 7
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((seed / 2 ** 32) * below)
    }
    const outcomes = { read: 0, refused: 0 }
    for (let run = 0; run < 60; run += 1) {
      const state = subnetOf(4)
      const keys = [...state.keys()]
      for (let edit = 0; edit <= random(3); edit += 1) {
        const key = keys[random(keys.length)] as Hex
        const bytes = Buffer.from((state.get(key) ?? '0x').slice(2), 'hex')
        const kind = random(4)
        if (kind === 0) state.delete(key)
        else if (kind === 1) state.set(key, toHex(bytes.subarray(0, random(bytes.length))))
        else if (kind === 2) state.set(key, toHex(Buffer.concat([bytes, Buffer.alloc(random(9), random(256))])))
        else {
          if (bytes.length > 0) bytes[random(bytes.length)] = random(256)
          state.set(key, toHex(bytes))
        }
      }
      try {
        const graph = await read(state)
        outcomes.read += 1
        for (const neuron of graph.neurons) {
          expect(Object.entries(neuron).filter(([, value]) => value === undefined || Number.isNaN(value))).toEqual([])
          for (const share of [neuron.incentive, neuron.dividends, neuron.consensus, neuron.validatorTrust])
            expect(share >= 0 && share <= 1).toBe(true)
        }
      } catch (error) {
        if (!(error instanceof SubnetError)) throw error
        expect(error.code).toMatch(/^CHAIN_(METAGRAPH|DECODE|NO_SUBNET)$/)
        outcomes.refused += 1
      }
    }
    expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(8)
  }, 60_000)
})

describe('a metagraph that is read again and again', () => {
  it('is at each block what a reader that knows nothing reads, whatever changed in between', async () => {
    const state = subnetOf(6)
    const calls = { SubnetInfoRuntimeApi_get_subnet_state: '0x00' as Hex }
    const reader = readerOf(runtime, state, calls)
    const changes: (() => void)[] = [
      () => put(state, 3, account(40)), // another hotkey takes uid 3
      () => state.set(keyOf('SubtensorModule.BlockAtRegistration', le(netuid, 2), le(3, 2)), toHex(le(900, 8))),
      () => put(state, 3, account(4)), // and the first one comes back
      () => state.set(keyOf('SubtensorModule.TotalHotkeyAlpha', blake(account(1)), le(netuid, 2)), toHex(le(77, 8))),
      () => state.delete(keyOf('SubtensorModule.TotalHotkeyAlpha', blake(account(1)), le(netuid, 2))),
      () => vector(state, 'Incentive', 6, 2, 9_000),
      () => state.set(keyOf('SubtensorModule.Owner', blake(account(2))), toHex(account(55))),
      () => {
        own(state, 'SubnetworkN', le(7, 2))
        for (const [name, bytes] of PER_UID) vector(state, name, 7, bytes)
        put(state, 6, account(7))
      },
    ]
    for (const change of changes) {
      change()
      const seen = await readMetagraph(reader, netuid, block)
      expect(seen).toEqual(await readMetagraph(readerOf(runtime, state, calls), netuid, block))
    }
  })

  it('keeps no value that other code wrote', () => {
    const memo = createMemo()
    const read = (specVersion: number, value: string): unknown => {
      memo.key('item', specVersion, () => '0x01')
      return memo.value('item', specVersion, '0xff', () => value)
    }
    expect([read(1, 'a'), read(1, 'b'), read(2, 'c'), read(1, 'd')]).toEqual(['a', 'a', 'c', 'd'])
    memo.key('item', 2, () => '0x02')
    expect(memo.value('item', 1, '0xff', () => 'e')).toBe('e')
  })
})
