import { randomBytes } from 'node:crypto'
import { freemem } from 'node:os'
import { resolve } from 'node:path'
import process from 'node:process'
import { untilAborted } from '@arbor/shared/aborted'
import type { CommandContext } from '@arbor/shared/command'
import { encryptedFormat, openKeyfile } from './encryption.ts'
import { refuseSecrets } from './environment.ts'
import { encrypted, tooOld, wrongPassword } from './errors.ts'
import { type KeyKind, type PasswordSource, passwordCredential, passwordFile } from './password.ts'
import { passwordPrompt } from './prompt.ts'

/** How often a person may type a password wrongly before the command ends. */
export const TRIES = 3

/** What opening encrypted keys takes. */
export interface KeyAccess {
  readonly signal: AbortSignal
  /** Finds where a key's password comes from; null when there is nowhere. */
  readonly password: (kind: KeyKind) => PasswordSource | null
  /** Tells a person something. */
  readonly say: (text: string) => void
  /** Memory that this process may still take, in bytes. */
  readonly freeBytes: () => number
  /** Memory that a key is derived with, in KiB; 512 MiB where wallets are shared with other programs, so anywhere but in tests. */
  readonly memoryKiB?: number | undefined
  readonly randomBytes: (length: number) => Uint8Array
}

/**
 * Makes a command's access to keys. A password comes from --password-file, else from systemd's credential
 * `arbor-hotkey-password` or `arbor-coldkey-password`, else from the person at the terminal; never from an argument
 * or the environment.
 * @throws WALLET_SECRET_IN_ENVIRONMENT
 */
export function keyAccess(context: CommandContext, options: { readonly passwordFile?: string }): KeyAccess {
  const { signal, stderr, env, cwd } = context
  const say = (text: string): void => void stderr.write(`${text}\n`)
  refuseSecrets(env, say)
  return {
    signal,
    say,
    password: (kind) =>
      options.passwordFile === undefined
        ? (passwordCredential(env.CREDENTIALS_DIRECTORY, kind) ?? passwordPrompt(context))
        : passwordFile(resolve(cwd, options.passwordFile)),
    freeBytes,
    randomBytes,
  }
}

/**
 * Decrypts a keyfile's content; one that is not encrypted is returned as it is. A person gets three tries, a file one.
 * @throws WALLET_ENCRYPTED when no password can be had, WALLET_PASSWORD when it is wrong, WALLET_PASSWORD_FILE,
 *   WALLET_CORRUPT, WALLET_FORMAT, WALLET_MEMORY, or the signal's reason
 */
export async function decrypted(of: {
  readonly content: Uint8Array
  readonly path: string
  readonly kind: KeyKind
  readonly access: KeyAccess | undefined
}): Promise<Uint8Array> {
  const { content, path, kind, access } = of
  const format = encryptedFormat(content)
  if (format === null) return content
  if (format === 'fernet') throw tooOld(path, 'a Fernet token')
  const source = access?.password(kind)
  if (!access || !source) throw encrypted(path, kind)
  const { signal, freeBytes, memoryKiB } = access
  for (let left = source.isTyped ? TRIES : 1; left > 0; left -= 1) {
    const password = await source.ask({ question: `Password of ${path}`, signal })
    const opened = await untilAborted(openKeyfile({ content, format, path, password, freeBytes, memoryKiB }), signal)
    password.fill(0)
    if (opened !== null) return opened
    if (left > 1) access.say(`that password does not open it; ${left - 1} ${left > 2 ? 'tries' : 'try'} left`)
  }
  throw wrongPassword(path, source.name)
}

/** Memory that the machine, and this process's control group, have left. */
const freeBytes = (): number => {
  const limit = process.constrainedMemory() // 0, or over what a machine can have, where there is no limit
  return limit > 0 ? Math.min(freemem(), limit - process.memoryUsage.rss()) : freemem()
}
