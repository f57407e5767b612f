import { decodeUpdate, encodeUpdate } from '../update.ts'
import type { TrainingAttack, Writing } from './types.ts'
import { NO_WORK, noiseLike } from './work.ts'

/** Noise on a copy, as a share of the root mean square of what it sends. */
const NOISE = 0.3

/** Sends another's update under its own name. */
export const copy: TrainingAttack = {
  name: 'copy',
  does: "sends another miner's update under its own head",
  gains: 'all of the work',
  caughtBy: ['copy', 'unassigned', 'untrained'],
  work: NO_WORK,
  needs: 'victim',
  write: (of) => (of.victim === null ? null : restamp(of, of.victim)),
}

/** Sends another's update with noise over it. */
export const noisyCopy: TrainingAttack = {
  name: 'noisy-copy',
  does: "sends another miner's update with noise over it",
  gains: 'all of the work',
  caughtBy: ['copy', 'unassigned', 'untrained'],
  work: NO_WORK,
  needs: 'victim',
  write: (of) => {
    if (of.victim === null) return null
    const progress = of.optimiser.decode(payloadOf(of, of.victim))
    const sent = progress.filter((value) => value !== 0)
    let square = 0
    for (const value of sent) square += value * value
    const rms = NOISE * Math.sqrt(square / Math.max(1, sent.length))
    const noise = noiseLike({ length: progress.length, rms, draws: of.draws })
    for (const [index, value] of noise.entries()) progress[index] = (progress[index] ?? 0) + value
    const { payload } = of.optimiser.encode({ progress, carried: new Float32Array(progress.length) })
    return encodeUpdate({ head: of.head, payload })
  },
}

/** Sends the file of the round before. */
export const stale: TrainingAttack = {
  name: 'stale',
  does: 'commits to the file of the round before',
  gains: 'every second round',
  caughtBy: ['stale'],
  work: NO_WORK,
  needs: 'last',
  write: ({ last }) => last,
}

/** Sends the update of the round before under this round's head. */
export const restamped: TrainingAttack = {
  name: 'restamped',
  does: "sends its update of the round before under this round's head",
  gains: 'every second round',
  caughtBy: ['copy', 'unassigned', 'harmful'],
  work: NO_WORK,
  needs: 'last',
  write: (of) => (of.last === null ? null : restamp(of, of.last)),
}

const payloadOf = ({ limits }: Writing, file: Uint8Array): Uint8Array =>
  decodeUpdate({ file, maxBytes: limits.updateBytes }).payload

const restamp = (of: Writing, file: Uint8Array): Uint8Array =>
  encodeUpdate({ head: of.head, payload: payloadOf(of, file) })
