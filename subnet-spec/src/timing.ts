/** When a response came, as its asker measured it. */
export interface MeasuredTiming {
  /** From the request's last byte written to the answer's last byte read. */
  readonly totalMs: number
  /** The deadline that the request named. */
  readonly deadlineMs: number
}

/** What `score` is told of a response's time: validators at other distances see the same class, but for answers close to its end. */
export interface Timing {
  /** Counts from 0, the fastest; as many as the task's `timing` has shares when it came after the last of them. */
  readonly class: number
}

/**
 * Finds the class of a measured time: the first share of the deadline that it does not exceed.
 * @param shares ascending, as the task declares them; without any there is one class
 */
export const timingOf = (shares: readonly number[] | undefined, { totalMs, deadlineMs }: MeasuredTiming): Timing => {
  const within = (shares ?? []).findIndex((share) => totalMs <= share * deadlineMs)
  return { class: within === -1 ? (shares?.length ?? 0) : within }
}
