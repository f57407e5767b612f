import type { AdamWTerms } from '@arbor/shared/training'
import type { GauntletTerms, PhaseTerms, RatingTerms, TrainingTerms } from './types.ts'

/** Inner optimiser of both built-in subnets. */
export const ADAMW: AdamWTerms = {
  learningRate: 3e-3,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0,
  clipNorm: 1,
}

/** Half of a round to train, a third to judge, and what is left to merge. */
export const PHASES: PhaseTerms = { publish: 0.5, vote: 0.85 }

/** Limits of the Gauntlet as `bench/finetune-separation.ts` found them; docs/finetune.md. */
export const GAUNTLET: GauntletTerms = {
  batches: 4,
  margin: 0.25,
  copyCosine: 0.5,
  segments: 5,
  replayShare: 0.5,
  tolerance: 0.25,
  noise: 2,
  normRange: 4,
}

/** OpenSkill's defaults; the bar stands at 70 % of a typical lead. */
export const RATING: RatingTerms = { mu: 25, sigma: 25 / 3, beta: 25 / 6, tau: 25 / 300, bar: 0.35 }

/** What the built-in subnets train by, but for the data. */
export const FINETUNE_TERMS: Omit<TrainingTerms, 'data'> = {
  local: { steps: 10, batch: 4, length: 64, accumulate: 1, adamw: ADAMW },
  optimiser: { kind: 'sparseloco', outer: { learningRate: 1.5, momentum: 0 }, chunk: 4_096, k: 128, feedback: 0.95 },
  phases: PHASES,
  gauntlet: GAUNTLET,
  rating: RATING,
  limits: { updateBytes: 262_144, checkpointEvery: 8 },
}

/** The same with the least of everything, for tests. */
export const TINY_TERMS: Omit<TrainingTerms, 'data'> = {
  ...FINETUNE_TERMS,
  local: { ...FINETUNE_TERMS.local, steps: 4 },
  gauntlet: { ...GAUNTLET, segments: 2 },
  limits: { ...FINETUNE_TERMS.limits, checkpointEvery: 2 },
}
