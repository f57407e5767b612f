import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { badPasswordFile } from './errors.ts'

/** Longest password, in bytes; a longer file is something else. */
const MAX_BYTES = 1024

/** Where the password of a key comes from. */
export interface PasswordSource {
  /** How it is named in errors. */
  readonly name: string
  /** Whether a person types it, who may mistype; a file says the same each time. */
  readonly isTyped: boolean
  /** Gives the password as bytes. @throws WALLET_PASSWORD_FILE, or the signal's reason */
  ask(of: { readonly question: string; readonly signal: AbortSignal }): Promise<Uint8Array>
}

/** The kinds of key, which may have passwords of their own. */
export type KeyKind = 'coldkey' | 'hotkey'

/**
 * Makes the source of a file that --password-file names. It must be its owner's alone; a pipe will do.
 * One newline at its end does not belong to the password.
 */
export const passwordFile = (path: string, option = '--password-file'): PasswordSource => ({
  name: `${option} ${path}`,
  isTyped: false,
  ask: async () => readPassword(path, { mustBePrivate: true }),
})

/**
 * Finds what systemd hands over with `LoadCredential=arbor-hotkey-password:…`; null where it hands nothing over.
 * @param folder $CREDENTIALS_DIRECTORY, which systemd keeps private; its files' modes show its own access rules
 */
export const passwordCredential = (folder: string | undefined, kind: KeyKind): PasswordSource | null => {
  if (folder === undefined || !isAbsolute(folder)) return null
  const path = join(folder, `arbor-${kind}-password`)
  return exists(path)
    ? { name: `the credential ${path}`, isTyped: false, ask: async () => readPassword(path, { mustBePrivate: false }) }
    : null
}

const exists = (path: string): boolean => {
  try {
    closeSync(openSync(path, 'r'))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw badPasswordFile(path, reasonOf(error))
  }
}

const readPassword = (path: string, { mustBePrivate }: { readonly mustBePrivate: boolean }): Uint8Array => {
  const bytes = readBounded(path, mustBePrivate)
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? -2 : -1) : bytes.length
  const password = bytes.subarray(0, end)
  if (password.length === 0) throw badPasswordFile(path, 'it is empty')
  return password
}

const readBounded = (path: string, mustBePrivate: boolean): Uint8Array => {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    throw badPasswordFile(path, reasonOf(error))
  }
  try {
    const stat = fstatSync(file)
    if (stat.isDirectory()) throw badPasswordFile(path, 'it is a folder')
    if (mustBePrivate && (stat.mode & 0o077) !== 0)
      throw badPasswordFile(path, `other users can use it; run: chmod 600 "${path}"`)
    const bytes = Buffer.alloc(MAX_BYTES + 3) // and a newline of two bytes
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(file, bytes, length, bytes.length - length, null)
    if (length === bytes.length) throw badPasswordFile(path, `it is longer than ${MAX_BYTES} bytes`)
    return bytes.subarray(0, length)
  } finally {
    closeSync(file)
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
