import type { TrainingAttack } from './types.ts'
import { HONEST_WORK } from './work.ts'

/** Bytes a second that keep a validator waiting for hours. */
const DRIP = 4

/** Serves so slowly that nobody gets it in time. */
export const slowDrip: TrainingAttack = {
  name: 'slow-drip',
  does: 'serves four bytes a second',
  gains: "validators' connections and time",
  caughtBy: ['unavailable'],
  work: HONEST_WORK,
  serve: () => ({ bytesPerSecond: DRIP }),
}

/** Stops in the middle of a file. */
export const halfServed: TrainingAttack = {
  name: 'half-served',
  does: 'serves the first half of its pieces and refuses the others',
  gains: "validators' time",
  caughtBy: ['unavailable'],
  work: HONEST_WORK,
  serve: ({ of, index, pieces }) => (of === 'update' && index >= Math.floor(pieces / 2) ? 'refuse' : 'serve'),
}

/** Shows its update, and not how it came to it. */
export const withheldStates: TrainingAttack = {
  name: 'withheld-states',
  does: 'serves its update and none of the states that it committed to',
  gains: 'nothing by itself: it hides work that was not done',
  caughtBy: ['withheld'],
  work: HONEST_WORK,
  serve: ({ of }) => (of === 'update' ? 'serve' : 'refuse'),
}
