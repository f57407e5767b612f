import { type WalletOptions, withJson, withWallets } from '@arbor/chain/options'
import { listWallets, readColdkeyPub, readHotkeyPub } from '@arbor/chain/wallet/open'
import type { CommandContext } from '@arbor/shared/command'
import { Command } from 'commander'
import { z } from 'zod'
import { print } from './output.ts'
import { table } from './table.ts'
import { createCommand } from './wallet-create.ts'
import { keyCommands } from './wallet-keys.ts'

const key = z.object({ name: z.string(), address: z.string() })
/** What `arbor wallet list` and `show` print with --json. */
export const walletSchema = z.object({ wallet: z.string(), coldkey: z.string().nullable(), hotkeys: z.array(key) })
type Json = { readonly json?: boolean }

/** Makes `arbor wallet`: keys on this machine's disk; talks to no chain. */
export function walletCommand(context: CommandContext): Command {
  const list = withJson(withWallets(new Command('list'), context))
    .description('list wallets and their hotkeys')
    .action(({ wallets, json }: { readonly wallets: string } & Json) => {
      const value = listWallets(wallets).map(({ wallet }) => describe(wallets, wallet))
      const rows = value.flatMap(({ wallet, coldkey, hotkeys }) => [
        [wallet, 'coldkey', coldkey ?? '-'],
        ...hotkeys.map(({ name, address }) => [wallet, `hotkey ${name}`, address]),
      ])
      const lines =
        rows.length === 0
          ? [`no wallets in ${wallets}; make one with arbor wallet create`]
          : table(['wallet', 'key', 'address'], rows)
      print(context, { json, schema: z.array(walletSchema), value, lines })
    })
  const show = withJson(withWallets(new Command('show'), context))
    .description("show a wallet's addresses")
    .option('--wallet <name>', 'the wallet', 'default')
    .action(({ wallets, wallet, json }: Omit<WalletOptions, 'hotkey'> & Json) => {
      readColdkeyPub({ wallets, wallet })
      const value = describe(wallets, wallet)
      const rows = [
        ['coldkey', value.coldkey ?? '-'],
        ...value.hotkeys.map(({ name, address }) => [`hotkey ${name}`, address]),
      ]
      print(context, { json, schema: walletSchema, value, lines: table(['key', 'address'], rows) })
    })
  const wallet = new Command('wallet')
    .description('create, encrypt and show wallets')
    .addCommand(createCommand(context))
    .addCommand(list)
    .addCommand(show)
  for (const command of keyCommands(context)) wallet.addCommand(command)
  return wallet
}

/** Reads a wallet's addresses; keys that cannot be read are left out. */
const describe = (wallets: string, wallet: string): z.infer<typeof walletSchema> => {
  const hotkeys = listWallets(wallets).find((entry) => entry.wallet === wallet)?.hotkeys ?? []
  return {
    wallet,
    coldkey: addressOf(() => readColdkeyPub({ wallets, wallet })),
    hotkeys: hotkeys.flatMap((name) => {
      const address = addressOf(() => readHotkeyPub({ wallets, wallet, hotkey: name }))
      return address === null ? [] : [{ name, address }]
    }),
  }
}

const addressOf = (read: () => { readonly address: string }): string | null => {
  try {
    return read().address
  } catch {
    return null // shown as "-": a list must not fail for one bad file
  }
}
