import { existsSync } from 'node:fs'
import { toBytes } from '@arbor/shared/bytes'
import type { Ss58 } from '@arbor/shared/units'
import { decrypted, type KeyAccess } from './access.ts'
import { encryptedFormat } from './encryption.ts'
import { wrongState } from './errors.ts'
import { parseSecret, publicFileOf } from './keyfile.ts'
import { newSeal } from './new-password.ts'
import { readColdkeyFile, readHotkeyFile } from './open.ts'
import type { KeyKind, PasswordSource } from './password.ts'
import { coldkeyFiles, type HotkeyName, hotkeyFiles } from './paths.ts'
import { replaceFile } from './replace-file.ts'

/** One key of a wallet. */
export interface KeyOf {
  readonly kind: KeyKind
  /** `hotkey` counts for hotkeys only. */
  readonly name: HotkeyName
}

/** A key whose file was written anew. */
export interface Rewritten {
  readonly path: string
  readonly address: Ss58
}

/**
 * Encrypts a key that lies open; its bytes are kept, so that decrypting gives the same file back.
 * @throws WALLET_STATE when it is encrypted, WALLET_PASSWORD_NEW, and as openHotkey
 */
export async function encryptKey(key: KeyOf, access: KeyAccess): Promise<Rewritten> {
  const { path, content } = read(key)
  if (encryptedFormat(content) !== null)
    throw wrongState(path, 'is encrypted already', 'change its password with arbor wallet passwd')
  const { address } = parseSecret(content, path) // what is no key is not hidden behind a password
  const seal = await newSeal({ what: key.kind, source: access.password(key.kind), access })
  if (seal !== null) replaceFile({ path, content: seal(content), randomBytes: access.randomBytes })
  return { path, address }
}

/** Decrypts a key for good. @throws WALLET_STATE when it is not encrypted, and as openHotkey */
export async function decryptKey(key: KeyOf, access: KeyAccess): Promise<Rewritten> {
  const { path, content } = await open(key, access)
  const { address } = parseSecret(content, path)
  replaceFile({ path, content, randomBytes: access.randomBytes })
  return { path, address }
}

/**
 * Encrypts a key anew: with another password, and in today's format when it was in an old one.
 * @param fresh where the new password comes from
 * @throws WALLET_STATE when it is not encrypted, WALLET_PASSWORD_NEW, and as openHotkey
 */
export async function changePassword(
  key: KeyOf,
  of: { readonly access: KeyAccess; readonly fresh: PasswordSource | null },
): Promise<Rewritten> {
  const { access, fresh } = of
  const { path, content } = await open(key, access)
  const { address } = parseSecret(content, path)
  const seal = await newSeal({ what: key.kind, source: fresh, access })
  if (seal !== null) replaceFile({ path, content: seal(content), randomBytes: access.randomBytes })
  return { path, address }
}

/** Writes the public file of a key that has none. @throws WALLET_STATE when it has one, and as openHotkey */
export async function writePublic(key: KeyOf, access: KeyAccess): Promise<Rewritten> {
  const { path, pub, content } = read(key)
  if (existsSync(pub)) throw wrongState(pub, 'exists', 'nothing is to be written')
  const { kind } = key
  const { address, publicKey } = parseSecret(await decrypted({ content, path, kind, access }), path)
  replaceFile({ path: pub, content: toBytes(publicFileOf({ address, publicKey })), randomBytes: access.randomBytes })
  return { path: pub, address }
}

const read = ({ kind, name }: KeyOf): { readonly path: string; readonly pub: string; readonly content: Uint8Array } => {
  const { secret: path, pub } = kind === 'coldkey' ? coldkeyFiles(name) : hotkeyFiles(name)
  return { path, pub, content: kind === 'coldkey' ? readColdkeyFile(name) : readHotkeyFile(name) }
}

const open = async (
  key: KeyOf,
  access: KeyAccess,
): Promise<{ readonly path: string; readonly content: Uint8Array }> => {
  const { path, content } = read(key)
  if (encryptedFormat(content) === null)
    throw wrongState(path, 'is not encrypted', `encrypt it with arbor wallet encrypt ${key.kind}`)
  return { path, content: await decrypted({ content, path, kind: key.kind, access }) }
}
