import type { CommandOutput } from '@arbor/shared/command'

/** Fields that every line has and a person need not see. */
const SILENT: ReadonlySet<string> = new Set(['level', 'time', 'name', 'event', 'msg', 'err'])

/** Turns lines of JSON events into lines for a person: time, level, event, fields. */
export const readableLog = (output: CommandOutput): { write(line: string): void } => ({
  write: (line) => void output.write(`${readable(line)}\n`),
})

const readable = (line: string): string => {
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(line)
  } catch {
    return line.trimEnd()
  }
  const time = String(entry.time ?? '').slice(11, 19)
  const fields = Object.entries(entry)
    .filter(([key]) => !SILENT.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const error = reason(entry.err)
  const level = String(entry.level ?? '')
    .toUpperCase()
    .padEnd(5)
  return [time, level, entry.event ?? entry.msg, ...fields, error].filter((part) => part !== undefined).join(' ')
}

const reason = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'message' in error ? `reason=${String(error.message)}` : undefined
