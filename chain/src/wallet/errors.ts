import { SubnetError } from '@arbor/shared/errors'

/** Makes the error of a key that is not on disk. */
export const notFound = (path: string, fix: string): SubnetError =>
  new SubnetError({ code: 'WALLET_NOT_FOUND', message: `there is no key at ${path}; ${fix}`, details: { path } })

/** Makes the error of a file that is no keyfile. Never repeats its content. */
export const corrupt = (path: string, what: string): SubnetError =>
  new SubnetError({
    code: 'WALLET_CORRUPT',
    message: `${path} is no keyfile of a Bittensor wallet: ${what}; restore it from a backup or from its phrase`,
    details: { path },
  })

/** Makes the error of a keyfile behind a password. */
export const encrypted = (path: string): SubnetError =>
  new SubnetError({
    code: 'WALLET_ENCRYPTED',
    message: `${path} is encrypted, which Arbor cannot open yet; use an unencrypted hotkey, or make one with arbor wallet create`,
    details: { path },
  })

/** Makes the error of a secret that other users may read. */
export const exposed = (path: string, mode: number): SubnetError =>
  new SubnetError({
    code: 'WALLET_PERMISSIONS',
    message: `${path} can be read by other users (mode ${(mode & 0o777).toString(8).padStart(4, '0')}); run: chmod 600 "${path}"`,
    details: { path },
  })

/** Makes the error of a file that this user may not read or write. */
export const unreadable = (path: string, cause: unknown): SubnetError =>
  new SubnetError({
    code: 'WALLET_UNREADABLE',
    message: `${path} cannot be used (${cause instanceof Error ? cause.message : String(cause)}); check that it is yours and that its folder exists`,
    details: { path },
    cause,
  })

/** Makes the error of a key that would be overwritten. */
export const exists = (path: string): SubnetError =>
  new SubnetError({
    code: 'WALLET_EXISTS',
    message: `${path} exists and is never overwritten; choose another name`,
    details: { path },
  })

/** Makes the error of a name that cannot be a folder or file of a wallet. */
export const badName = (kind: string, name: string): SubnetError =>
  new SubnetError({
    code: 'WALLET_NAME',
    message: `${JSON.stringify(name)} is no ${kind} name; use 1 to 64 letters, digits, ".", "_" or "-", beginning with a letter or digit`,
  })
