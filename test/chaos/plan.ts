import type { FaultKind } from './faults.ts'
import { allPoints, isSeldom } from './points.ts'
import type { RunOptions } from './run.ts'

/** What a seed decides, but for its folder and what is said. */
export type SeedPlan = Omit<RunOptions, 'folder' | 'say' | 'keepFolder'>

const METHODS = ['open', 'salted', 'timelocked'] as const

/** Epochs of one seed in the long form. */
export const EPOCHS = 50
/** Seeds of the long form: 22 with every fault, and three with those that bring a run to what it comes to seldom. */
export const SEEDS = 25
const FULL_SEEDS = 22
/** Faults by which rows are lost, expire, are superseded, differ, or are refused. */
const HARD_ON_ROWS: readonly FaultKind[] = [
  'link-swallow',
  'link-deaf',
  'chain-reorg',
  'commit-reveal',
  'reveal-period',
  'rate-limit',
  'signer-away',
  'signer-rival',
  'miners-gone',
  'kill-chain',
]

const SELDOM = allPoints()
  .map(({ name }) => name)
  .filter(isSeldom)

/** Writes that are armed: all that a run comes to seldom, and a third of the others, so that a run is not all starts. */
const pointsOf = (seed: number): readonly string[] =>
  allPoints()
    .map(({ name }) => name)
    .filter((name, index) => isSeldom(name) || index % 3 === seed % 3)

/** The plan of a seed of the long form. All that it does follows from the seed, but for the order in which processes get the machine's time. */
export const planOf = (seed: number): SeedPlan => ({
  seed,
  epochs: EPOCHS,
  validators: seed % 4 === 0 ? 2 : 1,
  faultEvery: 13,
  killChance: 0.3,
  mostKills: 1,
  points: pointsOf(seed),
  method: METHODS[seed % METHODS.length] ?? 'open',
  speed: 40,
  keepEpochs: seed % 2 === 0 ? 6 : 1_000,
  ...(seed > FULL_SEEDS ? { faults: HARD_ON_ROWS, faultEvery: 6, points: SELDOM } : {}),
})

/** The short form: a few epochs in which a validator is killed at the writes that every run comes to, and its link and its chain fail once. */
export const SHORT: SeedPlan = {
  ...planOf(1),
  seed: 7,
  epochs: 6,
  validators: 1,
  faultEvery: 20,
  faults: ['link-swallow', 'kill-chain', 'miner-joins'],
  method: 'open',
  keepEpochs: 4,
}
