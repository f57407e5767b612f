import { join } from 'node:path'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { type NetUid, netUid } from '@arbor/shared/units'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseAmount } from './amount.ts'

/** Options of commands that talk to a chain. */
export interface NetworkOptions {
  readonly network: string
  readonly json?: boolean
}

/** Options of commands that use a wallet. */
export interface WalletOptions {
  readonly wallets: string
  readonly wallet: string
  readonly hotkey: string
}

/** Adds --network. */
export const withNetwork = (command: Command): Command =>
  command.addOption(
    new Option('--network <url>', "the chain's WebSocket").default('ws://127.0.0.1:9944').env('ARBOR_NETWORK'),
  )

/** Adds --wallets. */
export const withWallets = (command: Command, { homedir }: CommandContext): Command =>
  command.option('--wallets <folder>', 'where wallets lie', join(homedir, '.bittensor', 'wallets'))

/** Adds --wallets, --wallet and --hotkey. */
export const withWallet = (command: Command, context: CommandContext): Command =>
  withWallets(command, context)
    .option('--wallet <name>', 'the wallet', 'default')
    .option('--hotkey <name>', 'its hotkey', 'default')

/** Adds --json. */
export const withJson = (command: Command): Command =>
  command.option('--json', 'print one JSON document on stdout and nothing else')

/** Reads a subnet id given on the command line. */
export const netuidArgument = (text: string): NetUid => {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('an integer from 0 to 65535 is due')
  return netUid(Number(text))
}

/** Reads an amount given on the command line. */
export const amountArgument = (text: string): bigint => {
  try {
    return parseAmount(text)
  } catch (error) {
    throw error instanceof SubnetError ? new InvalidArgumentError(error.message) : error
  }
}
