import { createDecipheriv, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { corrupt } from './errors.ts'

/** What opening an old encrypted keyfile needs. */
export interface LegacyFile {
  readonly content: Uint8Array
  readonly path: string
  readonly password: Uint8Array
}

const stretch = promisify(pbkdf2)

/**
 * Opens an Ansible vault, as Bittensor's wallets wrote them in 2023: AES-256-CTR and HMAC-SHA256 in hexadecimal, twice.
 * @returns null when the password is another one
 * @throws WALLET_CORRUPT
 * @source ansible-core lib/ansible/parsing/vault, VaultAES256
 */
export async function openAnsible({ content, path, password }: LegacyFile): Promise<Uint8Array | null> {
  const [head = '', ...lines] = Buffer.from(content).toString('latin1').trim().split(/\r?\n/)
  if (!/^\$ANSIBLE_VAULT;1\.[12];AES256(;|$)/.test(head)) throw corrupt(path, 'its Ansible vault is of an unknown kind')
  const parts = hex(lines.join(''))?.toString('latin1').split('\n') ?? []
  const [salt, tag, sealed] = parts.map(hex)
  if (parts.length !== 3 || !salt || tag?.length !== 32 || !sealed)
    throw corrupt(path, 'its Ansible vault is cut short')
  const keys = await stretch(password, salt, 10_000, 80, 'sha256')
  if (!timingSafeEqual(createHmac('sha256', keys.subarray(32, 64)).update(sealed).digest(), tag)) return null
  const cipher = createDecipheriv('aes-256-ctr', keys.subarray(0, 32), keys.subarray(64, 80))
  const padded = Buffer.concat([cipher.update(sealed), cipher.final()])
  return padded.subarray(0, padded.length - (padded.at(-1) ?? 0)) // PKCS #7, and its HMAC held
}

/** The same in every wallet. @source bittensor-wallet 4.1.0, keyfile.rs */
const FERNET_SALT = 'Iguesscyborgslikemyselfhaveatendencytobeparanoidaboutourorigins'
const FERNET_ROUNDS = 10_000_000

/**
 * Opens a Fernet token, as Bittensor's first wallets wrote them: AES-128-CBC and HMAC-SHA256.
 * @returns null when the password is another one
 * @throws WALLET_CORRUPT
 * @source github.com/fernet/spec Spec.md
 */
export async function openFernet({ content, path, password }: LegacyFile): Promise<Uint8Array | null> {
  const token = Buffer.from(Buffer.from(content).toString('latin1').trim(), 'base64url')
  const sealed = token.subarray(25, -32) // version 1, time 8, initial vector 16 before; tag 32 after
  if (token[0] !== 0x80 || sealed.length === 0 || sealed.length % 16 !== 0)
    throw corrupt(path, 'its Fernet token is cut short')
  const keys = await stretch(password, FERNET_SALT, FERNET_ROUNDS, 32, 'sha256')
  const tag = createHmac('sha256', keys.subarray(0, 16)).update(token.subarray(0, -32)).digest()
  if (!timingSafeEqual(tag, token.subarray(-32))) return null
  const cipher = createDecipheriv('aes-128-cbc', keys.subarray(16), token.subarray(9, 25))
  return Buffer.concat([cipher.update(sealed), cipher.final()])
}

const hex = (text: string): Buffer | null => (/^([0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : null)
