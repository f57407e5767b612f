import type { StepListener } from '@arbor/shared/supervise'

/** Loops that a board has room for. */
export const MOST_LOOPS = 16
const BEATS = 0
const STOPPING = 1
const FIRST = 2
const BEGUN = 0
const DONE = 1
const FAILED = 2
const IN_ROW = 3
const BUSY = 4
const EACH = 5

/** What the main thread writes and the guard's thread reads: counters that only grow, since two threads share no clock. */
export interface Board {
  readonly buffer: SharedArrayBuffer
  /** The main thread is alive. */
  beat(): void
  /** The process is to end; says the guard's thread, too. */
  stopping(): void
  /** Makes the listener of the loop with this number. @throws RangeError beyond the board's room */
  listener(loop: number): StepListener
}

/** What stands on a board about one loop. */
export interface LoopCounts {
  readonly begun: number
  readonly done: number
  readonly failed: number
  readonly failedInRow: number
  readonly busy: boolean
}

/** Creates a board, or opens that of another thread. */
export const openBoard = (
  buffer = new SharedArrayBuffer((FIRST + EACH * MOST_LOOPS) * Int32Array.BYTES_PER_ELEMENT),
): Board & { beats(): number; isStopping(): boolean; counts(loop: number): LoopCounts } => {
  const cells = new Int32Array(buffer)
  const at = (loop: number, cell: number): number => {
    if (loop < 0 || loop >= MOST_LOOPS) throw new RangeError(`a board has room for ${MOST_LOOPS} loops`)
    return FIRST + loop * EACH + cell
  }
  const read = (loop: number, cell: number): number => Atomics.load(cells, at(loop, cell))
  const add = (loop: number, cell: number): void => void Atomics.add(cells, at(loop, cell), 1)
  const set = (loop: number, cell: number, value: number): void => void Atomics.store(cells, at(loop, cell), value)
  return {
    buffer,
    beat: () => void Atomics.add(cells, BEATS, 1),
    stopping: () => void Atomics.store(cells, STOPPING, 1),
    listener: (loop) => {
      at(loop, 0)
      return {
        begun: () => {
          set(loop, BUSY, 1)
          add(loop, BEGUN)
        },
        done: () => {
          set(loop, BUSY, 0)
          set(loop, IN_ROW, 0)
          add(loop, DONE)
        },
        failed: () => {
          set(loop, BUSY, 0)
          add(loop, IN_ROW)
          add(loop, FAILED)
        },
      }
    },
    beats: () => Atomics.load(cells, BEATS),
    isStopping: () => Atomics.load(cells, STOPPING) === 1,
    counts: (loop) => ({
      begun: read(loop, BEGUN),
      done: read(loop, DONE),
      failed: read(loop, FAILED),
      failedInRow: read(loop, IN_ROW),
      busy: read(loop, BUSY) === 1,
    }),
  }
}
