import { join } from 'node:path'
import { parseAmount } from '@arbor/shared/amount'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { type NetUid, netUid } from '@arbor/shared/units'
import { type Command, InvalidArgumentError, Option } from 'commander'

/** Options of commands that talk to a chain. */
export interface NetworkOptions {
  /** Addresses of one chain in order of preference. */
  readonly network: readonly string[]
  readonly json?: boolean
}

/** Options of commands that use a wallet. */
export interface WalletOptions {
  readonly wallets: string
  readonly wallet: string
  readonly hotkey: string
  readonly passwordFile?: string
}

const LOCAL = 'ws://127.0.0.1:9944'
const DEFAULT_NETWORK: readonly string[] = [LOCAL]

/** Reads addresses with commas between, and adds them to those that were given before. */
const networkArgument = (text: string, before: readonly string[] | undefined): readonly string[] => {
  const given = text.split(',').map((url) => url.trim())
  if (given.some((url) => !/^wss?:\/\/[^/\s]\S*$/.test(url)))
    throw new InvalidArgumentError(`"${text}" is no WebSocket address; give one as ${LOCAL}, or several with commas`)
  return [...(before === undefined || before === DEFAULT_NETWORK ? [] : before), ...given]
}

/** Makes --network: one address of the chain, or several in order of preference. */
export const networkOption = (): Option =>
  new Option('--network <url,...>', "the chain's WebSocket; of several addresses the next is used while one is away")
    .argParser(networkArgument)
    .default(DEFAULT_NETWORK, LOCAL)
    .env('ARBOR_NETWORK')

/** Adds --network. */
export const withNetwork = (command: Command): Command => command.addOption(networkOption())

/** Reads the address of one chain node: the command asks or serves that very process. */
const urlArgument = (text: string): string => {
  if (text.includes(','))
    throw new InvalidArgumentError(
      `"${text}" are several addresses; this command speaks to one chain node, name it with --url`,
    )
  return text
}

/** Makes --url: the address of one chain node. */
export const urlOption = (): Option =>
  new Option('--url <url>', "the chain's WebSocket; one address")
    .argParser(urlArgument)
    .default(LOCAL)
    .env('ARBOR_NETWORK')

/** Adds --wallets. */
export const withWallets = (command: Command, { homedir }: CommandContext): Command =>
  command.option('--wallets <folder>', 'where wallets lie', join(homedir, '.bittensor', 'wallets'))

/** Adds --password-file. */
export const withPasswordFile = (command: Command): Command =>
  command.option('--password-file <file>', 'where the password of an encrypted key lies (mode 0600)')

/** Adds --wallets, --wallet, --hotkey and --password-file. */
export const withWallet = (command: Command, context: CommandContext): Command =>
  withPasswordFile(withWallets(command, context))
    .option('--wallet <name>', 'the wallet', 'default')
    .option('--hotkey <name>', 'its hotkey', 'default')

/** Adds --json. */
export const withJson = (command: Command): Command =>
  command.option('--json', 'print one JSON document on stdout and nothing else')

/** Makes the reader of a whole number within bounds, both of them allowed. */
export const integerArgument =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`"${text}" is not a whole number from ${min} to ${max}`)
    return value
  }

/** Reads a subnet id given on the command line. */
export const netuidArgument = (text: string): NetUid => netUid(integerArgument(0, 65_535)(text))

/** Reads an amount given on the command line. */
export const amountArgument = (text: string): bigint => {
  try {
    return parseAmount(text)
  } catch (error) {
    throw error instanceof SubnetError ? new InvalidArgumentError(error.message) : error
  }
}

/** Adds --log-level. */
export const withLogLevel = (command: Command): Command =>
  command.addOption(
    new Option('--log-level <level>', 'how much to say').choices(['debug', 'info', 'warn', 'error']).default('info'),
  )
