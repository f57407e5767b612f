import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'
import type { Logger } from 'pino'
import type { Keep } from '../keep.ts'
import { readAlarmFile, writeAlarmFile } from './alarm-file.ts'
import { createAlarms } from './alarms.ts'
import { conditionsOf, type Vitals } from './conditions.ts'
import { noticeBody } from './notice.ts'

/** Rings when something is wrong: looks each second, logs, posts, and remembers over restarts what it has told. */
export interface Bell {
  /** From here on the data folder is ours, and the end of the process before is looked into. */
  start(): void
  loop(keep: Keep, signal: AbortSignal): Promise<void>
  /** The process ends by this error; null: as it was told to. */
  end(error: unknown): void
  /** Names of the alarms that are on. */
  firing(): readonly string[]
}

const EVERY_MS = 1_000 as Ms
/** A process that has run for so long is no part of a row of restarts. */
const SETTLED_MS = 600_000

/** Creates a bell. @param of.file where alarms outlive the process; null without a webhook */
export function createBell(of: {
  readonly file: string | null
  readonly about: Readonly<Record<string, string | number>>
  readonly clock: Clock
  readonly log: Logger
  readonly vitals: () => Omit<Vitals, 'ended' | 'isSettled'>
  readonly notify: (body: string) => void
}): Bell {
  const { file, clock, log, about } = of
  const before = file === null ? { isRunning: false, firing: {} } : readAlarmFile(file)
  const alarms = createAlarms({ clock, before: before.firing })
  const startedAt = clock.monotonic()
  let isRunning = false
  let killed: string | null = null
  let ended: string | null = null
  let written = ''

  const save = (): void => {
    const content = { isRunning, firing: alarms.firing() }
    const text = JSON.stringify(content)
    if (file === null || text === written) return
    if (writeAlarmFile(file, content)) written = text
  }
  const look = (): void => {
    const isSettled = clock.monotonic() - startedAt >= SETTLED_MS
    if (isSettled) killed = null
    for (const notice of alarms.update(conditionsOf({ ...of.vitals(), ended: ended ?? killed, isSettled }))) {
      const { alarm, state, message } = notice
      // what ends a process is its last line anyway
      if (alarm !== 'ended' || ended === null)
        log[state === 'firing' ? 'error' : 'info']({ event: `alarm.${state}`, alarm }, `${alarm}: ${message}`)
      of.notify(noticeBody(notice, about))
    }
    save()
  }
  return {
    start: () => {
      if (before.isRunning)
        killed = 'the process before ended without a word: it was killed, or out of memory, or the machine went down'
      isRunning = true
      look()
    },
    loop: (keep, signal) =>
      keep(
        {
          name: 'health',
          timeoutMs: 10_000,
          idleMs: 10_000,
          next: (until) => clock.sleep(EVERY_MS, until),
          step: async () => look(),
        },
        signal,
      ),
    end: (error) => {
      isRunning = false
      if (error !== null) {
        ended = `the process ends: ${error instanceof SubnetError ? `${error.code}: ${error.message}` : String(error)}`
        look()
      }
      save()
    },
    firing: () => Object.keys(alarms.firing()),
  }
}
