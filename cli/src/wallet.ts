import { type WalletOptions, withJson, withWallet, withWallets } from '@arbor/chain/options'
import { createWallet } from '@arbor/chain/wallet/create'
import { listWallets, readColdkeyPub, readHotkeyPub } from '@arbor/chain/wallet/open'
import type { CommandContext } from '@arbor/shared/command'
import { generateMnemonic } from '@arbor/shared/keys'
import { Command } from 'commander'
import { z } from 'zod'
import { print } from './output.ts'
import { table } from './table.ts'

const key = z.object({ name: z.string(), address: z.string() })
/** What `arbor wallet list` and `show` print with --json. */
export const walletSchema = z.object({ wallet: z.string(), coldkey: z.string().nullable(), hotkeys: z.array(key) })
/** What `arbor wallet create` prints with --json. */
export const createdSchema = z.object({
  wallet: z.string(),
  hotkeyName: z.string(),
  coldkey: z.string(),
  hotkey: z.string(),
  coldkeyCreated: z.boolean(),
})

type Json = { readonly json?: boolean }

/** Makes `arbor wallet`: keys on this machine's disk; talks to no chain. */
export function walletCommand(context: CommandContext): Command {
  const create = withJson(withWallet(new Command('create'), context))
    .description('create a wallet (coldkey and hotkey), or add a hotkey to one')
    .action((options: WalletOptions & Json) => {
      const created = createWallet({ ...options, generateMnemonic })
      const coldkey = created.coldkey ?? readColdkeyPub(options).address
      print(context, {
        json: options.json,
        schema: createdSchema,
        value: {
          wallet: options.wallet,
          hotkeyName: options.hotkey,
          coldkey,
          hotkey: created.hotkey,
          coldkeyCreated: created.coldkey !== null,
        },
        lines: [
          `coldkey ${coldkey}${created.coldkey === null ? ' (kept)' : ''}`,
          `hotkey  ${created.hotkey} (${options.hotkey})`,
          `The keys lie unencrypted in ${options.wallets}/${options.wallet}; keep a copy of that folder, whoever has it owns the funds.`,
        ],
      })
    })
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
  return new Command('wallet')
    .description('create and show wallets')
    .addCommand(create)
    .addCommand(list)
    .addCommand(show)
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
