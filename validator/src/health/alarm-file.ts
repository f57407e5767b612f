import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import type { Firing } from './alarms.ts'

/** What outlives a process: the alarms that were told and are not over, and whether it said that it ended. */
export interface AlarmFile {
  readonly isRunning: boolean
  readonly firing: Firing
}

const told = z.object({ since: z.number(), message: z.string().max(4_000) })
const schema = z.object({ isRunning: z.boolean(), firing: z.record(z.string(), told) })

/** Reads the file; one that is missing or spoilt says that nothing was told, which at worst tells something twice. */
export function readAlarmFile(file: string): AlarmFile {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8'))) as AlarmFile
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
