// Resident memory of every process of a local net after some minutes: node bench/memory.ts [minutes]
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeResult } from './write.ts'

const minutes = Number(process.argv[2] ?? 10)
const data = mkdtempSync(join(tmpdir(), 'arbor-memory-'))
const main = fileURLToPath(new URL('../cli/src/main.ts', import.meta.url))

interface Proc {
  readonly pid: number
  readonly parent: number
  readonly command: string
  readonly megabytes: number
  readonly cpuSeconds: number
}

/** Reads a process, null when it has ended. */
function read(pid: number): Proc | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    return {
      pid,
      parent: Number(fields[1]),
      command,
      megabytes: Number(rss) / 1_024,
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    }
  } catch {
    return null
  }
}

const all = (): readonly Proc[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => read(Number(name)))
    .filter((p) => p !== null)

function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGINT')
  return new Promise((resolve) => child.once('exit', () => resolve()))
}

const child = spawn(process.execPath, [main, 'up', '--data', data], { stdio: ['ignore', 'ignore', 'inherit'] })
await new Promise((resolve) => setTimeout(resolve, minutes * 60_000))
const procs = all()
const members = procs.filter(({ command, pid }) => command.includes(data) && pid !== child.pid)
const roleOf = ({ command }: Proc): string =>
  command.includes(' chain run') ? 'chain' : command.includes(' validator ') ? 'validator' : 'miner'
const megabytes: Record<string, number[]> = {}
const cpu: Record<string, number[]> = {}
for (const member of members) {
  const role = roleOf(member)
  for (const [name, proc] of [
    [role, member] as const,
    ...procs.filter(({ parent }) => parent === member.pid).map((p) => [`${role}: model process`, p] as const),
  ]) {
    megabytes[name] = [...(megabytes[name] ?? []), Math.round(proc.megabytes)]
    cpu[name] = [...(cpu[name] ?? []), Number((proc.cpuSeconds / minutes).toFixed(2))]
  }
}
await stop(child)
rmSync(data, { recursive: true, force: true })
writeResult('memory', [
  ...Object.entries(megabytes).map(([what, runs]) => ({ what, unit: 'MB', runs: { Arbor: runs } })),
  ...Object.entries(cpu).map(([what, runs]) => ({ what, unit: 'CPU seconds a minute', runs: { Arbor: runs } })),
])
