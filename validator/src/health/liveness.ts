import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { LoopCounts } from './board.ts'

/** What the guard's thread reads of the main thread; see `Board`. */
export interface Watched {
  beats(): number
  isStopping(): boolean
  counts(loop: number): LoopCounts
}

/** How long a loop may take. */
export interface LoopBounds {
  readonly name: string
  /** Milliseconds of one step. */
  readonly stepMs: number
  /** Milliseconds between two steps; null where nothing may come for any time. */
  readonly idleMs: number | null
}

export interface LivenessOptions {
  readonly watched: Watched
  readonly clock: Clock
  /** The main thread's silence after which it hangs. */
  readonly hangMs: number
  /** Time that stopping may take. */
  readonly stopMs: number
  /** Pause between two looks. */
  readonly tickMs: number
}

/** One loop as `/livez` shows it; seconds count while this process runs, so a suspended machine adds none. */
export interface LoopStatus {
  readonly loop: string
  readonly state: 'idle' | 'busy' | 'overdue'
  /** In this state. */
  readonly seconds: number
  /** Since the last step ended; null before the first. */
  readonly lastStepSeconds: number | null
  readonly done: number
  readonly failed: number
  readonly failedInRow: number
}

export interface Liveness {
  readonly live: boolean
  /** Since the main thread gave its last sign of life. */
  readonly silentSeconds: number
  readonly loops: readonly LoopStatus[]
}

/** Watches another thread by looking again and again. */
export interface Watch {
  /** Begins to watch a loop, by its number on the board. */
  add(loop: number, bounds: LoopBounds): void
  /** Looks. @returns why the process has to be ended now; null while it has not */
  look(): SubnetError | null
  status(): Liveness
}

/** What a loop may take beyond its own bound before it counts as dead: supervision ends it first. */
const SLACK_MS = 75_000
/** Silence of the main thread that makes `/livez` red, where the process is not ended sooner: long garbage collections take a second or two. */
const SILENT_MS = 10_000

interface Seen {
  readonly bounds: LoopBounds
  begun: number
  ended: number
  busy: boolean
  /** Time in the present state, and since the last end of a step. */
  inStateMs: number
  sinceEndMs: number | null
}

/**
 * Creates a watch. Time counts only as far as this thread ran itself: of a longer gap between two looks, as after a suspended machine or a
 * stopped process, two ticks count.
 */
export function createWatch({ watched, clock, hangMs, stopMs, tickMs }: LivenessOptions): Watch {
  const loops = new Map<number, Seen>()
  let lookedAt = clock.monotonic()
  let beats = watched.beats()
  let silentMs = 0
  let stoppingMs = 0

  const lookAt = (number: number, seen: Seen, ms: number): void => {
    const counts = watched.counts(number)
    const ended = counts.done + counts.failed
    if (counts.begun !== seen.begun || counts.busy !== seen.busy || ended !== seen.ended) seen.inStateMs = 0
    else seen.inStateMs += ms
    if (ended !== seen.ended) seen.sinceEndMs = 0
    else if (seen.sinceEndMs !== null) seen.sinceEndMs += ms
    seen.begun = counts.begun
    seen.ended = ended
    seen.busy = counts.busy
  }

  return {
    add: (loop, bounds) =>
      void loops.set(loop, { bounds, begun: 0, ended: 0, busy: false, inStateMs: 0, sinceEndMs: null }),
    look: () => {
      const now = clock.monotonic()
      const ms = Math.min(now - lookedAt, 2 * tickMs)
      lookedAt = now
      const beaten = watched.beats()
      silentMs = beaten === beats ? silentMs + ms : 0
      beats = beaten
      if (watched.isStopping()) stoppingMs += ms
      for (const [number, seen] of loops) lookAt(number, seen, ms)
      if (silentMs > hangMs) return hung(silentMs)
      return stoppingMs > stopMs ? unstoppable(stoppingMs) : null
    },
    status: () => {
      const all = [...loops].map(([number, seen]) => statusOf(seen, watched.counts(number)))
      const live = silentMs <= Math.min(hangMs / 2, SILENT_MS) && all.every(({ state }) => state !== 'overdue')
      return { live, silentSeconds: seconds(silentMs), loops: all }
    },
  }
}

function statusOf(seen: Seen, { done, failed, failedInRow }: LoopCounts): LoopStatus {
  const { name, stepMs, idleMs } = seen.bounds
  const bound = seen.busy ? stepMs : idleMs
  const isOverdue = bound !== null && seen.inStateMs > bound + SLACK_MS
  return {
    loop: name,
    state: isOverdue ? 'overdue' : seen.busy ? 'busy' : 'idle',
    seconds: seconds(seen.inStateMs),
    lastStepSeconds: seen.sinceEndMs === null ? null : seconds(seen.sinceEndMs),
    done,
    failed,
    failedInRow,
  }
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10

const hung = (ms: number): SubnetError =>
  new SubnetError({
    code: 'VALIDATOR_HUNG',
    message: `the main thread gave no sign of life for ${seconds(ms)} s; the process is killed, so that it is started again. Report this if it repeats; on a slow machine raise --hang-after`,
  })

const unstoppable = (ms: number): SubnetError =>
  new SubnetError({
    code: 'VALIDATOR_UNSTOPPABLE',
    message: `stopping did not finish within ${seconds(ms)} s; the process is killed, and what it had not finished is taken up at the next start`,
  })
