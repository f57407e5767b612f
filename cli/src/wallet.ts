import { type WalletOptions, withJson, withWallets } from '@arbor/chain/options'
import {
  keyState,
  listWallets,
  readColdkeyFile,
  readColdkeyPub,
  readHotkeyFile,
  readHotkeyPub,
} from '@arbor/chain/wallet/open'
import type { CommandContext } from '@arbor/shared/command'
import { Command } from 'commander'
import { z } from 'zod'
import { print } from './output.ts'
import { table } from './table.ts'
import { createCommand } from './wallet-create.ts'
import { keyCommands } from './wallet-keys.ts'

/** How a secret lies on disk; null when its file is not there or cannot be read. */
const state = z.enum(['encrypted', 'open']).nullable()
/** Its address is null when only the password would tell it. */
const key = z.object({ name: z.string(), address: z.string().nullable(), state })
/** What `arbor wallet list` and `show` print with --json. */
export const walletSchema = z.object({
  wallet: z.string(),
  coldkey: z.string().nullable(),
  coldkeyState: state,
  hotkeys: z.array(key),
})
type Json = { readonly json?: boolean }

/** Makes `arbor wallet`: keys on this machine's disk; talks to no chain. */
export function walletCommand(context: CommandContext): Command {
  const list = withJson(withWallets(new Command('list'), context))
    .description('list wallets and their hotkeys')
    .action(({ wallets, json }: { readonly wallets: string } & Json) => {
      const value = listWallets(wallets).map(({ wallet }) => describe(wallets, wallet))
      const rows = value.flatMap((each) => rowsOf(each).map((row) => [each.wallet, ...row]))
      const lines =
        rows.length === 0
          ? [`no wallets in ${wallets}; make one with arbor wallet create`]
          : table(['wallet', 'key', 'address', 'secret'], rows)
      print(context, { json, schema: z.array(walletSchema), value, lines })
    })
  const show = withJson(withWallets(new Command('show'), context))
    .description("show a wallet's addresses")
    .option('--wallet <name>', 'the wallet', 'default')
    .action(({ wallets, wallet, json }: Omit<WalletOptions, 'hotkey'> & Json) => {
      readColdkeyPub({ wallets, wallet })
      const value = describe(wallets, wallet)
      const lines = table(['key', 'address', 'secret'], rowsOf(value))
      print(context, { json, schema: walletSchema, value, lines })
    })
  const wallet = new Command('wallet')
    .description('create, encrypt and show wallets')
    .addCommand(createCommand(context))
    .addCommand(list)
    .addCommand(show)
  for (const command of keyCommands(context)) wallet.addCommand(command)
  return wallet
}

const rowsOf = ({ coldkey, coldkeyState, hotkeys }: z.infer<typeof walletSchema>): string[][] => [
  ['coldkey', coldkey ?? '-', coldkeyState ?? '-'],
  ...hotkeys.map(({ name, address, state }) => [`hotkey ${name}`, address ?? '-', state ?? '-']),
]

/** Reads a wallet's addresses; keys that cannot be read are left out. */
const describe = (wallets: string, wallet: string): z.infer<typeof walletSchema> => {
  const hotkeys = listWallets(wallets).find((entry) => entry.wallet === wallet)?.hotkeys ?? []
  return {
    wallet,
    coldkey: addressOf(() => readColdkeyPub({ wallets, wallet })),
    coldkeyState: keyState(() => readColdkeyFile({ wallets, wallet })),
    hotkeys: hotkeys.flatMap((name) => {
      const hotkey = { wallets, wallet, hotkey: name }
      const address = addressOf(() => readHotkeyPub(hotkey))
      const state = keyState(() => readHotkeyFile(hotkey))
      return address === null && state !== 'encrypted' ? [] : [{ name, address, state }]
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
