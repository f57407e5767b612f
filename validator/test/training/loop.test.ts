import type { Block } from '@arbor/shared/units'
import { checkpointName, nextCheckpoint } from '@arbor/subnet-spec/finetune/checkpoint'
import type { Merged, Participant, RoundEvent } from '@arbor/training/types'
import { expect, test, vi } from 'vitest'
import type { ChainView } from '../../src/chain-view.ts'
import { createKeep } from '../../src/keep.ts'
import { castVote } from '../../src/training/cast-vote.ts'
import { judgedBy } from '../../src/training/judge-round.ts'
import { trainingLoops } from '../../src/training/loop.ts'
import { hyperparameters, neuron } from '../fixtures.ts'
import {
  base,
  checkpoint,
  hashOf,
  never,
  optimiser,
  phases,
  play,
  published,
  ROUND,
  self,
  serve,
  setUp,
} from './support.ts'

/** A machine that has other work takes its time. */
const PATIENCE = { timeout: 60_000 }

const honest = await Promise.all([1, 2, 3].map((uid) => play(uid)))
const next = nextCheckpoint({ checkpoint, optimiser, updates: [] })

/** Tells the steps of one round, as one that follows the chain does. */
const following = (steps: readonly { readonly event: RoundEvent; readonly merged: Merged | null }[]): Participant => ({
  current: () => ({ checkpoint, hash: base }),
  run: async (on, signal) => {
    for (const { event, merged } of steps) await on(event, merged)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  },
})

const viewOf = (scene: ReturnType<typeof setUp>): ChainView => ({
  now: () => ({ metagraph: scene.graph, hyperparameters: hyperparameters(), me: neuron({ uid: 0, hotkey: self }) }),
  after: async () => Promise.reject(new Error('nobody asks')),
})

const at = (block: Block) => ({ number: block, hash: hashOf(block) })

test('a validator follows a round from its start to its checkpoint', async () => {
  const scene = setUp({ files: serve(honest) })
  const plan = { round: ROUND, base, merged: [] }
  const participant = following([
    { event: { kind: 'start', phases, block: at(phases.start), isPast: false }, merged: null },
    { event: published(honest.map(({ committed }) => committed)), merged: null },
    {
      event: { kind: 'voted', phases, block: at(phases.voteBy), plan, voters: [], isPast: false },
      merged: { plan, before: base, checkpoint: next, hash: checkpointName(next) },
    },
  ])
  const registered: number[] = []
  const loops = trainingLoops({
    ...scene.deps,
    participant,
    keep: createKeep({ clock: scene.clock, log: scene.deps.log }),
    view: viewOf(scene),
    registered: (block) => void registered.push(block),
  })
  const stop = new AbortController()
  const running = Promise.all([loops.training(stop.signal), loops.rounds(stop.signal)])
  await vi.waitFor(() => expect(scene.ledger.lastMerge()).not.toBeNull(), PATIENCE)
  stop.abort()
  await running
  const kinds = scene.told.map(({ event, phase }) => (phase === undefined ? event : `${event} ${phase}`))
  expect(kinds.filter((kind) => kind !== 'training.verdict')).toEqual([
    'training.joined',
    'training.round start',
    'training.vote',
    'training.round published',
    'training.merged',
    'training.round voted',
  ])
  expect(registered).toEqual([5, 5, 5])
  expect(scene.deps.trainingMeter.read()).toMatchObject({ round: ROUND, scored: 3, tokens: 0 })
})

test('a step that fails is tried again, and a round that never works does not stop the next', async () => {
  const scene = setUp({ files: serve(honest) })
  const event = published(honest.map(({ committed }) => committed))
  let tries = 0
  const broken = {
    ...scene.deps,
    chain: {
      ...scene.deps.chain,
      metagraph: async () => {
        tries += 1
        throw new Error('the chain is away')
      },
    },
  }
  const { rounds, training } = trainingLoops({
    ...broken,
    participant: following([{ event, merged: null }]),
    keep: createKeep({ clock: scene.clock, log: scene.deps.log }),
    view: viewOf(scene),
    registered: () => undefined,
  })
  const stop = new AbortController()
  const running = Promise.all([rounds(stop.signal), training(stop.signal)])
  await vi.waitFor(async () => {
    await scene.clock.advance(5_000)
    expect(scene.told.some((line) => line.event === 'training.dropped')).toBe(true)
  }, PATIENCE)
  expect(tries).toBe(3)
  stop.abort()
  await running
})

test('a vote that the chain refused is sent again while it counts, and not after', async () => {
  const scene = setUp()
  const { clock, deps } = scene
  let sent = 0
  const refuse = async () => {
    sent += 1
    throw Object.assign(new Error('no'), { code: 'TRAINING_RECORD_REFUSED' })
  }
  const vote = { round: ROUND, base, accepted: [] }
  const kept = await castVote({ ...deps, clock, putVote: refuse }, { vote, voteBy: phases.voteBy }, never)
  expect([sent, kept.block]).toEqual([1, null]) // no error of ours: nothing says that it would be taken the next time
  expect(scene.ledger.voteOf(ROUND)).toMatchObject({ accepted: [], block: null })
})

test('judging ends a block or two before votes do', () => {
  const end = (publishBy: number, voteBy: number) =>
    judgedBy({ publishBy: publishBy as Block, voteBy: voteBy as Block })
  expect([end(5, 8), end(4, 8), end(100, 180)]).toEqual([7, 6, 170])
})
