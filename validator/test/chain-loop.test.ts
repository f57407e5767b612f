import type { BlockRef } from '@arbor/chain/client/types'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { type ChainLoopDeps, DEREGISTERED, followChain } from '../src/chain-loop.ts'
import { createKeep } from '../src/keep.ts'
import { staleRule } from '../src/stale.ts'
import { hyperparameters, metagraph, neuron } from './fixtures.ts'

const me = '5Fhotkey1' as Ss58
const coded = (code: string) => expect.objectContaining({ code })
const hashOf = (number: number, fork = 'a'): Hex => `0x${number.toString(16).padStart(64, fork)}`

/** A chain whose finalised heads a test gives one by one. */
const scripted = () => {
  const state = {
    finalised: 0,
    held: true,
    fork: 'a',
    reads: [] as number[],
    fails: 0,
    known: Number.POSITIVE_INFINITY,
  }
  let wake = Promise.withResolvers<void>()
  const ref = (number: number): BlockRef => ({ number: number as Block, hash: hashOf(number, state.fork) })
  const chain: ChainLoopDeps['chain'] = {
    blockHash: async (number) => (number > state.known ? null : hashOf(number, state.fork)),
    finalized: async () => ref(state.finalised),
    heads: async function* (_kind, signal) {
      const stop = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => stop.resolve())
      for (;;) {
        await Promise.race([wake.promise, stop.promise])
        if (signal.aborted) throw signal.reason
        wake = Promise.withResolvers()
        yield ref(state.finalised)
      }
    },
    metagraph: async (_netuid, at) => {
      if (state.fails > 0) {
        state.fails -= 1
        throw new Error('the endpoint hiccuped')
      }
      state.reads.push(state.finalised)
      return metagraph({
        block: { number: state.finalised as Block, hash: at ?? hashOf(0) },
        neurons: state.held ? [neuron({ hotkey: me })] : [],
      })
    },
    hyperparameters: async () => hyperparameters(),
  }
  return {
    state,
    chain,
    head: (number: number) => {
      state.finalised = number
      wake.resolve()
    },
  }
}

const world = (memory?: ChainLoopDeps['memory']) => {
  const clock = createManualClock()
  const script = scripted()
  const log = createLogger({ name: 'test', level: 'silent' })
  const followed = followChain({
    chain: script.chain,
    netuid: 1 as NetUid,
    hotkey: me,
    clock,
    keep: createKeep({ clock, log }),
    stale: { blocks: 10, ms: 120_000 },
    ...(memory === undefined ? {} : { memory }),
  })
  const stop = new AbortController()
  const running = followed.loop(stop.signal)
  running.catch(() => undefined)
  /** Lets a head come, and the loop read it. */
  const head = async (number: number, ms = 12_000): Promise<void> => {
    script.head(number)
    await clock.advance(ms)
  }
  return { ...script, ...followed, clock, head, running, stop }
}

describe('the view of the chain', () => {
  test('reads metagraph and hyperparameters once a head, and drops heads that came meanwhile', async () => {
    const { state, view, head } = world()
    await head(1)
    await head(5)
    expect([view.now().metagraph.block.number, state.reads]).toEqual([5, [1, 5]])
  })

  test('hands each waiter the newest snapshot that is later than its own', async () => {
    const { view, head } = world()
    const never = new AbortController().signal
    const first = view.after(null, never)
    await head(3)
    const next = view.after(3 as Block, never)
    await head(3)
    await head(7)
    expect([(await first).metagraph.block.number, (await next).metagraph.block.number]).toEqual([3, 7])
    expect((await view.after(6 as Block, never)).metagraph.block.number).toBe(7)
  })

  test('lets a waiter go with the reason of its signal', async () => {
    const { view } = world()
    const stop = new AbortController()
    const waiting = view.after(null, stop.signal)
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })

  test('refuses a metagraph once no newer head has come for the time of its blocks (C-20)', async () => {
    const { view, sight, head, clock } = world()
    expect(() => view.now()).toThrow(coded('VALIDATOR_STALE_CHAIN'))
    expect(sight().isStale).toBe(false)
    await head(1)
    await clock.advance(100_000)
    expect(view.now().metagraph.block.number).toBe(1)
    await clock.advance(20_000)
    expect(() => view.now()).toThrow(coded('VALIDATOR_STALE_CHAIN'))
    expect(sight()).toMatchObject({ isStale: true, behind: 0 })
    await head(2)
    expect(view.now().metagraph.block.number).toBe(2)
  })

  test('refuses a metagraph that is more blocks behind the newest head than may be (C-20)', async () => {
    const { view, head, state, clock } = world()
    await head(1)
    state.fails = 2
    await head(12, 10)
    expect(() => view.now()).toThrow(coded('VALIDATOR_STALE_CHAIN'))
    await clock.advance(5_000)
    await head(13)
    await head(14)
    expect(view.now().metagraph.block.number).toBe(14)
  })

  test('asks for heads anew when none comes, and ends with its reason when that never helps (C-02)', async () => {
    const { head, clock, running, sight } = world()
    await head(1)
    await clock.advance(1_700_000)
    expect(sight().isStale).toBe(true)
    await clock.advance(400_000)
    await expect(running).rejects.toThrow(coded('SUPERVISE_LOOP_ENDED'))
    await expect(running).rejects.toThrow(/"chain" ended: the newest finalised head came \d+ s ago/)
  })

  test('goes on after reads that failed', async () => {
    const { view, head, state, clock } = world()
    state.fails = 3
    for (const number of [1, 2, 3, 4]) await head(number)
    await clock.advance(10_000)
    await head(5)
    expect(view.now().metagraph.block.number).toBe(5)
  })
})

