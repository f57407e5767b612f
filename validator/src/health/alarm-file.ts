import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { UnixMs } from '@arbor/shared/units'
import { ALARMS, type Firing } from './alarms.ts'

/** What outlives a process: the alarms that were told and are not over, and whether it said that it ended. */
export interface AlarmFile {
  readonly isRunning: boolean
  readonly firing: Firing
}

/** Reads the file; one that is missing or spoilt says that nothing was told, which at worst tells something twice. */
export function readAlarmFile(file: string): AlarmFile {
  try {
    const { isRunning, firing } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    const told = ALARMS.flatMap((alarm) => {
      const { since, message } = (firing as Record<string, Record<string, unknown>>)[alarm] ?? {}
      return typeof since === 'number' && typeof message === 'string'
        ? [[alarm, { since: since as UnixMs, message }] as const]
        : []
    })
    return { isRunning: isRunning === true, firing: Object.fromEntries(told) }
  } catch {
    return { isRunning: false, firing: {} }
  }
}

/** Writes the file in one go. @returns false where it cannot be written: alarms work without */
export function writeAlarmFile(file: string, content: AlarmFile): boolean {
  try {
    writeFileSync(`${file}.new`, JSON.stringify(content), { mode: 0o600 })
    renameSync(`${file}.new`, file)
    return true
  } catch {
    return false
  }
}
