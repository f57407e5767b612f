import { SubnetError } from '@arbor/shared/errors'
import type { KeyKind } from './password.ts'

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

/** Makes the error of a key of another kind than the chain knows. */
export const otherKeyType = (path: string, kind: string): SubnetError =>
  new SubnetError({
    code: 'WALLET_KEY_TYPE',
    message: `${path} holds ${kind}; Arbor signs with sr25519 keys only, make one with arbor wallet create`,
    details: { path },
  })

/** Makes the error of a keyfile that today's wallets no longer open. */
export const tooOld = (path: string, format: string): SubnetError =>
  new SubnetError({
    code: 'WALLET_FORMAT',
    message: `${path} is encrypted as ${format}, which wallets wrote until early 2023 and Arbor cannot open; make it anew from its phrase, as with: btcli wallet regen-hotkey or regen-coldkey`,
    details: { path },
  })

/** Makes the error of a keyfile whose password cannot be had. */
export const encrypted = (path: string, kind: KeyKind): SubnetError =>
  new SubnetError({
    code: 'WALLET_ENCRYPTED',
    message: `${path} is encrypted and no password came; give --password-file, or the systemd credential arbor-${kind}-password, or run it in a terminal`,
    details: { path },
  })

/** Makes the error of a public file that is missing beside an encrypted key. */
export const noPublicFile = (path: string, fix: string): SubnetError =>
  new SubnetError({
    code: 'WALLET_ENCRYPTED',
    message: `${path} is encrypted and has no public file beside it; write it with: ${fix}`,
    details: { path },
  })

/** Makes the error of a wrong password. */
export const wrongPassword = (path: string, source: string): SubnetError =>
  new SubnetError({
    code: 'WALLET_PASSWORD',
    message: `${source} does not open ${path}: it is another key's password, or the file is damaged; check it, or restore the key from its phrase`,
    details: { path },
  })

/** Makes the error of a file that gives no password. */
export const badPasswordFile = (path: string, what: string): SubnetError =>
  new SubnetError({
    code: 'WALLET_PASSWORD_FILE',
    message: `no password can be read from ${path}: ${what}; it holds the password alone, on one line, and is yours alone`,
    details: { path },
  })

/** Makes the error of a new password that does not do. */
export const badNewPassword = (what: string): SubnetError =>
  new SubnetError({ code: 'WALLET_PASSWORD_NEW', message: `the new password ${what}; nothing was changed` })

/** Makes the error of a machine too small to open an encrypted key. */
export const noMemory = (memoryKiB: number, freeBytes: number, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'WALLET_MEMORY',
    message: `an encrypted key takes ${memoryKiB / 1024} MiB of memory for a moment, ${cause === undefined ? `${Math.max(0, Math.floor(freeBytes / 2 ** 20))} MiB are free` : 'which the system denies'}; free some, raise the container's limit, or run arbor signer elsewhere`,
    details: { memoryKiB, freeBytes },
    cause,
    retryable: true,
  })

/** Makes the error of a key that is encrypted already, or is not. */
export const wrongState = (path: string, state: string, fix: string): SubnetError =>
  new SubnetError({ code: 'WALLET_STATE', message: `${path} ${state}; ${fix}`, details: { path } })

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
