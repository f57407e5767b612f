import { closeSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { SubnetError } from '@arbor/shared/errors'
import type { Keypair } from '@arbor/shared/keypair'
import { decrypted, type KeyAccess } from './access.ts'
import { encryptedFormat } from './encryption.ts'
import { corrupt, exposed, noPublicFile, notFound, unreadable } from './errors.ts'
import { type PublicKey, parsePublic, parseSecret } from './keyfile.ts'
import { coldkeyFiles, type HotkeyName, hotkeyFiles, type WalletName } from './paths.ts'

/** No keyfile is larger; a bigger file is something else. */
const MAX_BYTES = 64 * 1024

/**
 * Opens a hotkey, the key that signs work.
 * @param access gives the password of an encrypted one; without it only unencrypted ones open
 * @throws WALLET_NOT_FOUND, WALLET_CORRUPT, WALLET_KEY_TYPE, WALLET_ENCRYPTED, WALLET_PASSWORD, WALLET_PASSWORD_FILE,
 *   WALLET_MEMORY, WALLET_PERMISSIONS, WALLET_UNREADABLE, WALLET_NAME
 */
export async function openHotkey(name: HotkeyName, access?: KeyAccess): Promise<Keypair> {
  const { secret: path } = hotkeyFiles(name)
  return parseSecret(await decrypted({ content: readHotkeyFile(name), path, kind: 'hotkey', access }), path)
}

/**
 * Opens a coldkey, the key that owns funds; only commands that register, stake or transfer may call this.
 * @throws as openHotkey
 */
export async function openColdkey(name: WalletName, access?: KeyAccess): Promise<Keypair> {
  const { secret: path } = coldkeyFiles(name)
  return parseSecret(await decrypted({ content: readColdkeyFile(name), path, kind: 'coldkey', access }), path)
}

/** Reads a hotkey's file as it lies on disk. @throws WALLET_NOT_FOUND, WALLET_CORRUPT, WALLET_PERMISSIONS, WALLET_UNREADABLE, WALLET_NAME */
export const readHotkeyFile = (name: HotkeyName): Uint8Array =>
  readKeyfile(hotkeyFiles(name).secret, { secret: true, fix: createFix(name, name.hotkey) })

/** Reads a coldkey's file as it lies on disk. @throws as readHotkeyFile */
export const readColdkeyFile = (name: WalletName): Uint8Array =>
  readKeyfile(coldkeyFiles(name).secret, { secret: true, fix: createFix(name) })

/** Reads a coldkey's address without its secret. @throws as openHotkey */
export function readColdkeyPub(name: WalletName): PublicKey {
  const { pub } = coldkeyFiles(name)
  return parsePublic(readKeyfile(pub, { secret: false, fix: createFix(name) }), pub)
}

/** Reads a hotkey's address; from the secret file in wallets that keep no public one. @throws as openHotkey */
export function readHotkeyPub(name: HotkeyName): PublicKey {
  const { pub } = hotkeyFiles(name)
  try {
    return parsePublic(readKeyfile(pub, { secret: false, fix: createFix(name, name.hotkey) }), pub)
  } catch (error) {
    if (!isCode(error, 'WALLET_NOT_FOUND')) throw error
    const { secret } = hotkeyFiles(name)
    const content = readHotkeyFile(name)
    if (encryptedFormat(content) !== null) throw noPublicFile(secret, commandFor('public hotkey', name, name.hotkey))
    const { address, publicKey } = parseSecret(content, secret)
    return { address, publicKey }
  }
}

/** Tells how a key lies on disk; null when its file is missing or cannot be read. */
export const keyState = (read: () => Uint8Array): 'encrypted' | 'open' | null => {
  try {
    return encryptedFormat(read()) === null ? 'open' : 'encrypted'
  } catch (error) {
    if (error instanceof SubnetError) return null
    throw error
  }
}

/** Lists wallets and their hotkeys by name; an absent folder has none. */
export function listWallets(
  wallets: string,
): readonly { readonly wallet: string; readonly hotkeys: readonly string[] }[] {
  return folderNames(wallets, 'folders').map((wallet) => ({
    wallet,
    hotkeys: folderNames(`${wallets}/${wallet}/hotkeys`, 'files').filter((hotkey) => !hotkey.endsWith('pub.txt')),
  }))
}

const folderNames = (folder: string, kind: 'files' | 'folders'): string[] => {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries
      .filter((entry) => (kind === 'files' ? entry.isFile() : entry.isDirectory()) && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort()
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return []
    throw unreadable(folder, error)
  }
}

/** Reads a keyfile once, checking the very file that is read. */
const readKeyfile = (path: string, { secret, fix }: { readonly secret: boolean; readonly fix: string }): Uint8Array => {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) throw notFound(path, fix)
    throw unreadable(path, error)
  }
  try {
    const { mode, size, isFile } = statOf(file)
    if (!isFile) throw corrupt(path, 'it is no file')
    if (secret && (mode & 0o077) !== 0) throw exposed(path, mode)
    if (size > MAX_BYTES) throw corrupt(path, `it has ${size} bytes`)
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

const statOf = (file: number): { readonly mode: number; readonly size: number; readonly isFile: boolean } => {
  const stat = fstatSync(file)
  return { mode: stat.mode, size: stat.size, isFile: stat.isFile() }
}

const createFix = (name: WalletName, hotkey?: string): string =>
  `make it with: ${commandFor('create', name, hotkey)}, or name another one`

const commandFor = (verb: string, { wallets, wallet }: WalletName, hotkey?: string): string =>
  `arbor wallet ${verb} --wallets "${wallets}" --wallet ${wallet}${hotkey === undefined ? '' : ` --hotkey ${hotkey}`}`

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code
