import { registerNetwork, startCall } from '@arbor/chain/client/calls'
import type { ChainConnection } from '@arbor/chain/client/connect'
import type { Metagraph } from '@arbor/chain/client/types'
import {
  type NetworkOptions,
  netuidArgument,
  type WalletOptions,
  withJson,
  withNetwork,
  withWallet,
} from '@arbor/chain/options'
import { keyAccess } from '@arbor/chain/wallet/access'
import { openColdkey, readColdkeyPub, readHotkeyPub } from '@arbor/chain/wallet/open'
import { formatAmount } from '@arbor/shared/amount'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { type NetUid, netUid } from '@arbor/shared/units'
import { Command } from 'commander'
import { z } from 'zod'
import { mustAfford, mustSucceed, withChain } from './chain.ts'
import { print } from './output.ts'
import { setCommand, setDevRules } from './subnet-rules.ts'
import { table } from './table.ts'

/** What `arbor subnet create` and `start` print with --json. */
export const subnetCreatedSchema = z.object({
  netuid: z.number(),
  owner: z.string(),
  block: z.number(),
  started: z.boolean(),
  /** Why it is not started, as the chain names it. */
  reason: z.string().nullable(),
})
/** What `arbor subnet list` prints with --json. */
export const subnetListSchema = z.object({
  block: z.number(),
  subnets: z.array(
    z.object({ netuid: z.number(), neurons: z.number(), tempo: z.number(), registrationRao: z.string() }),
  ),
})
const neuron = z.object({
  uid: z.number(),
  hotkey: z.string(),
  coldkey: z.string(),
  registeredAt: z.number(),
  lastUpdate: z.number(),
  active: z.boolean(),
  validatorPermit: z.boolean(),
  axon: z.string().nullable(),
  alphaStakeRao: z.string(),
  totalStakeRao: z.string(),
  incentive: z.number(),
  dividends: z.number(),
  consensus: z.number(),
  validatorTrust: z.number(),
  emissionRao: z.string(),
})
/** What `arbor subnet show` prints with --json. */
export const subnetShowSchema = z.object({
  netuid: z.number(),
  block: z.object({ number: z.number(), hash: z.string() }),
  tempo: z.number(),
  lastEpochBlock: z.number(),
  epochIndex: z.number(),
  maxUids: z.number(),
  ownerHotkey: z.string(),
  neurons: z.array(neuron),
})

/** Makes `arbor subnet`: create, start, list and show subnets. */
export function subnetCommand(context: CommandContext): Command {
  type Both = NetworkOptions & WalletOptions
  const create = withJson(withNetwork(withWallet(new Command('create'), context)))
    .description('create a subnet owned by the wallet, and start it')
    .option('--reference-rules', "keep the chain's default rules, also on a development chain")
    .action((options: Create) => withChain(context, options.network, (chain) => createSubnet(context, chain, options)))
  const start = withJson(withNetwork(withWallet(new Command('start'), context)))
    .description("start a subnet's emission")
    .argument('<netuid>', 'the subnet', netuidArgument)
    .action((netuid: NetUid, options: Both) =>
      withChain(context, options.network, (chain) => startSubnet(context, chain, netuid, options)),
    )
  const list = withJson(withNetwork(new Command('list')))
    .description('list subnets')
    .action((options: NetworkOptions) =>
      withChain(context, options.network, (chain) => listSubnets(context, chain, options)),
    )
  const show = withJson(withNetwork(new Command('show')))
    .description("show a subnet's metagraph")
    .argument('<netuid>', 'the subnet', netuidArgument)
    .action((netuid: NetUid, options: NetworkOptions) =>
      withChain(context, options.network, async (chain) => showSubnet(context, await chain.metagraph(netuid), options)),
    )
  // A missing key is told before any connection.
  create.hook('preAction', (_, action) => void readHotkeyPub(action.opts<Both>()))
  start.hook('preAction', (_, action) => void readColdkeyPub(action.opts<Both>()))
  return new Command('subnet')
    .description('create and show subnets')
    .addCommand(create)
    .addCommand(start)
    .addCommand(list)
    .addCommand(show)
    .addCommand(setCommand(context))
}

interface Create extends NetworkOptions, WalletOptions {
  readonly referenceRules?: boolean
}