describe('deregistration', () => {
  test('is not believed after one finalised snapshot without our hotkey, nor after a few (C-24)', async () => {
    const { view, head, state } = world()
    await head(1)
    for (let number = 2; number < 2 + DEREGISTERED.missing - 1; number += 1) {
      state.held = false
      await head(number)
      expect(view.now().me).toBeUndefined()
    }
    state.held = true
    await head(20)
    expect(view.now().me?.hotkey).toBe(me)
  })

  test('is believed once so many of the last finalised snapshots say so, and ends the process (C-24)', async () => {
    const { head, state, running } = world()
    await head(1)
    state.held = false
    for (let number = 2; number < 2 + DEREGISTERED.missing; number += 1) {
      state.held = number === 4 // one snapshot that says otherwise does not set it back
      await head(number)
    }
    await head(20)
    await expect(running).rejects.toThrow(coded('VALIDATOR_DEREGISTERED'))
  })

  test('is not believed by reads that fail, however many (C-24)', async () => {
    const { head, state, view } = world()
    await head(1)
    state.fails = 8
    for (let number = 2; number < 12; number += 1) await head(number, 61_000)
    await head(30)
    expect(view.now().me?.hotkey).toBe(me)
  })
})

describe('another fork', () => {
  test('is not followed: its snapshot is refused, and the loop ends with both hashes when it stays', async () => {
    const { head, state, view, running } = world()
    await head(5)
    state.fork = 'b'
    await head(6)
    expect(view.now().metagraph.block.hash).toBe(hashOf(5, 'a'))
    for (let number = 7; number < 60; number += 1) await head(number, 61_000)
    await expect(running).rejects.toThrow(coded('SUPERVISE_BUDGET_SPENT'))
    await expect(running).rejects.toThrow(new RegExp(`was final as ${hashOf(5, 'a')}.*${hashOf(5, 'b')}`))
  })

  test('is waited out when the chain only is behind what it had', async () => {
    const { head, state, view } = world()
    await head(9)
    state.known = 4 // an endpoint that was put back to an older block
    await head(4)
    expect(view.now().metagraph.block.number).toBe(9)
    state.known = 100
    await head(10)
    expect(view.now().metagraph.block.number).toBe(10)
  })
})

describe('how old a metagraph may be', () => {
  const chainOf = (head: number, blockMs: number) => ({
    finalized: async () => ({ number: head as Block, hash: hashOf(head) }),
    blockHash: async (number: Block) => hashOf(number),
    read: async (_pallet: string, _item: string, _keys?: readonly unknown[], at?: Hex) =>
      BigInt(Math.round(Number.parseInt((at ?? '').replaceAll(/^0x(a*)/g, '') || '0', 16) * blockMs)),
  })

  test('follows from the time of a block: two minutes, and ten blocks at least', async () => {
    expect(await staleRule(chainOf(100, 12_000), undefined)).toEqual({ blocks: 10, ms: 120_000 })
    expect(await staleRule(chainOf(100, 1_000), undefined)).toEqual({ blocks: 120, ms: 120_000 })
    expect(await staleRule(chainOf(100, 30_000), undefined)).toEqual({ blocks: 10, ms: 300_000 })
  })

  test('is what the operator says', async () => {
    expect(await staleRule(chainOf(100, 12_000), 3)).toEqual({ blocks: 3, ms: 36_000 })
  })

  test('takes 12 s a block where the chain is too young to tell', async () => {
    expect(await staleRule(chainOf(1, 1_000), undefined)).toEqual({ blocks: 10, ms: 120_000 })
  })
})

describe('a validator that is started again', () => {
  const held = () => {
    let newest: BlockRef | null = null
    return {
      newestSeen: () => newest,
      keepSeen: (block: BlockRef) => {
        newest = block
      },
    }
  }
  const seenUpTo = async (number: number) => {
    const memory = held()
    const before = world(memory)
    await before.head(number)
    expect(memory.newestSeen()).toEqual({ number, hash: hashOf(number) })
    return memory
  }

  test('decides nothing on another fork than the one that it saw last', async () => {
    const memory = await seenUpTo(7)
    const { state, view, head } = world(memory)
    state.fork = 'b'
    await head(9)
    expect(() => view.now()).toThrow(coded('VALIDATOR_STALE_CHAIN'))
    expect(memory.newestSeen()).toEqual({ number: 7, hash: hashOf(7) })
  })

  test('decides nothing by a chain that has not reached the newest block that it saw, and goes on when it has', async () => {
    const memory = await seenUpTo(7)
    const { view, head, clock } = world(memory)
    await head(5)
    expect(() => view.now()).toThrow(coded('VALIDATOR_STALE_CHAIN'))
    await clock.advance(5_000)
    await head(8)
    expect(view.now().metagraph.block.number).toBe(8)
  })
})
