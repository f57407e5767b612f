import type { Clock } from '@arbor/shared/clock'
import type { UnixMs } from '@arbor/shared/units'

/** What somebody is woken for. */
export const ALARMS = [
  'weights-missing',
  'weights-wrong',
  'stale-chain',
  'chain-upgrade',
  'loop-failing',
  'ended',
] as const
export type Alarm = (typeof ALARMS)[number]

/** Whether something is wrong now, and what. */
export interface Condition {
  readonly alarm: Alarm
  /** null where it is not known: what was told stays as it is. */
  readonly isActive: boolean | null
  /** One line: what happened, the value, what to do. */
  readonly message: string
}

/** What is posted, once when an alarm begins and once when it is over. */
export interface Notice {
  readonly alarm: Alarm
  readonly state: 'firing' | 'resolved'
  readonly at: UnixMs
  readonly message: string
}

/** Alarms that are on, as they survive a restart. */
export type Firing = Readonly<Partial<Record<Alarm, { readonly since: UnixMs; readonly message: string }>>>

export interface Alarms {
  /** Takes what holds now. @returns the notices that follow, mostly none */
  update(conditions: readonly Condition[]): readonly Notice[]
  firing(): Firing
}

/** Time for which an alarm has to be clear before it counts as over, so that one that flutters is told of once. */
export const CLEAR_MS = 60_000

/** Creates alarms: each is told once, and again only after it was over. */
export function createAlarms({
  clock,
  before = {},
}: {
  readonly clock: Clock
  /** Alarms that were on when the process before ended: they are not told again. */
  readonly before?: Firing
}): Alarms {
  const on = new Map<Alarm, { readonly since: UnixMs; readonly message: string; clearAt: number | null }>()
  for (const alarm of ALARMS) {
    const known = before[alarm]
    if (known !== undefined) on.set(alarm, { ...known, clearAt: null })
  }
  const one = ({ alarm, isActive, message }: Condition): Notice | null => {
    const known = on.get(alarm)
    const at = clock.now()
    if (isActive && known === undefined) {
      on.set(alarm, { since: at, message, clearAt: null })
      return { alarm, state: 'firing', at, message }
    }
    if (known === undefined || isActive === null) return null
    if (isActive) known.clearAt = null
    else known.clearAt ??= clock.monotonic()
    if (known.clearAt === null || clock.monotonic() - known.clearAt < CLEAR_MS) return null
    on.delete(alarm)
    return { alarm, state: 'resolved', at, message: `over after ${lasted(at - known.since)}: ${known.message}` }
  }
  return {
    update: (conditions) => conditions.map(one).filter((notice) => notice !== null),
    firing: () => Object.fromEntries([...on].map(([alarm, { since, message }]) => [alarm, { since, message }])),
  }
}

/** Wall time may have jumped: a negative time is none. */
const lasted = (ms: number): string => {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
