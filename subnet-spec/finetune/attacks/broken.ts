import { encodeUpdate } from '../update.ts'
import type { TrainingAttack } from './types.ts'
import { HONEST_WORK, NO_WORK } from './work.ts'

/** Sends numbers that are none. */
export const nan: TrainingAttack = {
  name: 'nan',
  does: 'trains nothing and sends numbers that are none',
  gains: 'a model that is broken for everybody',
  caughtBy: ['malformed', 'not-finite'],
  work: NO_WORK,
  write: ({ head, payload }) => encodeUpdate({ head, payload: new Uint8Array(payload.length).fill(0xff) }), // NaN in every float format
}

/** Sends more bytes than an update may have. */
export const oversized: TrainingAttack = {
  name: 'oversized',
  does: 'commits to a file one byte larger than an update may be',
  gains: "validators' disks and links",
  caughtBy: ['malformed', 'unavailable'],
  work: HONEST_WORK,
  write: ({ file, limits }) => {
    const large = new Uint8Array(limits.updateBytes + 1)
    large.set(file)
    return large
  },
}

/** Sends a small file that says that it unfolds into a large one. */
export const bomb: TrainingAttack = {
  name: 'bomb',
  does: 'sends a file whose head promises four thousand million numbers',
  gains: "validators' memory",
  caughtBy: ['malformed'],
  work: NO_WORK,
  write: ({ head, payload }) => encodeUpdate({ head: { ...head, size: 2 ** 32 - 1 }, payload }),
}
