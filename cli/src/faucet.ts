import { transferKeepAlive } from '@arbor/chain/client/calls'
import type { ChainConnection } from '@arbor/chain/client/connect'
import { amountArgument, type NetworkOptions, withJson, withNetwork, withWallets } from '@arbor/chain/options'
import { readColdkeyPub } from '@arbor/chain/wallet/open'
import { formatAmount } from '@arbor/shared/amount'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Rao } from '@arbor/shared/units'
import { Command, Option } from 'commander'
import { z } from 'zod'
import { mustSucceed, withChain } from './chain.ts'
import { print } from './output.ts'

/** What `arbor faucet` prints with --json. */
export const faucetSchema = z.object({
  account: z.string(),
  amountRao: z.string(),
  balanceRao: z.string(),
  block: z.number(),
})

interface Options extends NetworkOptions {
  readonly wallets: string
  readonly wallet: string
  readonly amount: bigint
}

/** Makes `arbor faucet`: gives a wallet TAO from //Alice, on development chains only. */
export function faucetCommand(context: CommandContext): Command {
  return withJson(withNetwork(withWallets(new Command('faucet'), context)))
    .description('give a wallet TAO on a development chain')
    .option('--wallet <name>', 'the wallet', 'default')
    .addOption(
      new Option('--amount <tao>', 'how much').argParser(amountArgument).default(amountArgument('1000'), '1000'),
    )
    .action((options: Options) => {
      readColdkeyPub(options) // a missing wallet is told before any connection
      return withChain(context, options.network, (chain) => give(context, chain, options))
    })
}

/** Expects a development chain. @throws FAUCET_NOT_DEV */
export async function mustBeDev(chain: ChainConnection): Promise<void> {
  const kind = await chain.chainType()
  if (kind === 'Development') return
  throw new SubnetError({
    code: 'FAUCET_NOT_DEV',
    message: `${chain.url} is a ${kind} chain; only development chains give TAO away, buy or receive it here`,
  })
}

async function give(context: CommandContext, chain: ChainConnection, options: Options): Promise<void> {
  const { address } = readColdkeyPub(options)
  await mustBeDev(chain)
  const alice = keypairFromUri('//Alice')
  const free = await chain.balance(alice.address)
  if (free <= options.amount) {
    throw new SubnetError({
      code: 'FAUCET_EMPTY',
      message: `//Alice has ${formatAmount(free)} TAO left, ${formatAmount(options.amount)} were asked for; ask for less or start a fresh chain`,
      details: { freeRao: free.toString() },
    })
  }
  const call = transferKeepAlive({ to: address, amount: options.amount as Rao })
  const { block } = mustSucceed('the transfer', await chain.submit(call, { signer: alice, signal: context.signal }))
  const balance = await chain.balance(address, block.hash)
  print(context, {
    json: options.json,
    schema: faucetSchema,
    value: {
      account: address,
      amountRao: options.amount.toString(),
      balanceRao: balance.toString(),
      block: block.number,
    },
    lines: [
      `gave ${formatAmount(options.amount)} TAO to ${address} in block ${block.number}; it has ${formatAmount(balance)} TAO now`,
    ],
  })
}
