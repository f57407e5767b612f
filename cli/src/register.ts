import { burnedRegister, registerLimit } from '@arbor/chain/client/calls'
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
import { openColdkey, readHotkeyPub } from '@arbor/chain/wallet/open'
import { formatAmount } from '@arbor/shared/amount'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex, NetUid, Rao, Ss58 } from '@arbor/shared/units'
import { Command } from 'commander'
import { z } from 'zod'
import { type Included, mustAfford, mustSucceed, withChain } from './chain.ts'
import { print } from './output.ts'

/** What `arbor register` prints with --json. */
export const registerSchema = z.object({
  netuid: z.number(),
  hotkey: z.string(),
  uid: z.number(),
  alreadyRegistered: z.boolean(),
  /** What this run paid. */
  paidRao: z.string(),
  block: z.number().nullable(),
})

interface Options extends NetworkOptions, WalletOptions {
  readonly netuid: NetUid
  readonly maxBurn?: bigint
}

/** Makes `arbor register`: one idempotent way to get a hotkey into a subnet. */
export function registerCommand(context: CommandContext): Command {
  return withJson(withNetwork(withWallet(new Command('register'), context)))
    .description('register a hotkey in a subnet, at a price that is named first')
    .requiredOption('--netuid <n>', 'the subnet', netuidArgument)
    .option('--max-burn <tao>', 'pay at most this much (default: the price now and 10 % more)', amountArgument)
    .action((options: Options) => {
      readHotkeyPub(options) // a missing key is told before any connection
      return withChain(context, options.network, (chain) => register(context, chain, options))
    })
}

async function register(context: CommandContext, chain: ChainConnection, options: Options): Promise<void> {
  const { netuid } = options
  const { address: hotkey } = readHotkeyPub(options)
  const known = await uidOf(chain, netuid, hotkey)
  const value = { netuid, hotkey, alreadyRegistered: known !== null, block: null, paidRao: '0' }
  if (known !== null) {
    const lines = [`hotkey ${hotkey} is registered in subnet ${netuid} already, as uid ${known}; nothing was paid`]
    return print(context, { json: options.json, schema: registerSchema, value: { ...value, uid: known }, lines })
  }
  const price = await mustBeOpen(chain, options)
  const limit = (options.maxBurn ?? price + price / 10n) as Rao
  const coldkey = await openColdkey(options, keyAccess(context, options))
  await mustAfford(chain, {
    account: coldkey.address,
    price,
    what: `registering in subnet ${netuid}`,
    wallet: options.wallet,
  })
  if (options.json !== true)
    context.stderr.write(`registering ${hotkey} in subnet ${netuid} for ${formatAmount(price)} TAO\n`)
  // Chains from before register_limit take the price of the moment, which was checked against the limit just now.
  const call = chain.has('SubtensorModule.register_limit')
    ? registerLimit({ netuid, hotkey, limitRao: limit })
    : burnedRegister({ netuid, hotkey })
  const done = mustSucceed('the registration', await chain.submit(call, { signer: coldkey, signal: context.signal }))
  const { block } = done
  const uid = await uidOf(chain, netuid, hotkey, block.hash)
  if (uid === null)
    throw new SubnetError({
      code: 'REGISTER_LOST',
      message: `block ${block.number} took the registration but holds no uid of ${hotkey}; run the command again`,
    })
  const paid = await paidIn(chain, coldkey.address, done)
  print(context, {
    json: options.json,
    schema: registerSchema,
    value: { ...value, uid, paidRao: paid.toString(), block: block.number },
    lines: [
      `hotkey ${hotkey} is uid ${uid} of subnet ${netuid} since block ${block.number}; it paid ${formatAmount(paid)} TAO`,
    ],
  })
}

/** Reads the price, and refuses a subnet that is closed or too dear. */
async function mustBeOpen(chain: ChainConnection, { netuid, maxBurn }: Options): Promise<Rao> {
  const { hash } = await chain.best()
  const [price, { registrationAllowed }] = await Promise.all([
    chain.registrationCost(netuid, hash),
    chain.hyperparameters(netuid, hash),
  ])
  if (!registrationAllowed) {
    throw new SubnetError({
      code: 'REGISTER_CLOSED',
      message: `subnet ${netuid} takes no registrations now; ask its owner`,
    })
  }
  if (maxBurn !== undefined && price > maxBurn) {
    throw new SubnetError({
      code: 'REGISTER_TOO_DEAR',
      message: `subnet ${netuid} costs ${formatAmount(price)} TAO, more than --max-burn ${formatAmount(maxBurn)}; wait until the price falls or raise the limit`,
      details: { priceRao: price.toString() },
    })
  }
  return price
}

/** Finds a hotkey's uid in a subnet; null when it is not registered. */
export async function uidOf(chain: ChainConnection, netuid: NetUid, hotkey: Ss58, at?: Hex): Promise<number | null> {
  const uid = await chain.read('SubtensorModule', 'Uids', [netuid, hotkey], at)
  return typeof uid === 'bigint' ? Number(uid) : null
}

/** What the call took besides the fee: the difference of the coldkey's balance over the block. */
async function paidIn(chain: ChainConnection, account: Ss58, { block, events }: Included): Promise<bigint> {
  const parent = await chain.blockHash((block.number - 1) as Block)
  const [before, after] = await Promise.all([
    chain.balance(account, parent ?? block.hash),
    chain.balance(account, block.hash),
  ])
  const fee = events.find(({ name }) => name === 'TransactionFeePaid')?.data.actual_fee
  return before - after - (typeof fee === 'bigint' ? fee : 0n)
}
