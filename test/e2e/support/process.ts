import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The entry that runs `arbor`. */
export const main = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url))

/** A line of JSON that a process said. */
export type Said = Readonly<Record<string, unknown>> & { readonly event: string }

/** A process of `arbor` that runs until it is told to stop. */
export interface Running {
  readonly child: ChildProcess
  readonly pid: number
  /** Every event so far, in order. */
  readonly events: readonly Said[]
  /** Everything it said, for a failure's message. */
  text(): string
  /** Waits for the first event of this name that fits, among those said already too. Rejects with all it said when the process ends before. */
  event(name: string, fits?: (said: Said) => boolean): Promise<Said>
  /** Ends it as a power cut would, and waits until it is gone. */
  kill9(): Promise<void>
  /** Asks it to stop and waits. @returns its exit code */
  stop(): Promise<number | null>
}

/** Starts `arbor <words>` as a process of its own, in a folder of its own. */
export function startArbor({ words, home }: { readonly words: readonly string[]; readonly home: string }): Running {
  const child = spawn(process.execPath, [main, ...words], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const events: Said[] = []
  const waiters = new Set<(said: Said) => void>()
  const take = (line: string): void => {
    lines.push(line)
    const said = parse(line)
    if (said === null) return
    events.push(said)
    for (const waiter of waiters) waiter(said)
  }
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', take)
  const gone = once(child, 'close')
  const text = (): string => lines.slice(-40).join('\n')

  const event: Running['event'] = async (name, fits = () => true) => {
    const wanted = (said: Said): boolean => said.event === name && fits(said)
    const earlier = events.find(wanted)
    if (earlier !== undefined) return earlier
    const { promise, resolve, reject } = Promise.withResolvers<Said>()
    const waiter = (said: Said): void => void (wanted(said) && resolve(said))
    waiters.add(waiter)
    void gone.then(() => reject(new Error(`${words[0]} ended before ${name}:\n${text()}`)))
    return promise.finally(() => waiters.delete(waiter))
  }
  const end = async (how: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(how)
    await gone
    return child.exitCode
  }
  return {
    child,
    pid: child.pid ?? -1,
    events,
    text,
    event,
    kill9: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  }
}

const parse = (line: string): Said | null => {
  if (!line.startsWith('{')) return null
  try {
    const fields = JSON.parse(line) as Record<string, unknown>
    return typeof fields.event === 'string' ? { ...fields, event: fields.event } : null
  } catch {
    return null
  }
}

/** Every process with its parent. */
const table = (): readonly { readonly pid: number; readonly parent: number }[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent) }]
      } catch {
        return [] // it ended between the listing and the reading
      }
    })

/** All processes that descend from one. */
export const descendants = (root: number | undefined): readonly number[] => {
  const processes = table()
  const of = (pid: number): number[] =>
    processes.filter(({ parent }) => parent === pid).flatMap((child) => [child.pid, ...of(child.pid)])
  return root === undefined ? [] : of(root)
}

/** Those of the processes that still run. */
export const alive = (pids: readonly number[]): readonly number[] => {
  const running = new Set(table().map(({ pid }) => pid))
  return pids.filter((pid) => running.has(pid))
}

/** Most memory that a process ever held, in bytes. */
export const peakBytes = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) * 1_024
