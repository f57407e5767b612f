import { join } from 'node:path'
import { badName } from './errors.ts'

/** A wallet by name in a folder of wallets. */
export interface WalletName {
  /** Folder of wallets, as ~/.bittensor/wallets. */
  readonly wallets: string
  readonly wallet: string
}

/** A hotkey of a wallet. */
export interface HotkeyName extends WalletName {
  readonly hotkey: string
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Finds a wallet's folder. @throws WALLET_NAME */
export const walletFolder = ({ wallets, wallet }: WalletName): string => {
  if (!NAME.test(wallet)) throw badName('wallet', wallet)
  return join(wallets, wallet)
}

/** Finds the files of a wallet's coldkey. @throws WALLET_NAME */
export const coldkeyFiles = (name: WalletName): { readonly secret: string; readonly pub: string } => {
  const folder = walletFolder(name)
  return { secret: join(folder, 'coldkey'), pub: join(folder, 'coldkeypub.txt') }
}

/** Finds the files of a hotkey. @throws WALLET_NAME */
export const hotkeyFiles = (name: HotkeyName): { readonly secret: string; readonly pub: string } => {
  if (!NAME.test(name.hotkey) || name.hotkey.endsWith('pub.txt')) throw badName('hotkey', name.hotkey)
  const folder = join(walletFolder(name), 'hotkeys')
  return { secret: join(folder, name.hotkey), pub: join(folder, `${name.hotkey}pub.txt`) }
}
