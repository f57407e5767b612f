import { addStake, removeStake } from '@arbor/chain/client/calls'
import type { ChainConnection } from '@arbor/chain/client/connect'
import {
  amountArgument,
  type NetworkOptions,
  netuidArgument,
  type WalletOptions,
  withJson,
  withNetwork,
  withWallet,
} from '@arbor/chain/options'
import { keyAccess } from '@arbor/chain/wallet/access'
import { listWallets, openColdkey, readColdkeyPub, readHotkeyPub } from '@arbor/chain/wallet/open'
import { formatAmount } from '@arbor/shared/amount'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import type { Alpha, NetUid, Rao, Ss58 } from '@arbor/shared/units'
import { Command } from 'commander'
import { z } from 'zod'
import { mustAfford, mustSucceed, withChain } from './chain.ts'
import { print } from './output.ts'
import { uidOf } from './register.ts'
import { table } from './table.ts'

/** What `arbor stake add` and `remove` print with --json. */
export const stakeChangeSchema = z.object({
  netuid: z.number(),
  hotkey: z.string(),
  coldkey: z.string(),
  stakeBeforeRao: z.string(),
  stakeAfterRao: z.string(),
  balanceRao: z.string(),
  block: z.number(),
})
/** What `arbor stake show` prints with --json. */
export const stakeShowSchema = z.object({
  block: z.number(),
  coldkey: z.string(),
  balanceRao: z.string(),
  stakes: z.array(z.object({ netuid: z.number(), hotkeyName: z.string(), hotkey: z.string(), stakeRao: z.string() })),
})

interface Change extends NetworkOptions, WalletOptions {
  readonly netuid: NetUid
  readonly amount: bigint
}
type Show = NetworkOptions & WalletOptions & { readonly netuid?: NetUid }

/** Makes `arbor stake`: add, remove and show stake. */
export function stakeCommand(context: CommandContext): Command {
  const change = (name: 'add' | 'remove', description: string, unit: string) =>
    withJson(withNetwork(withWallet(new Command(name), context)))
      .description(description)
      .requiredOption('--netuid <n>', 'the subnet', netuidArgument)
      .requiredOption(`--amount <${unit}>`, 'how much', amountArgument)
  const add = change('add', 'stake TAO on a hotkey of the wallet', 'tao').action((options: Change) =>
    withChain(context, options.network, (chain) => addTo(context, chain, options)),
  )
  const remove = change('remove', 'take alpha back from a hotkey as TAO', 'alpha').action((options: Change) =>
    withChain(context, options.network, (chain) => removeFrom(context, chain, options)),
  )
  const show = withJson(withNetwork(withWallet(new Command('show'), context)))
    .description("show what the wallet's coldkey has staked on its hotkeys")
    .option('--netuid <n>', 'this subnet only', netuidArgument)
    .action((options: Show) => withChain(context, options.network, (chain) => showStake(context, chain, options)))
  // A missing key is told before any connection.
  for (const command of [add, remove])
    command.hook('preAction', (_, action) => void readHotkeyPub(action.opts<Change>()))
  show.hook('preAction', (_, action) => void readColdkeyPub(action.opts<Show>()))
  return new Command('stake')
    .description('add, remove and show stake')
    .addCommand(add)
    .addCommand(remove)
    .addCommand(show)
}

async function addTo(context: CommandContext, chain: ChainConnection, options: Change): Promise<void> {
  const { netuid, amount } = options
  const { address: hotkey } = readHotkeyPub(options)
  await mustBeRegistered(chain, options, hotkey)
  const coldkey = await openColdkey(options, keyAccess(context, options))
  const price = amount as Rao
  await mustAfford(chain, {
    account: coldkey.address,
    price,
    what: `staking ${formatAmount(amount)} TAO`,
    wallet: options.wallet,
  })
  const of = { hotkey, netuid, coldkey: coldkey.address }
  const before = await chain.stake(of)
  const call = addStake({ hotkey, netuid, amount: price })
  const { block } = mustSucceed('staking', await chain.submit(call, { signer: coldkey, signal: context.signal }))
  await printChange(context, chain, { ...of, before, block, options })
}

