import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { toBytes } from '@arbor/shared/bytes'
import type { Ss58 } from '@arbor/shared/units'
import { exists, unreadable } from './errors.ts'
import { keyfilesOf } from './keyfile.ts'
import { coldkeyFiles, type HotkeyName, hotkeyFiles } from './paths.ts'

export interface CreatedWallet {
  /** null when the wallet had its coldkey already. */
  readonly coldkey: Ss58 | null
  readonly hotkey: Ss58
}

/** Encrypts a keyfile's content. */
export type Seal = (content: Uint8Array) => Uint8Array

/** Tells whether creating a wallet makes its coldkey, before any password is asked for. @throws WALLET_EXISTS, WALLET_NAME */
export function mustBeNew(name: HotkeyName): { readonly withColdkey: boolean } {
  const cold = coldkeyFiles(name)
  const hot = hotkeyFiles(name)
  const taken = [hot.secret, hot.pub].find((path) => existsSync(path))
  if (taken !== undefined) throw exists(taken)
  return { withColdkey: !existsSync(cold.secret) && !existsSync(cold.pub) }
}

/**
 * Creates a wallet's coldkey and one hotkey; in a wallet that has its coldkey, only the hotkey. All files or none are
 * written, none is overwritten, and secrets are mode 0600 in folders of mode 0700.
 * @param of.generateMnemonic makes a fresh BIP39 phrase for each key
 * @param of.seal encrypts the secret of a key; those without stay plain
 * @throws WALLET_EXISTS, WALLET_UNREADABLE, WALLET_NAME
 */
export function createWallet(
  of: HotkeyName & {
    readonly generateMnemonic: () => string
    readonly seal?: { readonly coldkey?: Seal | undefined; readonly hotkey?: Seal | undefined }
  },
): CreatedWallet {
  const { withColdkey } = mustBeNew(of)
  const cold = coldkeyFiles(of)
  const hot = hotkeyFiles(of)
  const hotkey = keyfilesOf(of.generateMnemonic())
  const coldkey = withColdkey ? keyfilesOf(of.generateMnemonic()) : null
  writeAll([
    ...(coldkey === null
      ? []
      : [[cold.secret, sealed(coldkey.secret, of.seal?.coldkey)] as const, [cold.pub, coldkey.pub] as const]),
    [hot.secret, sealed(hotkey.secret, of.seal?.hotkey)],
    [hot.pub, hotkey.pub],
  ])
  return { coldkey: coldkey?.address ?? null, hotkey: hotkey.address }
}

const sealed = (secret: string, seal: Seal | undefined): Uint8Array =>
  seal === undefined ? toBytes(secret) : seal(toBytes(secret))

/** Writes new files, or none of them. */
const writeAll = (files: readonly (readonly [path: string, content: string | Uint8Array])[]): void => {
  const taken = files.find(([path]) => existsSync(path))
  if (taken) throw exists(taken[0])
  const written: string[] = []
  try {
    for (const [path, content] of files) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      writeNew(path, typeof content === 'string' ? toBytes(content) : content, () => written.push(path))
    }
  } catch (error) {
    for (const path of written) rmSync(path, { force: true })
    const code = error instanceof Error && 'code' in error ? error.code : null
    const path = error instanceof Error && 'path' in error ? String(error.path) : (files[written.length]?.[0] ?? '')
    throw code === 'EEXIST' ? exists(path) : unreadable(path, error)
  }
}

const writeNew = (path: string, content: Uint8Array, onCreated: () => void): void => {
  const file = openSync(path, 'wx', 0o600)
  onCreated()
  try {
    for (let written = 0; written < content.length; ) written += writeSync(file, content, written)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
