import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromSeed } from '@arbor/shared/keys'

/** The hotkey of the miner with a number. */
export const keyOf = (index: number): Keypair => {
  const seed = Buffer.alloc(32)
  seed.writeUInt32BE(index + 1)
  return keypairFromSeed(seed)
}

/** Its address: one of this machine's own for each miner below 65 536. */
export const addressOf = (index: number): string => `127.77.${index >> 8}.${index & 255}`

/** What a process of miners says of itself. */
interface State {
  /** Questions that came and have no answer yet, until the answers were given. */
  readonly held: number
  readonly failures: readonly string[]
}

/** Some of a subnet's miners, in a process of their own. */
export interface Miners {
  readonly port: number
  state(): Promise<State>
  /** Has what is held answered, and all that comes after at once. */
  give(): Promise<State>
  stop(): void
}

/** Starts the miners from one number up to another. */
export const startMiners = async (from: number, to: number): Promise<Miners> => {
  const path = fileURLToPath(new URL('./fanout-child.ts', import.meta.url))
  const child: ChildProcess = fork(path, [String(from), String(to)], { execArgv: [] })
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the miners ended')))
  ended.catch(() => undefined) // when they are stopped
  const next = async (): Promise<unknown> => (await Promise.race([once(child, 'message'), ended]))[0]
  const tell = async (word: 'state' | 'give'): Promise<State> => {
    child.send(word)
    return (await next()) as State
  }
  return {
    port: (await next()) as number,
    state: () => tell('state'),
    give: () => tell('give'),
    stop: () => void child.kill('SIGKILL'),
  }
}
