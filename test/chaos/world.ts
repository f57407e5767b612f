import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addStake, adminSet, batchAll, burnedRegister, serveAxon, sudo } from '@arbor/chain/client/calls'
import { type ChainConnection, connectChain } from '@arbor/chain/client/connect'
import type { Call, Submission } from '@arbor/chain/client/types'
import { systemClock } from '@arbor/shared/clock'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Hex, NetUid, Rao } from '@arbor/shared/units'
import { ask, type ChaosChain, startChain } from './chain.ts'
import type { Behaviour, MinerBook } from './miners.ts'

export const netuid = 1 as NetUid
export const alice = keypairFromUri('//Alice')
const owner = keypairFromUri('//Alice//default')
/** The subnet's owner, who runs nothing here. */
export const owners = { coldkey: alice.address, hotkey: owner.address }
const minersColdkey = keypairFromUri('//Bob')
const validatorsColdkey = keypairFromUri('//Charlie')

/** A simulated miner; its hotkey signs for itself. */
export interface SimulatedMiner {
  readonly key: Keypair
  readonly behaviour: Behaviour
  port: number
  isDown: boolean
}

/** A chain with a subnet on it, and whoever acts there but the validators. */
export interface World {
  readonly folder: string
  readonly chain: ChaosChain
  /** A connection of the suite's own, past every fault: what it reads is the truth. */
  readonly reader: ChainConnection
  readonly validators: readonly Keypair[]
  readonly miners: SimulatedMiner[]
  /** File that tells validators what miners do. */
  readonly book: string
  /** Makes a block. */
  block(): Promise<{ readonly number: Block; readonly hash: Hex }>
  /** Makes some blocks that are not final, and puts a longer fork in their place, which is not final either. */
  reorg(depth: number): Promise<void>
  /** Hands a call in and makes blocks until it is settled. @throws unless it went well */
  must(call: Call, signer: Keypair): Promise<void>
  /** Hands a call in; somebody else makes the blocks. */
  act(call: Call, signer: Keypair): Promise<Submission>
  /** Registers a new miner, which may take the uid of another. */
  join(name: string, behaviour: Behaviour): Promise<void>
  /** Changes a miner's address, here and on the chain. */
  move(miner: SimulatedMiner): Promise<Submission>
  writeBook(): void
  close(): Promise<void>
}

/** Starts a chain and registers everybody. */
export const openWorld = async (of: {
  readonly folder: string
  readonly validators: number
  readonly behaviours: readonly Behaviour[]
  readonly tempo?: number
  /** Blocks whose state the chain keeps; all by default. */
  readonly keep?: string
}): Promise<World> => {
  const { folder } = of
  mkdirSync(folder, { recursive: true })
  const stop = new AbortController()
  const chain = await startChain({
    folder: join(folder, 'chain'),
    owners,
    ...(of.keep === undefined ? {} : { keep: of.keep }),
  })
  const reader = await connectChain({
    url: chain.url,
    signal: stop.signal,
    clock: systemClock,
    limits: { requestMs: 20_000, pingMs: 60_000 },
  })
  const block: World['block'] = async () => {
    const hash = (await chain.block()) as Hex
    const header = (await ask(chain.url, 'chain_getHeader', [hash])) as { readonly number: Hex }
    return { number: Number(header.number) as Block, hash }
  }
  const act = (call: Call, signer: Keypair): Promise<Submission> =>
    reader.submit(call, { signer, signal: stop.signal, waitFor: 'included', eraBlocks: 16 })
  const must = async (call: Call, signer: Keypair): Promise<void> => {
    let outcome: Submission | undefined
    const acting = act(call, signer).then((settled) => {
      outcome = settled
    })
    while (outcome === undefined) {
      await Promise.race([acting, new Promise((resolve) => setTimeout(resolve, 5))])
      if (outcome === undefined) await block()
    }
    if ('error' in outcome) throw new Error(`${call.pallet}.${call.call}: ${JSON.stringify(outcome)}`)
  }
  const miners: SimulatedMiner[] = []
  const book = join(folder, 'miners.json')
  const writeBook = (): void => {
    const lines: Record<string, MinerBook[string]> = {}
    for (const { key, behaviour, port, isDown } of miners) lines[key.address] = { behaviour, port, isDown }
    writeFileSync(`${book}.new`, JSON.stringify(lines))
    renameSync(`${book}.new`, book) // validators read it at any moment
  }
  const axonOf = ({ port }: SimulatedMiner): Call =>
    serveAxon({ netuid, axon: { ip: '203.0.113.7', port, version: 1, protocol: 4 } })
  const minerOf = (name: string, behaviour: Behaviour): SimulatedMiner => ({
    key: keypairFromUri(`//Bob//${name}`),
    behaviour,
    port: 1_000 + miners.length,
    isDown: false,
  })
  const world: World = {
    folder,
    chain,
    reader,
    validators: Array.from({ length: of.validators }, (_, i) => keypairFromUri(`//Charlie//validator-${i + 1}`)),
    miners,
    book,
    block,
    reorg: async (depth) => {
      for (let made = 0; made < depth; made += 1) {
        await ask(chain.url, 'engine_createBlock', [true, false, null])
        await new Promise((resolve) => setTimeout(resolve, 80)) // what hears of it acts upon it
      }
      await ask(chain.url, 'arbor_reorg', [depth])
    },
    must,
    act,
    join: async (name, behaviour) => {
      const miner = minerOf(name, behaviour)
      miners.push(miner)
      writeBook()
      const joined = await act(burnedRegister({ netuid, hotkey: miner.key.address }), minersColdkey)
      if (joined.status === 'included') await act(axonOf(miner), miner.key)
    },
    move: async (miner) => {
      miner.port += 1_000
      writeBook()
      return act(axonOf(miner), miner.key)
    },
    writeBook,
    close: async () => {
      stop.abort()
      await reader.close()
      await chain.close()
    },
  }
  try {
    for (const key of world.validators)
      await must(
        batchAll([
          burnedRegister({ netuid, hotkey: key.address }),
          addStake({ netuid, hotkey: key.address, amount: 500_000_000_000n as Rao }),
        ]),
        validatorsColdkey,
      )
    for (const [i, behaviour] of of.behaviours.entries()) miners.push(minerOf(`miner-${i + 1}`, behaviour))
    await must(batchAll(miners.map(({ key }) => burnedRegister({ netuid, hotkey: key.address }))), minersColdkey)
    for (const miner of miners) await must(axonOf(miner), miner.key)
    const rules = [
      adminSet('min_allowed_uids', { netuid, min_allowed_uids: 4 }),
      adminSet('max_allowed_uids', { netuid, max_allowed_uids: miners.length + of.validators + 1 }),
    ]
    if (of.tempo !== undefined) rules.push(adminSet('tempo', { netuid, tempo: of.tempo }))
    await must(batchAll(rules.map(sudo)), alice)
    writeBook()
    return world
  } catch (error) {
    await world.close()
    throw error
  }
}
