import { burnedRegister, registerLimit } from '@arbor/chain/client/calls'
import type { ChainConnection } from '@arbor/chain/client/connect'
import {
  amountArgument,
  integerArgument,
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
import type { Keypair } from '@arbor/shared/keypair'
import type { Block, Hex, NetUid, Rao, Ss58 } from '@arbor/shared/units'
import { Command } from 'commander'
import { z } from 'zod'
import { type Included, mustAfford, withChain } from './chain.ts'
import { print } from './output.ts'
import { type Quote, registerWithin } from './register-wait.ts'

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
  readonly quote?: boolean
  /** Blocks. */
  readonly wait: number
}

/** Makes `arbor register`: one idempotent way to get a hotkey into a subnet. */
export function registerCommand(context: CommandContext): Command {
  return withJson(withNetwork(withWallet(new Command('register'), context)))
    .description('register a hotkey in a subnet, at a price that is named first')
    .requiredOption('--netuid <n>', 'the subnet', netuidArgument)
    .option('--max-burn <tao>', 'pay at most this much (default: the price now and 10 % more)', amountArgument)
    .option('--quote', 'say what it costs now, and pay nothing')
    .option(
      '--wait <blocks>',
      'wait so long for a price within --max-burn, for an open subnet, or for room in a block',
      integerArgument(0, 1_000_000),
      0,
    )
    .action((options: Options) => {
      readHotkeyPub(options) // a missing key is told before any connection
      return withChain(context, options.network, (chain) => register(context, chain, options))
    })
}

/** What `arbor register --quote` prints with --json. */
export const quoteSchema = z.object({
  netuid: z.number(),
  hotkey: z.string(),
  alreadyRegistered: z.boolean(),
  open: z.boolean(),
  priceRao: z.string(),
  block: z.number(),
})

async function register(context: CommandContext, chain: ChainConnection, options: Options): Promise<void> {
  const { netuid, maxBurn, wait } = options
  const { address: hotkey } = readHotkeyPub(options)
  if (options.quote === true) return quote(context, chain, options)
  const known = await uidOf(chain, netuid, hotkey)
  if (known !== null) return printKnown(context, options, hotkey, known)
  let coldkey: Keypair | null = null
  const done = await registerWithin(
    {
      netuid,
      maxBurnRao: (maxBurn ?? null) as Rao | null,
      waitBlocks: wait,
      quote: async () => quoteAt(chain, netuid, (await chain.best()).hash),
      uid: () => uidOf(chain, netuid, hotkey),
      heads: (signal) => chain.heads('best', signal),
      say: (line) => void context.stderr.write(line),
      submit: async ({ priceRao, limitRao }) => {
        coldkey ??= await openColdkey(options, keyAccess(context, options))
        const what = `registering in subnet ${netuid}`
        await mustAfford(chain, { account: coldkey.address, price: priceRao, what, wallet: options.wallet })
        if (options.json !== true)
          context.stderr.write(`registering ${hotkey} in subnet ${netuid} for ${formatAmount(priceRao)} TAO\n`)
        // Chains from before register_limit take the price of the moment, which was checked against the limit just now.
        const call = chain.has('SubtensorModule.register_limit')
          ? registerLimit({ netuid, hotkey, limitRao })
          : burnedRegister({ netuid, hotkey })
        return chain.submit(call, { signer: coldkey, signal: context.signal })
      },
    },
    context.signal,
  )
  if (typeof done === 'number') return printKnown(context, options, hotkey, done)
  const { block } = done
  const uid = await uidOf(chain, netuid, hotkey, block.hash)
  if (uid === null)
    throw new SubnetError({
      code: 'REGISTER_LOST',
      message: `block ${block.number} took the registration but holds no uid of ${hotkey}; run the command again`,
    })
  const paid = await paidIn(chain, readColdkeyPub(options).address, done)
  print(context, {
    json: options.json,
    schema: registerSchema,
    value: { netuid, hotkey, alreadyRegistered: false, uid, paidRao: paid.toString(), block: block.number },
    lines: [
      `hotkey ${hotkey} is uid ${uid} of subnet ${netuid} since block ${block.number}; it paid ${formatAmount(paid)} TAO`,
    ],
  })
}

const printKnown = (context: CommandContext, options: Options, hotkey: Ss58, uid: number): void => {
  const { netuid, json } = options
  const lines = [`hotkey ${hotkey} is registered in subnet ${netuid} already, as uid ${uid}; nothing was paid`]
  const value = { netuid, hotkey, alreadyRegistered: true, block: null, paidRao: '0', uid }
  print(context, { json, schema: registerSchema, value, lines })
}

/** Says what a registration takes now, and pays nothing. */
async function quote(context: CommandContext, chain: ChainConnection, options: Options): Promise<void> {
  const { netuid, json } = options
  const { address: hotkey } = readHotkeyPub(options)
  const { number, hash } = await chain.best()
  const [{ priceRao, isOpen }, uid] = await Promise.all([
    quoteAt(chain, netuid, hash),
    uidOf(chain, netuid, hotkey, hash),
  ])
  const alreadyRegistered = uid !== null
  const value = { netuid, hotkey, alreadyRegistered, open: isOpen, priceRao: priceRao.toString(), block: number }
  const state = alreadyRegistered ? `; hotkey ${hotkey} is uid ${uid} already` : isOpen ? '' : '; it takes none now'
  const lines = [`subnet ${netuid} costs ${formatAmount(priceRao)} TAO at block ${number}${state}`]
  print(context, { json, schema: quoteSchema, value, lines })
}

async function quoteAt(chain: ChainConnection, netuid: NetUid, hash: Hex): Promise<Quote> {
  const [priceRao, { registrationAllowed }] = await Promise.all([
    chain.registrationCost(netuid, hash),
    chain.hyperparameters(netuid, hash),
  ])
  return { priceRao, isOpen: registrationAllowed }
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
