import { equalBytes } from '@arbor/shared/bytes'
import { type KeyAccess, TRIES } from './access.ts'
import { deriveKey, sealKeyfile } from './encryption.ts'
import { badNewPassword } from './errors.ts'
import type { PasswordSource } from './password.ts'

/** Bytes below which a password is no password; argon2i makes each guess cost seconds, not impossible. */
const MIN_BYTES = 8
const NONCE_BYTES = 24

/**
 * Asks for a new password and makes what encrypts keyfiles with it; a person types it twice.
 * @returns null when a person left it empty and `mayBeEmpty`
 * @throws WALLET_PASSWORD_NEW, WALLET_PASSWORD_FILE, WALLET_MEMORY, or the signal's reason
 */
export async function newSeal(of: {
  readonly what: string
  readonly source: PasswordSource | null
  readonly access: KeyAccess
  readonly mayBeEmpty?: boolean
}): Promise<((content: Uint8Array) => Uint8Array) | null> {
  const { access, source } = of
  if (source === null)
    throw badNewPassword('is missing; give it with --password-file or a systemd credential, or run it in a terminal')
  const password = source.isTyped
    ? await askTwice({ ...of, source })
    : await source.ask({ question: '', signal: access.signal })
  if (password === null) return null
  if (password.length < MIN_BYTES) throw badNewPassword(`is shorter than ${MIN_BYTES} characters`)
  const key = await deriveKey({ ...access, password })
  password.fill(0)
  access.signal.throwIfAborted()
  return (content) => sealKeyfile({ content, key, nonce: Uint8Array.from(access.randomBytes(NONCE_BYTES)) })
}

/** Lets a person type a password until two agree and it is long enough, three times at most. */
const askTwice = async (of: {
  readonly what: string
  readonly source: PasswordSource
  readonly access: KeyAccess
  readonly mayBeEmpty?: boolean
}): Promise<Uint8Array | null> => {
  const { source, access, what, mayBeEmpty = false } = of
  const { signal } = access
  const hint = mayBeEmpty ? ', or nothing to leave it unencrypted' : ''
  for (let left = TRIES; left > 0; left -= 1) {
    const password = await source.ask({ question: `New password of the ${what}${hint}`, signal })
    if (password.length === 0 && mayBeEmpty) return null
    if (password.length < MIN_BYTES) {
      access.say(`a password has ${MIN_BYTES} characters or more`)
      continue
    }
    if (equalBytes(password, await source.ask({ question: 'The same again', signal }))) return password
    access.say('the two differ')
  }
  throw badNewPassword(`was not given in ${TRIES} tries`)
}
