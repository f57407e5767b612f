import type { ChainClient } from '@arbor/chain/client/types'
import type { Signer } from '@arbor/shared/signer'
import type { Block, Hex } from '@arbor/shared/units'
import inference from '@arbor/subnet-spec/inference-tiny'
import { describe, expect, test } from 'vitest'
import type { ChainView } from '../../src/chain-view.ts'
import type { Ledger } from '../../src/ledger.ts'
import { createPrecedence } from '../../src/precedence.ts'
import { type RoundLoopDeps, runDue } from '../../src/rounds/loop.ts'
import { ROUND_TRANSITIONS, type RoundState } from '../../src/rounds/machine.ts'
import { hyperparameters } from '../fixtures.ts'
import { answered, begin, graph, keys, never, setUp, termsOf } from './support.ts'

/** Two miners whose values noise could have ranked: they are asked again, twice at most. */
const spec = { ...inference, repeats: { k: 1, most: 2 } }
const hashOf = (block: number): Hex => (block === 100 ? graph.block.hash : `0x${block.toString(16).padStart(64, '0')}`)
const HEAD = 102
/** Rounds of 50 blocks, so that there is time to repeat. */
const tempo = 100

class Killed extends Error {}

/** A validator on a chain whose head stands where it is put; `head` may be moved. */
const validator = (over: Partial<RoundLoopDeps> = {}, ledger: Ledger = setUp().ledger) => {
  const asked: string[] = []
  const chain = { head: HEAD }
  const refOf = (number: number) => ({ number: number as Block, hash: hashOf(number) })
  const metagraph = () => ({ ...graph, block: refOf(chain.head), tempo: tempo as never })
  const view: ChainView = {
    now: () => ({ metagraph: metagraph(), hyperparameters: hyperparameters(), me: graph.neurons[0] }),
    after: () => Promise.reject(new Error('unused')),
  }
  const deps: RoundLoopDeps = {
    ...setUp().deps,
    spec,
    ledger,
    view,
    keep: () => Promise.reject(new Error('unused')),
    chain: {
      genesisHash: hashOf(0),
      blockHash: async (number: Block) => hashOf(number),
      metagraph: async () => ({ ...graph, block: refOf(100) }),
      finalized: async () => refOf(chain.head),
      best: async () => refOf(chain.head - 1),
      heads: () => Promise.reject(new Error('unused')),
    } as never as ChainClient,
    hotkey: { address: keys.me } as Signer,
    registered: () => undefined,
    precedence: createPrecedence(),
    ask: async (task) => {
      asked.push(`${task.uid} ${task.seed}`)
      return { ...answered, body: Buffer.from(JSON.stringify({ text: `${task.uid}` })) }
    },
    judge: async ({ response }) => {
      const first = Buffer.from(response).toString().includes('1')
      return { reason: 'ok', value: first ? 0.6 : 0.5, sigma: 0.2 }
    },
    ...over,
  }
  return { deps, asked, chain, ledger }
}

/** Throws before or after the ledger's nth write that leads to a state. */
const killing = (ledger: Ledger, at: { to: RoundState; when: 'before' | 'after'; nth: number }): Ledger => {
  let left = at.nth
  const watched =
    <A extends unknown[]>(write: (...args: A) => void, stateOf: (...args: A) => RoundState) =>
    (...args: A): void => {
      const isIt = stateOf(...args) === at.to && --left === 0
      if (isIt && at.when === 'before') throw new Killed()
      write(...args)
      if (isIt) throw new Killed()
    }
  return {
    ...ledger,
    beginRound: watched(ledger.beginRound, ({ state }) => state),
    moveRound: watched(ledger.moveRound, (_, { state }) => state),
    recordRound: watched(ledger.recordRound, ({ state }) => state),
  }
}

const points = Object.values(ROUND_TRANSITIONS)
  .flat()
  .filter((to, index, all) => to !== 'dropped' && all.indexOf(to) === index)
  .flatMap((to) => (['before', 'after'] as const).map((when) => ({ to, when })))

