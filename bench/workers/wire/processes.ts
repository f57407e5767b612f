import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Job } from './talk.ts'

/** A program of one arm that waits for jobs, or for questions. */
export interface Worker {
  /** What it said when it was ready. */
  readonly ready: string
  /** CPU time of all its threads since it started, milliseconds; the kernel counts in 10 ms. */
  cpuMs(): number
  /** Resident memory, bytes. */
  rss(): number
  /** Has a job done. @returns how many of its questions failed, and the time on the wall */
  run(job: Job): Promise<{ readonly failed: number; readonly wallMs: number }>
  stop(): void
}

/** The kernel's clock ticks a second in /proc/PID/stat. */
const TICKS = 100

const folder = fileURLToPath(new URL('.', import.meta.url))

/**
 * Starts a worker of this folder.
 * @param of.home an empty folder for programs that write into theirs
 * @param of.nodeOptions NODE_OPTIONS, for programs that are Node's
 */
export async function startWorker(of: {
  readonly program: string
  readonly file: string
  readonly args: readonly string[]
  readonly home: string
  readonly nodeOptions?: string
}): Promise<Worker> {
  const child = spawn(of.program, [`${folder}${of.file}`, ...of.args], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH, HOME: of.home, NODE_OPTIONS: of.nodeOptions },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const read = async (): Promise<Record<string, unknown>> => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) throw new Error(`${of.file} ${of.args.join(' ')} ended with ${child.exitCode}`)
      if (value.startsWith('{')) return JSON.parse(value) // bittensor logs to stdout, too
    }
  }
  const ready = String((await read()).ready)
  return {
    ready,
    cpuMs: () => ticksOf(child) * (1_000 / TICKS),
    rss: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1_024,
    run: async (job) => {
      child.stdin.write(`${JSON.stringify(job)}\n`)
      const { failed, wallMs } = await read()
      return { failed: Number(failed), wallMs: Number(wallMs) }
    },
    stop: () => void child.kill('SIGKILL'),
  }
}

/** User and system time in ticks. @source proc(5), /proc/pid/stat fields 14 and 15 */
const ticksOf = ({ pid }: ChildProcess): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}
