import { allPoints, isSeldom } from './points.ts'
import type { RunOptions } from './run.ts'

/** What a seed decides, but for its folder and what is said. */
export type SeedPlan = Omit<RunOptions, 'folder' | 'say' | 'keepFolder'>

const METHODS = ['open', 'salted', 'timelocked'] as const

/** Epochs of one seed in the long form. */
export const EPOCHS = 50
/** Seeds of the long form: 22 × 50 epochs. */
export const SEEDS = 22

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
})

/** The short form: a few epochs in which a validator is killed at the writes that every run comes to, and its link and its chain fail once. */
export const SHORT: SeedPlan = {
  ...planOf(1),
  seed: 7,
  epochs: 4,
  validators: 1,
  faultEvery: 12,
  faults: ['link-cut', 'kill-chain', 'link-swallow', 'miner-joins'],
  method: 'open',
  keepEpochs: 4,
}
