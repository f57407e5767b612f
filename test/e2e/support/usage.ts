import { readdirSync, readFileSync } from 'node:fs'

/** Ticks of the kernel's clock in a second. @source Linux proc(5): USER_HZ is 100 on all common machines */
const TICKS = 100

/** Memory of a process that lies in RAM, in bytes. */
export const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) * 1_024

/** Time that a process has computed, all its threads together, in seconds. */
export const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** File descriptors that a process holds. */
export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

/** Most file descriptors that a process may hold. */
export const fileLimit = (pid: number | 'self'): number =>
  Number(/Max open files\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1] ?? Number.NaN)
