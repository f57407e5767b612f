import {
  closeSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { unreadable } from './errors.ts'

/**
 * Replaces a file in one step, mode 0600: a crash at any point leaves the old one or the new one, whole. A link stays a
 * link, and whose file it was stays its owner.
 * @param of.randomBytes names the file that is written first, beside it and hidden
 * @throws WALLET_UNREADABLE
 */
export function replaceFile(of: {
  readonly path: string
  readonly content: Uint8Array
  readonly randomBytes: (length: number) => Uint8Array
}): void {
  const { content } = of
  const old = statSync(of.path, { throwIfNoEntry: false })
  const path = old === undefined ? of.path : realpathSync(of.path)
  const folder = dirname(path)
  const fresh = join(folder, `.${Buffer.from(of.randomBytes(8)).toString('hex')}.tmp`)
  try {
    withFile(fresh, 'wx', (file) => {
      for (let written = 0; written < content.length; ) written += writeSync(file, content, written)
      if (old !== undefined) fchownSync(file, old.uid, old.gid)
      fsyncSync(file)
    })
    renameSync(fresh, path)
    withFile(folder, 'r', fsyncSync)
  } catch (error) {
    rmSync(fresh, { force: true })
    throw unreadable(path, error)
  }
}

const withFile = (path: string, flags: string, use: (file: number) => void): void => {
  const file = openSync(path, flags, 0o600)
  try {
    use(file)
  } finally {
    closeSync(file)
  }
}
