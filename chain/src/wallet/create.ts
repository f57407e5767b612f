import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Ss58 } from '@arbor/shared/units'
import { exists, unreadable } from './errors.ts'
import { keyfilesOf } from './keyfile.ts'
import { coldkeyFiles, type HotkeyName, hotkeyFiles } from './paths.ts'

export interface CreatedWallet {
  /** null when the wallet had its coldkey already. */
  readonly coldkey: Ss58 | null
  readonly hotkey: Ss58
}

/**
 * Creates a wallet's coldkey and one hotkey; in a wallet that has its coldkey, only the hotkey. All files or none are
 * written, none is overwritten, and secrets are mode 0600 in folders of mode 0700.
 * @param of.generateMnemonic makes a fresh BIP39 phrase for each key
 * @throws WALLET_EXISTS, WALLET_UNREADABLE, WALLET_NAME
 */
export function createWallet(of: HotkeyName & { readonly generateMnemonic: () => string }): CreatedWallet {
  const cold = coldkeyFiles(of)
  const hot = hotkeyFiles(of)
  const withColdkey = !existsSync(cold.secret) && !existsSync(cold.pub)
  const hotkey = keyfilesOf(of.generateMnemonic())
  const coldkey = withColdkey ? keyfilesOf(of.generateMnemonic()) : null
  writeAll([
    ...(coldkey === null ? [] : [[cold.secret, coldkey.secret] as const, [cold.pub, coldkey.pub] as const]),
    [hot.secret, hotkey.secret],
    [hot.pub, hotkey.pub],
  ])
  return { coldkey: coldkey?.address ?? null, hotkey: hotkey.address }
}

/** Writes new files, or none of them. */
const writeAll = (files: readonly (readonly [path: string, text: string])[]): void => {
  const taken = files.find(([path]) => existsSync(path))
  if (taken) throw exists(taken[0])
  const written: string[] = []
  try {
    for (const [path, text] of files) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      writeNew(path, text, () => written.push(path))
    }
  } catch (error) {
    for (const path of written) rmSync(path, { force: true })
    const code = error instanceof Error && 'code' in error ? error.code : null
    const path = error instanceof Error && 'path' in error ? String(error.path) : (files[written.length]?.[0] ?? '')
    throw code === 'EEXIST' ? exists(path) : unreadable(path, error)
  }
}

const writeNew = (path: string, text: string, onCreated: () => void): void => {
  const file = openSync(path, 'wx', 0o600)
  onCreated()
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