async function createSubnet(context: CommandContext, chain: ChainConnection, options: Create): Promise<void> {
  const { address: hotkey } = readHotkeyPub(options)
  const price = await chain.subnetCost()
  const coldkey = await openColdkey(options, keyAccess(context, options))
  await mustAfford(chain, { account: coldkey.address, price, what: 'creating a subnet', wallet: options.wallet })
  if (options.json !== true) context.stderr.write(`creating a subnet for ${formatAmount(price)} TAO\n`)
  const sign = { signer: coldkey, signal: context.signal }
  const { block, events } = mustSucceed('creating the subnet', await chain.submit(registerNetwork({ hotkey }), sign))
  const added = events.find(({ pallet, name }) => pallet === 'SubtensorModule' && name === 'NetworkAdded')
  const id = added === undefined ? undefined : Object.values(added.data)[0]
  if (typeof id !== 'bigint') {
    throw new SubnetError({
      code: 'SUBNET_LOST',
      message: `block ${block.number} took the call but names no new subnet; see arbor subnet list`,
    })
  }
  const netuid = netUid(Number(id))
  const started = await chain.submit(startCall({ netuid }), sign)
  const reason = 'error' in started ? started.error : null
  const dev = options.referenceRules !== true && (await chain.chainType()) === 'Development'
  const rules = dev ? await setDevRules(context, chain, netuid) : null
  print(context, {
    json: options.json,
    schema: subnetCreatedSchema,
    value: { netuid, owner: coldkey.address, block: block.number, started: reason === null, reason },
    lines: [
      `subnet ${netuid} exists since block ${block.number}, owned by ${coldkey.address}`,
      reason === null
        ? 'it is started: its epochs pay emission'
        : `it is not started yet (${reason}); later: arbor subnet start ${netuid} --wallet ${options.wallet}`,
      ...(rules === null ? [] : [`this is a development chain, so its rules are quick: ${rules}`]),
    ],
  })
}

async function startSubnet(
  context: CommandContext,
  chain: ChainConnection,
  netuid: NetUid,
  options: NetworkOptions & WalletOptions,
): Promise<void> {
  await chain.hyperparameters(netuid) // says CHAIN_NO_SUBNET before anything is signed
  const coldkey = await openColdkey(options, keyAccess(context, options))
  const submission = await chain.submit(startCall({ netuid }), { signer: coldkey, signal: context.signal })
  const { block } = mustSucceed(`starting subnet ${netuid}`, submission)
  print(context, {
    json: options.json,
    schema: subnetCreatedSchema,
    value: { netuid, owner: coldkey.address, block: block.number, started: true, reason: null },
    lines: [`subnet ${netuid} is started since block ${block.number}`],
  })
}

async function listSubnets(context: CommandContext, chain: ChainConnection, { json }: NetworkOptions): Promise<void> {
  const { number, hash } = await chain.best()
  const netuids = await chain.netuids(hash)
  const subnets = await Promise.all(
    netuids.map(async (netuid) => {
      const [neurons, tempo, price] = await Promise.all([
        chain.read('SubtensorModule', 'SubnetworkN', [netuid], hash),
        chain.read('SubtensorModule', 'Tempo', [netuid], hash),
        chain.registrationCost(netuid, hash),
      ])
      return { netuid, neurons: Number(neurons), tempo: Number(tempo), registrationRao: price.toString() }
    }),
  )
  const rows = subnets.map(({ netuid, neurons, tempo, registrationRao }) => [
    `${netuid}`,
    `${neurons}`,
    `${tempo}`,
    formatAmount(BigInt(registrationRao)),
  ])
  const lines = [`block ${number}`, ...table(['netuid', 'neurons', 'tempo', 'registration TAO'], rows)]
  print(context, { json, schema: subnetListSchema, value: { block: number, subnets }, lines })
}

function showSubnet(context: CommandContext, metagraph: Metagraph, { json }: NetworkOptions): void {
  const neurons = metagraph.neurons.map(({ alphaStake, totalStake, emission, axon, ...rest }) => ({
    ...rest,
    axon: axon === null ? null : `${axon.ip.includes(':') ? `[${axon.ip}]` : axon.ip}:${axon.port}`,
    alphaStakeRao: alphaStake.toString(),
    totalStakeRao: totalStake.toString(),
    emissionRao: emission.toString(),
  }))
  const header = [
    'uid',
    'hotkey',
    'permit',
    'stake',
    'incentive',
    'dividends',
    'consensus',
    'trust',
    'emission',
    'updated',
    'axon',
  ]
  const rows = neurons.map((entry) => [
    `${entry.uid}`,
    entry.hotkey,
    entry.validatorPermit ? 'yes' : 'no',
    formatAmount(BigInt(entry.totalStakeRao)),
    entry.incentive.toFixed(4),
    entry.dividends.toFixed(4),
    entry.consensus.toFixed(4),
    entry.validatorTrust.toFixed(4),
    formatAmount(BigInt(entry.emissionRao)),
    `${entry.lastUpdate}`,
    entry.axon ?? '-',
  ])
  const { netuid, block, tempo, lastEpochBlock, epochIndex } = metagraph
  const lines = [
    `subnet ${netuid} at block ${block.number}: tempo ${tempo}, epoch ${epochIndex}, last epoch in block ${lastEpochBlock}`,
    ...table(header, rows),
  ]
  print(context, { json, schema: subnetShowSchema, value: { ...metagraph, neurons }, lines })
}
