import { resolve } from 'node:path'
import { type WalletOptions, withJson, withWallet } from '@arbor/chain/options'
import { keyAccess } from '@arbor/chain/wallet/access'
import { type KeyKind, type PasswordSource, passwordFile } from '@arbor/chain/wallet/password'
import { passwordPrompt } from '@arbor/chain/wallet/prompt'
import { changePassword, decryptKey, encryptKey, type Rewritten, writePublic } from '@arbor/chain/wallet/recrypt'
import type { CommandContext } from '@arbor/shared/command'
import { Argument, Command } from 'commander'
import { z } from 'zod'
import { print } from './output.ts'

/** What `arbor wallet encrypt`, `decrypt`, `passwd` and `public` print with --json. */
export const rewrittenSchema = z.object({ path: z.string(), address: z.string() })

interface Options extends WalletOptions {
  readonly json?: boolean
  readonly newPasswordFile?: string
}

/** Makes the commands of `arbor wallet` that write a key's file anew. */
export function keyCommands(context: CommandContext): readonly Command[] {
  const make = (of: {
    readonly verb: string
    readonly description: string
    readonly done: string
    readonly work: (kind: KeyKind, options: Options) => Promise<Rewritten>
  }): Command =>
    withJson(withWallet(new Command(of.verb), context))
      .description(of.description)
      .addArgument(new Argument('<key>', 'which key of the wallet').choices(['coldkey', 'hotkey']))
      .action(async (kind: KeyKind, options: Options) => {
        const value = await of.work(kind, options)
        const lines = [`${value.path} ${of.done} (${value.address})`]
        print(context, { json: options.json, schema: rewrittenSchema, value, lines })
      })
  return [
    make({
      verb: 'encrypt',
      description: 'encrypt a key with a new password',
      done: 'is encrypted now',
      work: (kind, options) => encryptKey({ kind, name: options }, keyAccess(context, options)),
    }),
    make({
      verb: 'decrypt',
      description: 'write a key unencrypted',
      done: 'lies open now',
      work: (kind, options) => decryptKey({ kind, name: options }, keyAccess(context, options)),
    }),
    make({
      verb: 'passwd',
      description: "change an encrypted key's password",
      done: 'has the new password',
      work: (kind, options) => {
        const access = keyAccess(context, options)
        return changePassword({ kind, name: options }, { access, fresh: freshSource(context, options) })
      },
    }).option('--new-password-file <file>', 'where the new password lies (mode 0600)'),
    make({
      verb: 'public',
      description: 'write the public file of a key that has none',
      done: 'is written',
      work: (kind, options) => writePublic({ kind, name: options }, keyAccess(context, options)),
    }),
  ]
}

const freshSource = (context: CommandContext, { newPasswordFile }: Options): PasswordSource | null =>
  newPasswordFile === undefined
    ? passwordPrompt(context)
    : passwordFile(resolve(context.cwd, newPasswordFile), '--new-password-file')
