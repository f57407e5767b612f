import { argon2 } from 'node:crypto'
import { concatBytes } from '@arbor/shared/bytes'
import { naclDecrypt, naclEncrypt } from '@polkadot/util-crypto/nacl'
import { corrupt, noMemory } from './errors.ts'
import { openAnsible } from './legacy.ts'

/** First bytes of the formats that Bittensor wallets have used; `nacl` is today's. */
const STARTS = { nacl: '$NACL', ansible: '$ANSIBLE_VAULT', fernet: 'gAAAAA' } as const
/** The same in every wallet, 16 bytes. @source bittensor-wallet 4.1.0, keyfile.rs NACL_SALT */
const SALT = Buffer.from('137183dff15a09bc9c90b5518739e9b1', 'hex')
/** libsodium's limits "sensitive" of argon2i13. @source libsodium crypto_pwhash_argon2i.h */
const ARGON2 = { passes: 8, parallelism: 1, tagLength: 32 } as const
const MEMORY_KIB = 512 * 1024 // 512 MiB
const NONCE_BYTES = 24
const TAG_BYTES = 16 // Poly1305

export type EncryptedFormat = keyof typeof STARTS

/** Tells how a keyfile is encrypted; null when it is not. */
export const encryptedFormat = (content: Uint8Array): EncryptedFormat | null => {
  const start = Buffer.from(content.subarray(0, 16)).toString('latin1')
  for (const [format, mark] of Object.entries(STARTS)) if (start.startsWith(mark)) return format as EncryptedFormat
  return null
}

/**
 * Derives a password's key on a thread of the pool, which takes seconds; this thread goes on meanwhile.
 * @param of.freeBytes memory that this process may still take
 * @returns 32 bytes, the same for every keyfile of this password
 * @throws WALLET_MEMORY, before the system would end the process for it
 */
export async function deriveKey(of: {
  readonly password: Uint8Array
  readonly freeBytes: () => number
  readonly memoryKiB?: number | undefined
}): Promise<Uint8Array> {
  const memory = of.memoryKiB ?? MEMORY_KIB
  const free = of.freeBytes()
  if (free < memory * 1024) throw noMemory(memory, free)
  const input = { ...ARGON2, memory, message: of.password, nonce: SALT }
  return new Promise((resolve, reject) => {
    argon2('argon2i', input, (error, key) => (error === null ? resolve(key) : reject(noMemory(memory, free, error))))
  })
}

/** Encrypts a keyfile's content as Bittensor's wallets do. @param of.nonce 24 bytes, never used twice */
export const sealKeyfile = (of: {
  readonly content: Uint8Array
  readonly key: Uint8Array
  readonly nonce: Uint8Array
}): Uint8Array =>
  concatBytes(Buffer.from(STARTS.nacl, 'latin1'), of.nonce, naclEncrypt(of.content, of.key, of.nonce).encrypted)

/**
 * Decrypts a keyfile of today's format, or of the Ansible vaults of 2023.
 * @returns null when the password is another one, which no format tells from a damaged file
 * @throws WALLET_CORRUPT when it is cut short or misshapen, WALLET_MEMORY
 */
export async function openKeyfile(of: {
  readonly content: Uint8Array
  readonly format: Exclude<EncryptedFormat, 'fernet'>
  readonly path: string
  readonly password: Uint8Array
  readonly freeBytes: () => number
  readonly memoryKiB?: number | undefined
}): Promise<Uint8Array | null> {
  const { content, format, path, password } = of
  if (format === 'ansible') return openAnsible({ content, path, password })
  const sealed = content.subarray(STARTS.nacl.length)
  if (sealed.length <= NONCE_BYTES + TAG_BYTES) throw corrupt(path, 'it is cut short')
  return naclDecrypt(sealed.subarray(NONCE_BYTES), sealed.subarray(0, NONCE_BYTES), await deriveKey(of))
}
