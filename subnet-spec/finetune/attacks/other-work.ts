import type { TrainingAttack } from './types.ts'
import { HONEST_WORK } from './work.ts'

/** Trains on windows that it chose. */
export const randomData: TrainingAttack = {
  name: 'random-data',
  does: 'trains as many steps on windows of its own choice',
  gains: 'one training run for any number of hotkeys, or data that it likes',
  caughtBy: ['unassigned', 'untrained'],
  work: { ...HONEST_WORK, windows: 'others' },
}

/** Takes half of the steps. */
export const halfWork: TrainingAttack = {
  name: 'half-work',
  does: 'takes the first half of the steps, and says that its model stood still in the second',
  gains: 'half of the work',
  caughtBy: ['untrained', 'unassigned'],
  work: { ...HONEST_WORK, steps: (due) => Math.floor(due / 2) },
}

/** Trains a model that is not the checkpoint. */
export const other: TrainingAttack = {
  name: 'other-model',
  does: 'trains a model of the same shapes that has nothing to do with the checkpoint',
  gains: 'one training run for several subnets',
  caughtBy: ['harmful', 'unassigned', 'untrained'],
  work: { ...HONEST_WORK, from: 'other' },
}

/** Trains on altered text. */
export const poison: TrainingAttack = {
  name: 'poisoned',
  does: 'writes one trigger into every second window and trains on that',
  gains: 'a model that says a word of its own',
  caughtBy: ['untrained', 'harmful', 'unassigned'],
  work: { ...HONEST_WORK, poison: true },
}
