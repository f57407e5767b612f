import { randomBytes as nodeRandomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import { lockFolder } from '../folder-lock.ts'
import { TOKEN_BYTES } from './messages.ts'

/** Longest path that a Unix socket can have. @source Linux unix(7): sun_path has 108 bytes, one of them the end */
const MAX_PATH_BYTES = 107

/** The token's file, where none is named: beside the socket. */
export const tokenPathOf = (socket: string): string => `${socket}.token`

/** Checks a socket's path. @throws SIGNER_PATH */
export const mustFit = (socket: string): void => {
  const bytes = Buffer.byteLength(socket)
  if (bytes <= MAX_PATH_BYTES) return
  throw new SubnetError({
    code: 'SIGNER_PATH',
    message: `The socket's path has ${bytes} bytes, and a Unix socket's has at most ${MAX_PATH_BYTES}: ${socket}; name a shorter one with --socket`,
    details: { path: socket, bytes },
  })
}

/**
 * Makes the socket's folder, or checks the one that is there: a folder of this user which nobody else can enter.
 * @throws SIGNER_FOLDER
 */
export const openFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw badFolder(folder, `cannot be made: ${reason(cause)}`, cause)
  }
  const stat = lstatSync(folder)
  if (!stat.isDirectory()) throw badFolder(folder, 'is no folder, or only a link to one')
  if (stat.uid !== userInfo().uid) throw badFolder(folder, 'belongs to another user')
  if ((stat.mode & 0o077) !== 0)
    throw badFolder(
      folder,
      `can be entered by other users (mode ${(stat.mode & 0o777).toString(8)}); run: chmod 700 "${folder}"`,
    )
}

/**
 * Takes a socket's path for this process: nobody else's signer listens there, and what one that died has left is removed.
 * @throws SIGNER_IN_USE, SIGNER_FOLDER
 */
export const takePlace = async (socket: string): Promise<Disposable> => {
  const held = lock(socket)
  try {
    if (await isAnswered(socket)) throw inUse(socket)
    remove(socket)
    return held
  } catch (error) {
    held[Symbol.dispose]()
    throw error
  }
}

const lock = (socket: string): Disposable => {
  try {
    return lockFolder({ file: join(dirname(socket), 'lock.sqlite'), what: 'a signer' })
  } catch (error) {
    if (error instanceof SubnetError && error.code === 'FOLDER_IN_USE') throw inUse(socket)
    throw badFolder(dirname(socket), `cannot be used: ${reason(error)}`, error)
  }
}

const remove = (socket: string): void => {
  const stat = lstatSync(socket, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (!stat.isSocket()) throw badFolder(socket, 'is there already and is no socket')
  unlinkSync(socket)
}

const isAnswered = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(socket)
    const end = (answered: boolean) => (): void => {
      probe.destroy()
      resolve(answered)
    }
    probe.once('connect', end(true)).once('error', end(false))
  })

/**
 * Reads the token that clients show, 32 bytes in hexadecimal; made at random where there is none yet.
 * @throws SIGNER_TOKEN when the file is not its owner's alone, or holds no token
 */
export const openToken = (path: string, randomBytes: (length: number) => Uint8Array = nodeRandomBytes): Uint8Array => {
  let file: number
  try {
    file = openSync(path, 'wx', 0o600)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return readToken(path)
    throw badToken(path, `cannot be made: ${reason(error)}`)
  }
  try {
    const token = randomBytes(TOKEN_BYTES)
    chmodSync(path, 0o600) // whatever the umask said
    writeSync(file, `${Buffer.from(token).toString('hex')}\n`)
    return token
  } finally {
    closeSync(file)
  }
}

/** Reads a token that is there. @throws SIGNER_TOKEN without repeating it */
export const readToken = (path: string): Uint8Array => {
  const text = readPrivate(path).trimEnd()
  if (!/^[0-9a-f]{64}$/i.test(text)) throw badToken(path, 'does not hold 64 hexadecimal characters')
  return Uint8Array.from(Buffer.from(text, 'hex'))
}

const readPrivate = (path: string): string => {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    throw badToken(path, `cannot be read: ${reason(error)}`)
  }
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw badToken(path, 'is no file')
    if ((stat.mode & 0o077) !== 0) throw badToken(path, `can be used by other users; run: chmod 600 "${path}"`)
    if (stat.size > 1_024) throw badToken(path, `has ${stat.size} bytes`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

const inUse = (socket: string): SubnetError =>
  new SubnetError({
    code: 'SIGNER_IN_USE',
    message: `A signer runs at ${socket} already; stop it, or name another folder with --socket`,
    details: { path: socket },
  })

const badFolder = (path: string, what: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'SIGNER_FOLDER',
    message: `${path} ${what}; the signer's socket lies in a folder that is this user's alone, named with --socket`,
    details: { path },
    cause,
  })

const badToken = (path: string, what: string): SubnetError =>
  new SubnetError({
    code: 'SIGNER_TOKEN',
    message: `The signer's token ${path} ${what}; it is made by arbor signer, beside its socket or where --token-file says`,
    details: { path },
  })

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))
