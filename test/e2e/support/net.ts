import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ChainConnection, connectChain } from '@arbor/chain/client/connect'
import type { Metagraph, Neuron } from '@arbor/chain/client/types'
import { systemClock } from '@arbor/shared/clock'
import { keypairFromUri } from '@arbor/shared/keys'
import { netUid } from '@arbor/shared/units'
import { openMembers } from '../../../cli/src/up/members.ts'
import { type Member, type Place, places } from '../../../cli/src/up/roster.ts'
import { registerMembers } from '../../../cli/src/up/setup.ts'
import { type Running, startArbor } from './process.ts'

export const netuid = netUid(1)

/** A chain process with registered members, whose processes a test starts one by one. */
export interface Net {
  readonly folder: string
  readonly url: string
  readonly wallets: string
  readonly client: ChainConnection
  readonly signal: AbortSignal
  readonly members: readonly Member[]
  /** The running chain; `startChain` replaces it. */
  chain: Running
  /** Starts the chain again on its data and its port. */
  startChain(): Promise<Running>
  member(name: string): Member
  /** Starts a member's process; its data folder is the same every time. */
  start(name: string, ...more: readonly string[]): Running
  /** Starts any command as part of the net, in its folder or another. */
  run(words: readonly string[], home?: string): Running
  /** Follows the finalised chain until a check gives something. */
  until<T>(check: (metagraph: Metagraph) => T | undefined | Promise<T | undefined>): Promise<T>
  neuron(hotkey: string, metagraph: Metagraph): Neuron
  /** Kills everything and removes the folder. */
  close(): Promise<void>
}

/** The model folder that the tests' spec names. */
export const tinyModel = fileURLToPath(new URL('../../../models/arbor-tiny', import.meta.url))

/** Starts a development chain with short blocks and registers members on it. */
export async function startNet(of: {
  readonly honest: number
  readonly validators: number
  /** First last part of 127.0.0.x that its miners listen on, so that two nets never meet. */
  readonly address: number
  /** Registered like miners, but no process of ours serves for them. */
  readonly others?: readonly string[]
  /** Part of the genesis: two nets are two chains only when they differ in it. */
  readonly blockTime?: string
}): Promise<Net> {
  const folder = mkdtempSync(join(tmpdir(), 'arbor-net-'))
  const wallets = join(folder, 'wallets')
  const stop = new AbortController()
  const { signal } = stop
  const running: Running[] = []
  const run = (words: readonly string[], home = folder): Running => {
    mkdirSync(home, { recursive: true })
    const started = startArbor({ words, home })
    running.push(started)
    return started
  }
  const chainOn = async (port: string): Promise<Running> => {
    const data = ['--data', join(folder, 'chain')]
    const started = run([
      'chain',
      'run',
      '--dev',
      '--json',
      '--port',
      port,
      '--block-time',
      of.blockTime ?? '250ms',
      ...data,
    ])
    await started.event('chain.ready')
    return started
  }
  const close = async (): Promise<void> => {
    stop.abort()
    await Promise.all(running.map((each) => each.kill9()))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const chain = await chainOn('0')
    const url = String((await chain.event('chain.ready')).url)
    const client = await connectChain({ url, signal, clock: systemClock })
    const usual = places({ honest: of.honest, cheats: [], validators: of.validators })
    const others = (of.others ?? []).map((name): Place => ({ name, role: 'miner', kind: 'honest', ip: null }))
    const funded = await openMembers({ places: [...usual, ...others], wallets })
    await registerMembers({ chain: client, netuid, members: funded, bank: keypairFromUri('//Alice'), signal })
    const members = funded.map(({ member }) => member)
    const member = (name: string): Member => must(members.find((each) => each.name === name))
    const net: Net = {
      folder,
      url,
      wallets,
      client,
      signal,
      members,
      chain,
      startChain: async () => {
        net.chain = await chainOn(new URL(url).port)
        return net.chain
      },
      member,
      run,
      start: (name, ...more) => {
        const { role } = member(name)
        const common = ['--network', url, '--wallets', wallets, '--wallet', name, '--spec', 'inference-tiny']
        const ip = `127.0.0.${of.address + members.findIndex((each) => each.name === name)}`
        const axon = role === 'miner' ? ['--ip', ip, ...(more.includes('--port') ? [] : ['--port', '0'])] : []
        return run([role, ...common, '--data', join(folder, name), ...axon, ...more])
      },
      until: async (check) => {
        for await (const { hash } of client.heads('finalized', signal)) {
          const found = await check(await client.metagraph(netuid, hash))
          if (found !== undefined) return found
        }
        throw new Error('the chain ended')
      },
      neuron: (hotkey, { neurons }) => must(neurons.find((each) => each.hotkey === hotkey)),
      close,
    }
    return net
  } catch (error) {
    await close()
    throw error
  }
}

/** Expects a value to be there. */
export function must<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error('the test misses a value')
  return value
}
