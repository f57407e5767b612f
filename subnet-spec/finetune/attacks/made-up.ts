import type { TrainingAttack } from './types.ts'
import { HONEST_WORK, NO_WORK, noiseLike } from './work.ts'

/** Size of made-up progress: about that of a round of local steps; the Gauntlet evens norms out, so it matters little. */
const RMS = 1e-3

/** Sends an update that changes nothing. */
export const zeros: TrainingAttack = {
  name: 'zeros',
  does: 'trains nothing and sends an update of zeros',
  gains: 'all of the work',
  caughtBy: ['outsized', 'unassigned', 'untrained'],
  work: NO_WORK,
  progress: ({ progress }) => new Float32Array(progress.length),
}

/** Sends noise of an honest size. */
export const noise: TrainingAttack = {
  name: 'noise',
  does: 'trains nothing and sends noise of the size of an honest update',
  gains: 'all of the work',
  caughtBy: ['outsized', 'harmful', 'untrained'],
  work: NO_WORK,
  progress: ({ progress, draws }) => noiseLike({ length: progress.length, rms: RMS, draws }),
}

/** Trains, and sends the opposite. */
export const signFlip: TrainingAttack = {
  name: 'sign-flip',
  does: 'trains as it should and sends the opposite of its progress',
  gains: 'a worse model for everybody',
  caughtBy: ['harmful', 'unassigned', 'untrained'],
  work: HONEST_WORK,
  progress: ({ progress }) => progress.map((value) => -value),
}

/** Trains, and sends ten times as much. */
export const scaled: TrainingAttack = {
  name: 'scaled',
  does: 'trains as it should and sends ten times its progress',
  gains: 'ten times the say in the model, where no length is brought down',
  caughtBy: ['outsized', 'untrained'],
  work: HONEST_WORK,
  progress: ({ progress }) => progress.map((value) => 10 * value),
}
