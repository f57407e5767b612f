import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Running, startArbor } from '../e2e/support/process.ts'

/** A chain in a process of its own that makes a block when it is told to. */
export interface ChaosChain {
  /** Its address; the same after a restart. */
  readonly url: string
  readonly pid: number
  /** Makes a block and makes it final. @returns its hash */
  block(): Promise<string>
  /** Kills it as a power cut would, and starts it on what it had written. */
  restart(): Promise<void>
  /** Copies what it has written; it is killed and started again for that. */
  copyTo(folder: string): Promise<void>
  close(): Promise<void>
}

/** Rules of subnet 1 that differ from the development preset's: few uids, so that newcomers replace somebody. */
const RULES = {
  netuid: 1,
  tempo: 10,
  emissionEnabled: true,
  commitRevealEnabled: false,
  weightsSetRateLimit: 2,
  servingRateLimit: 1,
  immunityPeriod: 3,
  maxRegistrationsPerBlock: 16,
  burn: 100_000_000,
  maxAllowedUids: 64,
  activityCutoffFactorMilli: 20_000,
} as const

/** SS58 of //Alice, and of //Alice//default, which own the subnet. */
export interface Owners {
  readonly coldkey: string
  readonly hotkey: string
}

/** Starts a chain in a folder. @param of.port 0 takes a free one */
export const startChain = async (of: {
  readonly folder: string
  readonly owners: Owners
  readonly port?: number
  /** Blocks whose state is kept; all by default, so that whole logs can be audited. */
  readonly keep?: string
}): Promise<ChaosChain> => {
  const { folder } = of
  mkdirSync(folder, { recursive: true })
  const patch = join(folder, 'patch.json')
  const subnets = [{ ...RULES, ownerColdkey: of.owners.coldkey, ownerHotkey: of.owners.hotkey }]
  writeFileSync(patch, JSON.stringify({ subtensorModule: { subnets } }))
  const data = join(folder, 'data')
  const start = async (port: number): Promise<{ readonly running: Running; readonly url: string }> => {
    const words = [
      'chain',
      'run',
      '--dev',
      '--manual',
      '--json',
      '--port',
      String(port),
      '--data',
      data,
      '--patch',
      patch,
      '--keep',
      of.keep ?? 'archive',
    ]
    const running = startArbor({ words, home: folder })
    const { url } = await running.event('chain.ready')
    running.child.stderr?.resume()
    return { running, url: String(url) }
  }
  let { running, url } = await start(of.port ?? 0)
  const again = async (): Promise<void> => {
    const back = await start(Number(new URL(url).port))
    running = back.running
  }
  return {
    url,
    get pid() {
      return running.pid
    },
    block: async () => {
      const made = (await ask(url, 'engine_createBlock', [true, true, null])) as { hash: string }
      return made.hash
    },
    restart: async () => {
      await running.kill9()
      await again()
    },
    copyTo: async (to) => {
      await running.kill9()
      rmSync(to, { recursive: true, force: true })
      cpSync(data, join(to, 'data'), { recursive: true })
      await again()
    },
    close: async () => void (await running.kill9()),
  }
}

/** Asks a chain over HTTP. */
export const ask = async (url: string, method: string, params: readonly unknown[]): Promise<unknown> => {
  const response = await fetch(url.replace(/^ws/, 'http'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } }
  if (error !== undefined) throw new Error(`${method}: ${error.message}`)
  return result
}
