import { type WalletOptions, withJson, withWallet } from '@arbor/chain/options'
import { keyAccess } from '@arbor/chain/wallet/access'
import { createWallet, mustBeNew, type Seal } from '@arbor/chain/wallet/create'
import { newSeal } from '@arbor/chain/wallet/new-password'
import { readColdkeyPub } from '@arbor/chain/wallet/open'
import type { CommandContext } from '@arbor/shared/command'
import { generateMnemonic } from '@arbor/shared/keys'
import { Command } from 'commander'
import { z } from 'zod'
import { print } from './output.ts'

/** What `arbor wallet create` prints with --json. */
export const createdSchema = z.object({
  wallet: z.string(),
  hotkeyName: z.string(),
  coldkey: z.string(),
  hotkey: z.string(),
  coldkeyCreated: z.boolean(),
  /** Which of the keys made now lie encrypted. */
  encrypted: z.array(z.enum(['coldkey', 'hotkey'])),
})

interface Options extends WalletOptions {
  readonly json?: boolean
  readonly encrypt?: boolean
  readonly encryptHotkey?: boolean
}

/** Makes `arbor wallet create`. */
export const createCommand = (context: CommandContext): Command =>
  withJson(withWallet(new Command('create'), context))
    .description('create a wallet (coldkey and hotkey), or add a hotkey to one')
    .option('--encrypt', 'encrypt the coldkey (default: when a password is given or typed)')
    .option('--no-encrypt', 'leave the coldkey open')
    .option('--encrypt-hotkey', 'encrypt the hotkey with the same password')
    .action((options: Options) => create(context, options))

async function create(context: CommandContext, options: Options): Promise<void> {
  const seal = await seals(context, options)
  const created = createWallet({ ...options, generateMnemonic, seal })
  const coldkey = created.coldkey ?? readColdkeyPub(options).address
  const encrypted = [
    ...(seal.coldkey && created.coldkey !== null ? (['coldkey'] as const) : []),
    ...(seal.hotkey ? (['hotkey'] as const) : []),
  ]
  const state = (key: 'coldkey' | 'hotkey'): string => (encrypted.includes(key) ? ', encrypted' : '')
  const isOpen = encrypted.length < (created.coldkey === null ? 1 : 2)
  const folder = `${options.wallets}/${options.wallet}`
  print(context, {
    json: options.json,
    schema: createdSchema,
    value: {
      wallet: options.wallet,
      hotkeyName: options.hotkey,
      coldkey,
      hotkey: created.hotkey,
      coldkeyCreated: created.coldkey !== null,
      encrypted,
    },
    lines: [
      `coldkey ${coldkey}${created.coldkey === null ? ' (kept)' : state('coldkey')}`,
      `hotkey  ${created.hotkey} (${options.hotkey})${state('hotkey')}`,
      `Keep a copy of ${folder}${encrypted.length > 0 ? ', and of the password: nothing opens the key without it' : ''}.`,
      ...(isOpen ? [`What is not marked as encrypted lies open in that folder: whoever can read it has the key.`] : []),
    ],
  })
}

/** Finds out what encrypts the keys; refuses a name that is taken before it asks for a password. */
async function seals(
  context: CommandContext,
  options: Options,
): Promise<{ readonly coldkey: Seal | undefined; readonly hotkey: Seal | undefined }> {
  const { withColdkey } = mustBeNew(options)
  const access = keyAccess(context, options)
  const source = access.password(withColdkey ? 'coldkey' : 'hotkey')
  const wantsColdkey = withColdkey && (options.encrypt ?? source !== null)
  const wantsHotkey = options.encryptHotkey === true
  if (!wantsColdkey && !wantsHotkey) return { coldkey: undefined, hotkey: undefined }
  const mayBeEmpty = options.encrypt === undefined && !wantsHotkey
  const what = wantsColdkey ? (wantsHotkey ? 'coldkey and the hotkey' : 'coldkey') : 'hotkey'
  const seal = (await newSeal({ what, source, access, mayBeEmpty })) ?? undefined
  return { coldkey: wantsColdkey ? seal : undefined, hotkey: wantsHotkey ? seal : undefined }
}
