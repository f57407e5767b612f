import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { connectChain } from '@arbor/chain/client/connect'
import type { ChainClient } from '@arbor/chain/client/types'
import { integerArgument, type NetworkOptions, withJson, withNetwork } from '@arbor/chain/options'
import { readStore } from '@arbor/chain/store/open'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { createLogger } from '@arbor/shared/log'
import { type Block, type NetUid, netUid, type Ss58 } from '@arbor/shared/units'
import { Command } from 'commander'
import { LEDGER } from '../ledger-schema.ts'
import { readFacts } from './facts.ts'
import { weightLedger } from './ledger.ts'
import { type LiveChain, type Status, statusLines, statusOf, statusSchema } from './status.ts'

interface Options extends NetworkOptions {
  readonly data?: string
  readonly mechanism: number
}

/** Makes `arbor validator status`: what was set, what comes next, and which rule it waits for. Reads, and disturbs nothing. */
export function statusCommand(context: CommandContext): Command {
  return withJson(withNetwork(new Command('status')))
    .description(
      'tell what weights were set, what comes next and which rule it waits for; also while the chain is away',
    )
    .option('--data <folder>', "the validator's data folder (default: the only one in .arbor/validator)")
    .option('--mechanism <n>', 'the mechanism', integerArgument(0, 15), 0)
    .action((options: Options) => status(context, options))
}

async function status(context: CommandContext, options: Options): Promise<void> {
  const file = join(dataFolder(context, options), 'ledger.sqlite')
  const db = readStore({ file, kind: LEDGER })
  if (db === null) throw noLedger(`there is no ledger at ${file}`)
  try {
    const found = await read(context, options, db)
    if (options.json === true) context.stdout.write(`${JSON.stringify(statusSchema.parse(found))}\n`)
    else for (const line of statusLines(found)) context.stdout.write(`${line}\n`)
  } finally {
    db.close()
  }
}

/** Reads the ledger, and the chain where one answers. */
async function read(context: CommandContext, options: Options, db: DatabaseSync): Promise<Status> {
  const owner = ownerIn(db)
  const { mechanism } = options
  const { live, away } = await readLive(context, options, owner)
  // The database is open for reading only, so nothing can be written through this part.
  const ledger = weightLedger({ db, append: () => undefined, log: { isStateDue: () => false } })
  return statusOf({ ledger, owner, mechanism, live, away })
}

interface Owner {
  readonly genesisHash: string
  readonly netuid: NetUid
  readonly hotkey: Ss58
}

function ownerIn(db: DatabaseSync): Owner {
  const text = String(db.prepare("SELECT value FROM meta WHERE key = 'owner'").get()?.value)
  const [genesisHash = '', netuid = '', hotkey = ''] = text.split(' ')
  return { genesisHash, netuid: netUid(Number(netuid)), hotkey: hotkey as Ss58 }
}

/** Errors by which a chain is away or another one, and the ledger is told alone. */
const AWAY: ReadonlySet<string> = new Set([
  ...['CHAIN_UNREACHABLE', 'CHAIN_TIMEOUT', 'CHAIN_CONNECTION_LOST', 'CHAIN_OTHER_GENESIS', 'CHAIN_BEHIND'],
  ...['CHAIN_FORK', 'CHAIN_ANSWER', 'CHAIN_INCOMPATIBLE', 'CHAIN_NO_SUBNET'],
])

/** Blocks over which the time between blocks is averaged. */
const AVERAGED = 16

async function readLive(
  { signal, stderr }: CommandContext,
  { network, mechanism }: Options,
  { netuid, hotkey, genesisHash }: Owner,
): Promise<{ readonly live: LiveChain | null; readonly away: string | null }> {
  const log = createLogger({ name: 'status', level: 'error', destination: stderr })
  try {
    const chain = await connectChain({
      ...{ url: network, signal, clock: systemClock, log, needs: ['metagraph', 'hyperparameters', 'weights'] },
      expectGenesis: genesisHash as `0x${string}`,
      limits: { openMs: 3_000, requestMs: 10_000, giveUpMs: 3_000 },
    })
    try {
      const block = await chain.finalized()
      const [metagraph, hyperparameters] = await Promise.all([
        chain.metagraph(netuid, block.hash),
        chain.hyperparameters(netuid, block.hash),
      ])
      const me = metagraph.neurons.find((neuron) => neuron.hotkey === hotkey)
      const snapshot = { metagraph, hyperparameters, me }
      const facts = await readFacts({ chain, netuid, mechanism, hotkey: { address: hotkey } }, snapshot)
      const blockMs = await blockTime(chain, netuid, facts.metagraph.block.number, facts.clock.now)
      return { live: { url: chain.url, facts, blockMs }, away: null }
    } finally {
      await chain.close()
    }
  } catch (error) {
    if (signal.aborted || !(error instanceof SubnetError) || !AWAY.has(error.code)) throw error
    return { live: null, away: `${error.code}: ${error.message}` }
  }
}

/** Measures the time between blocks by the chain's own clock; null where it cannot be told. */
async function blockTime(chain: ChainClient, netuid: NetUid, block: Block, now: number): Promise<number | null> {
  const first = Math.max(1, block - AVERAGED) as Block
  const hash = first < block ? await chain.blockHash(first) : null
  if (hash === null) return null
  const { now: then } = await chain.commitReveal(netuid, hash)
  return (now - then) / (block - first)
}

/** Finds the data folder: the one that is named, or the only one there is. */
function dataFolder({ cwd }: CommandContext, { data }: Options): string {
  if (data !== undefined) return resolve(cwd, data)
  const parent = resolve(cwd, '.arbor', 'validator')
  const folders = existsSync(parent) ? readdirSync(parent) : []
  const [only] = folders
  if (only === undefined || folders.length > 1)
    throw noLedger(`${parent} holds ${folders.length} validators; name one's folder by --data`)
  return join(parent, only)
}

const noLedger = (why: string): SubnetError =>
  new SubnetError({ code: 'VALIDATOR_NO_LEDGER', message: `${why}; a validator's ledger lies in its --data folder` })
