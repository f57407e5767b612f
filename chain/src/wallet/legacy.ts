import { createDecipheriv, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { corrupt } from './errors.ts'

const stretch = promisify(pbkdf2)

/**
 * Opens an Ansible vault, as Bittensor's wallets wrote them in 2023: AES-256-CTR and HMAC-SHA256 in hexadecimal, twice.
 * @returns null when the password is another one
 * @throws WALLET_CORRUPT
 * @source ansible-core lib/ansible/parsing/vault, VaultAES256
 */
export async function openAnsible({
  content,
  path,
  password,
}: {
  readonly content: Uint8Array
  readonly path: string
  readonly password: Uint8Array
}): Promise<Uint8Array | null> {
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

const hex = (text: string): Buffer | null => (/^([0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : null)