async function removeFrom(context: CommandContext, chain: ChainConnection, options: Change): Promise<void> {
  const { netuid, amount } = options
  const { address: hotkey } = readHotkeyPub(options)
  const { address } = readColdkeyPub(options)
  const of = { hotkey, netuid, coldkey: address }
  const before = await chain.stake(of)
  if (before < amount) {
    throw new SubnetError({
      code: 'STAKE_TOO_LOW',
      message: `coldkey ${address} has ${formatAmount(before)} alpha on hotkey ${hotkey} in subnet ${netuid}, ${formatAmount(amount)} cannot be removed; see arbor stake show --wallet ${options.wallet}`,
      details: { stakeRao: before.toString() },
    })
  }
  const coldkey = await openColdkey(options, keyAccess(context, options))
  const call = removeStake({ hotkey, netuid, amount: amount as Alpha })
  const { block } = mustSucceed('removing stake', await chain.submit(call, { signer: coldkey, signal: context.signal }))
  await printChange(context, chain, { ...of, before, block, options })
}

async function printChange(
  context: CommandContext,
  chain: ChainConnection,
  of: {
    readonly hotkey: Ss58
    readonly coldkey: Ss58
    readonly netuid: NetUid
    readonly before: Alpha
    readonly block: Awaited<ReturnType<ChainConnection['best']>>
    readonly options: Change
  },
): Promise<void> {
  const { hotkey, coldkey, netuid, before, block, options } = of
  const [after, balance] = await Promise.all([chain.stake(of, block.hash), chain.balance(coldkey, block.hash)])
  print(context, {
    json: options.json,
    schema: stakeChangeSchema,
    value: {
      netuid,
      hotkey,
      coldkey,
      stakeBeforeRao: before.toString(),
      stakeAfterRao: after.toString(),
      balanceRao: balance.toString(),
      block: block.number,
    },
    lines: [
      `hotkey ${hotkey} in subnet ${netuid}: ${formatAmount(before)} → ${formatAmount(after)} alpha in block ${block.number}`,
      `coldkey ${coldkey} has ${formatAmount(balance)} TAO left`,
    ],
  })
}

async function showStake(context: CommandContext, chain: ChainConnection, options: Show): Promise<void> {
  const { address: coldkey } = readColdkeyPub(options)
  const { number, hash } = await chain.best()
  const netuids = options.netuid === undefined ? await chain.netuids(hash) : [options.netuid]
  const names = listWallets(options.wallets).find(({ wallet }) => wallet === options.wallet)?.hotkeys ?? []
  const all = await Promise.all(
    names.flatMap((hotkeyName) => {
      const { address: hotkey } = readHotkeyPub({ ...options, hotkey: hotkeyName })
      return netuids.map(async (netuid) => ({
        netuid,
        hotkeyName,
        hotkey,
        stake: await chain.stake({ hotkey, netuid, coldkey }, hash),
      }))
    }),
  )
  const balance = await chain.balance(coldkey, hash)
  const stakes = all
    .filter(({ stake }) => stake > 0n)
    .map(({ stake, ...rest }) => ({ ...rest, stakeRao: stake.toString() }))
  const rows = stakes.map(({ netuid, hotkeyName, hotkey, stakeRao }) => [
    `${netuid}`,
    hotkeyName,
    hotkey,
    formatAmount(BigInt(stakeRao)),
  ])
  const head = `coldkey ${coldkey} has ${formatAmount(balance)} TAO at block ${number}`
  const lines =
    rows.length === 0
      ? [head, 'nothing is staked; stake with arbor stake add']
      : [head, ...table(['netuid', 'hotkey', 'address', 'alpha'], rows)]
  print(context, {
    json: options.json,
    schema: stakeShowSchema,
    value: { block: number, coldkey, balanceRao: balance.toString(), stakes },
    lines,
  })
}

/** Refuses to stake on a hotkey that the subnet does not know. @throws HOTKEY_UNREGISTERED */
async function mustBeRegistered(
  chain: ChainConnection,
  { netuid, wallet, hotkey: name, network }: Change,
  hotkey: Ss58,
): Promise<void> {
  await chain.hyperparameters(netuid)
  if ((await uidOf(chain, netuid, hotkey)) !== null) return
  throw new SubnetError({
    code: 'HOTKEY_UNREGISTERED',
    message: `hotkey ${hotkey} is not registered in subnet ${netuid}; run: arbor register --netuid ${netuid} --wallet ${wallet} --hotkey ${name} --network ${network}`,
  })
}
