import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Keypair } from '@arbor/shared/keypair'
import type { ChildConfig, FromChild, ToChild } from './messages.ts'
import { type LinkProxy, openProxy } from './proxy.ts'
import { readTrace } from './trace.ts'

/** How a life of a validator process ended. */
export interface Ending {
  readonly life: number
  /** `killed`, or the code of its error. */
  readonly why: string
  readonly atBlock: number
}

/** What a process holds at a moment. */
export interface Held {
  readonly rssMb: number
  readonly descriptors: number
  readonly sockets: number
}

/** One validator of a run: its process, started anew whenever it ends, and its way to the chain. */
export interface Member {
  readonly name: string
  readonly key: Keypair
  readonly proxy: LinkProxy
  readonly data: string
  readonly log: string
  readonly trace: string
  readonly endings: readonly Ending[]
  /** Milliseconds from each start of the process after a kill to the first step of a loop that was done. */
  readonly recoveries: readonly number[]
  /** Block of its newest snapshot; -1 while it has none. */
  readonly at: number
  readonly alive: boolean
  readonly life: number
  /** Points at which its lives may kill themselves; one at which so many did already is left alone from then on. */
  armed: readonly string[]
  /** The last block at which a fault of its own was on; -1 before the first. */
  disturbedAt: number
  /** Kills it now, as a power cut would. */
  kill9(): void
  jump(ms: number): void
  /** Takes its hotkey's holder away, or brings it back. */
  holder(isAway: boolean): void
  held(): Held | null
  /** Starts it when it is not alive. */
  ensure(block: number): void
  close(): Promise<void>
}

const entry = fileURLToPath(new URL('./validator.ts', import.meta.url))

/** Makes a validator of a run; nothing runs until `ensure`. */
export const createMember = async (of: {
  /** Kills at one point. */
  readonly most: number
  readonly name: string
  readonly key: Keypair
  readonly uri: string
  readonly folder: string
  readonly book: string
  readonly seed: number
  readonly speed: number
  readonly chance: number
  readonly keepEpochs: number
  readonly roundsPerEpoch?: number
  readonly logLevel?: ChildConfig['logLevel']
  readonly to: () => string
}): Promise<Member> => {
  const home = join(of.folder, of.name)
  const data = join(home, 'data')
  mkdirSync(data, { recursive: true })
  const [log, traceFile, stderr] = ['log', 'trace', 'stderr'].map((name) => join(home, `${name}.jsonl`)) as [
    string,
    string,
    string,
  ]
  const proxy = await openProxy({ to: of.to })
  const endings: Ending[] = []
  const recoveries: number[] = []
  let child: ChildProcess | null = null
  const kills = new Map<string, number>()
  let life = 0
  let at = -1
  let offMs = 0
  let signerAway = false
  let isClosed = false
  const state = { block: 0, afterKill: false }

  const start = (armed: readonly string[]): void => {
    life += 1
    at = -1
    const config: ChildConfig = {
      url: proxy.url,
      hotkeyUri: of.uri,
      data,
      log,
      trace: traceFile,
      book: of.book,
      speed: of.speed,
      linkSpeed: Math.min(of.speed, 10),
      offMs,
      signerAway,
      points: armed,
      chance: of.chance,
      seed: of.seed,
      keepEpochs: of.keepEpochs,
      logLevel: of.logLevel ?? 'debug',
      ...(of.roundsPerEpoch === undefined ? {} : { roundsPerEpoch: of.roundsPerEpoch }),
      life,
    }
    const file = join(home, 'config.json')
    writeFileSync(file, JSON.stringify(config))
    const startedAt = performance.now()
    const wasKilled = state.afterKill
    let isDone = false
    const started = spawn(process.execPath, ['--enable-source-maps', entry, file], {
      stdio: ['ignore', 'ignore', openSync(stderr, 'a'), 'ipc'],
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
    })
    child = started
    started.on('message', (message: FromChild) => {
      if (child !== started) return
      if ('at' in message) at = message.at
      else if (!isDone && message.done !== 'chain') {
        isDone = true
        if (wasKilled) recoveries.push(performance.now() - startedAt)
      }
    })
    started.on('exit', (_code, how) => {
      if (child === started) child = null
      if (isClosed) return
      const why = how === 'SIGKILL' ? 'killed' : lastEnding(log)
      state.afterKill = why === 'killed'
      const last = readTrace(traceFile).at(-1)
      if (last?.kind === 'kill') kills.set(last.point, (kills.get(last.point) ?? 0) + 1)
      endings.push({ life, why, atBlock: state.block })
    })
  }
  const tell = (message: ToChild): void => {
    if (child?.connected) child.send(message)
  }
  const member: Member = {
    name: of.name,
    key: of.key,
    proxy,
    data,
    log,
    trace: traceFile,
    endings,
    recoveries,
    get at() {
      return at
    },
    get alive() {
      return child !== null
    },
    get life() {
      return life
    },
    armed: [],
    disturbedAt: Number.NEGATIVE_INFINITY,
    kill9: () => void child?.kill('SIGKILL'),
    jump: (ms) => {
      offMs = ms
      tell({ jumpMs: ms })
    },
    holder: (isAway) => {
      signerAway = isAway
      tell({ signerAway })
    },
    held: () => (child?.pid === undefined ? null : heldBy(child.pid)),
    ensure: (block) => {
      state.block = block
      if (child !== null || isClosed) return
      start(member.armed.filter((point) => (kills.get(point) ?? 0) < of.most))
    },
    close: async () => {
      isClosed = true
      const last = child
      if (last !== null) {
        last.kill('SIGKILL')
        if (last.exitCode === null && last.signalCode === null) await once(last, 'exit')
      }
      await proxy.close()
    },
  }
  return member
}

/** Reads from a log how its process said that it ended. */
const lastEnding = (log: string): string => {
  if (!existsSync(log)) return 'unknown'
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
  const last = JSON.parse(lines.at(-1) ?? '{}') as { event?: string; code?: string }
  return last.event === 'chaos.ended' ? (last.code ?? 'stopped') : 'unknown'
}

const heldBy = (pid: number): Held | null => {
  try {
    const rssKb = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    const open = readdirSync(`/proc/${pid}/fd`)
    const sockets = open.filter((name) => linkOf(`/proc/${pid}/fd/${name}`).startsWith('socket:')).length
    if (Number.isNaN(rssKb)) return null // it is on its way out
    return { rssMb: rssKb / 1_024, descriptors: open.length, sockets }
  } catch {
    return null // it has just ended
  }
}

const linkOf = (path: string): string => {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
