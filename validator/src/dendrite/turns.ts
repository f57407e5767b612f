/** Waits for a turn of the loop of one's own. */
export type Turn = () => Promise<void>

/** Turns, and whether somebody waits for one. */
export interface Turns {
  readonly turn: Turn
  isBusy(): boolean
}

/**
 * Creates turns, one a pass of the event loop. Answers that came together are all read, and timed, before the first of them is
 * verified, and sockets are looked at between one verification and the next: no answer is timed by what others cost us.
 */
export const createTurns = (): Turns => {
  const waiting: (() => void)[] = []
  const next = (): void => {
    waiting.shift()?.()
    if (waiting.length > 0) setImmediate(next)
  }
  return {
    turn: () =>
      new Promise((resolve) => {
        waiting.push(resolve)
        if (waiting.length === 1) setImmediate(next)
      }),
    isBusy: () => waiting.length > 0,
  }
}
