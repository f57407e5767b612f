import { resolve } from 'node:path'
import type { Clock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import type { Logger } from '@arbor/shared/log'
import type { Signer } from '@arbor/shared/signer'
import { decodeSs58 } from '@arbor/shared/ss58'
import type { Ss58 } from '@arbor/shared/units'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { WalletOptions } from '../options.ts'
import { keyAccess } from '../wallet/access.ts'
import { refuseSecrets } from '../wallet/environment.ts'
import { openHotkey } from '../wallet/open.ts'
import { openSigner } from './client.ts'
import { readToken, tokenPathOf } from './place.ts'

/** Options of commands that sign with a hotkey that may be another process's. */
export interface SignerOptions extends WalletOptions {
  readonly signer?: string
  readonly signerHotkey?: Ss58
  readonly signerTokenFile?: string
}

/** Adds --signer and its companions. */
export const withSigner = (command: Command): Command =>
  command
    .addOption(
      new Option('--signer <socket>', 'let arbor signer sign, which listens there; no keyfile is read then').conflicts([
        'wallets',
        'wallet',
        'hotkey',
        'passwordFile',
      ]),
    )
    .option('--signer-hotkey <address>', 'with --signer: which of its hotkeys (default: its only one)', addressArgument)
    .option('--signer-token-file <file>', "with --signer: its token (default: the socket's path and .token)")

/**
 * Opens the hotkey: that of the signer that is named, else the wallet's.
 * @throws SIGNER_*, WALLET_SECRET_IN_ENVIRONMENT, or as openHotkey
 */
export const openHotkeySigner = async (of: {
  readonly context: CommandContext
  readonly options: SignerOptions
  readonly clock: Clock
  readonly log: Logger
}): Promise<Signer> => {
  const { context, options, clock, log } = of
  const { cwd, signal } = context
  if (options.signer === undefined) {
    const name = { wallets: resolve(cwd, options.wallets), wallet: options.wallet, hotkey: options.hotkey }
    return openHotkey(name, keyAccess(context, options))
  }
  refuseSecrets(context.env, (text) => void context.stderr.write(`${text}\n`))
  const socket = resolve(cwd, options.signer)
  const tokenFile = resolve(cwd, options.signerTokenFile ?? tokenPathOf(socket))
  return openSigner({ socket, token: () => readToken(tokenFile), hotkey: options.signerHotkey, clock, log, signal })
}

const addressArgument = (text: string): Ss58 => {
  try {
    decodeSs58(text as Ss58)
    return text as Ss58
  } catch {
    throw new InvalidArgumentError('an SS58 address is due')
  }
}