describe('a round that was killed', () => {
  test.each(
    points
      .flatMap((point) => [1, 2].map((nth) => ({ ...point, nth })))
      .filter(({ to, nth }) => to !== 'recorded' || nth === 1),
  )('$when its move $nth to $to ends as one that was not, and asks nobody twice', async (at) => {
    const whole = validator()
    await runDue(whole.deps, never)
    const { deps, asked, ledger } = validator()
    await expect(runDue({ ...deps, ledger: killing(ledger, at) }, never)).rejects.toThrow(Killed)
    await runDue(deps, never)
    expect(asked).toEqual(whole.asked)
    expect(new Set(asked).size).toBe(asked.length)
    expect(ledger.scoreState()).toEqual(whole.ledger.scoreState())
    expect(ledger.openRound()).toBeNull()
    expect(ledger.scores().map(({ uid, samples }) => [uid, samples])).toEqual([
      [1, 3],
      [3, 3],
    ])
  })

  test('while it asked asks only those whose answers were not kept', async () => {
    const { deps, asked, ledger } = validator()
    begin(ledger, { ...termsOf({ block: 100, length: 50 }), tempo: tempo as never })
    const stop = new AbortController()
    const ask: RoundLoopDeps['ask'] = async (task, signal) => {
      if (task.uid === 1) return deps.ask(task, signal)
      setTimeout(() => stop.abort(new Killed()), 1)
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      return answered
    }
    await expect(runDue({ ...deps, ask }, stop.signal)).rejects.toThrow(Killed)
    expect(ledger.openRound()).toMatchObject({ state: 'planned' })
    await runDue({ ...deps, spec: inference }, never)
    expect(asked.map((task) => task.slice(0, 1))).toEqual(['1', '3'])
  })

  test('draws by the block after the answers, however much later it goes on', async () => {
    const { deps, ledger, chain } = validator()
    const at = { to: 'answered', when: 'after', nth: 1 } as const
    await expect(runDue({ ...deps, ledger: killing(ledger, at) }, never)).rejects.toThrow(Killed)
    chain.head = 140
    const drawn: (Block | undefined)[] = []
    const receipts = {
      write: (receipt: { drawn: { block: { number: Block } } | null }) => void drawn.push(receipt.drawn?.block.number),
    }
    await runDue({ ...deps, spec: inference, receipts }, never)
    expect(drawn).toEqual([HEAD, HEAD])
  })
})

describe('a round that comes back too late', () => {
  const interrupted = async (to: RoundState) => {
    const made = validator()
    const at = { to, when: 'after', nth: 1 } as const
    await expect(runDue({ ...made.deps, ledger: killing(made.ledger, at) }, never)).rejects.toThrow(Killed)
    return made
  }
  const recorded = (ledger: Ledger) => ledger.lastRoundBlock()

  test('is dropped while it asks once the next has begun, and that one runs', async () => {
    const { deps, chain, ledger } = await interrupted('planned')
    chain.head = 150
    await runDue(deps, never)
    expect([recorded(ledger), ledger.lastBegunBlock()]).toEqual([150, 150])
    expect(ledger.scoreState().rounds).toEqual([150])
  })

  test('is judged for a round longer when its answers are there, and then dropped', async () => {
    const judged = await interrupted('answered')
    judged.chain.head = 199
    await runDue(judged.deps, never)
    expect(judged.ledger.scoreState().rounds).toEqual([150, 100])
    const dropped = await interrupted('answered')
    dropped.chain.head = 200
    await runDue(dropped.deps, never)
    expect(dropped.ledger.scoreState().rounds).toEqual([200])
  })

  test('is dropped when the validator was upgraded to another version of the spec, which asked something else', async () => {
    const { deps, ledger } = await interrupted('answered')
    await runDue({ ...deps, spec: { ...spec, version: spec.version + 1 } }, never)
    expect([ledger.openRound(), recorded(ledger)]).toEqual([null, null])
  })

  test('is dropped when its block is another on this chain', async () => {
    const { deps, ledger, asked } = await interrupted('answered')
    const asks = asked.length
    const chain = { ...deps.chain, blockHash: async () => hashOf(7) }
    await runDue({ ...deps, chain }, never)
    expect([ledger.openRound(), recorded(ledger), asked.length]).toEqual([null, null, asks])
  })
})

test('a round that would start while another runs is skipped', async () => {
  const { deps, chain, ledger } = validator({ spec: inference })
  const ask: RoundLoopDeps['ask'] = async (task, signal) => {
    chain.head = 210 // two rounds go by
    return deps.ask(task, signal)
  }
  await runDue({ ...deps, ask }, never)
  await runDue(deps, never)
  expect(ledger.scoreState().rounds).toEqual([200, 100])
})

test('the metagraph of a round is read once, however often its miners are asked', async () => {
  const { deps, asked } = validator()
  let reads = 0
  const chain = {
    ...deps.chain,
    metagraph: (...of: Parameters<ChainClient['metagraph']>) => {
      reads += 1
      return deps.chain.metagraph(...of)
    },
  }
  await runDue({ ...deps, chain }, never)
  expect([asked.length, reads]).toEqual([6, 1])
})
