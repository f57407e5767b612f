import { join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import { tooLarge } from './errors.ts'
import { readAtMost } from './read.ts'
import type { Found } from './walk.ts'

/**
 * Reads one document as text. Line ends are kept; a byte order mark goes.
 * @param most bytes
 * @throws DATASET_MISSING   when it cannot be read
 * @throws DATASET_TOO_LARGE when it grew beyond the limit
 * @throws DATASET_BINARY    when it holds a zero byte, which no text does
 * @throws DATASET_NOT_UTF8  when it is text in another encoding
 */
export const readText = async (from: string, { path }: Found, most: number): Promise<string> => {
  const bytes = await readAtMost(join(from, path), most, (size) =>
    size === null ? binary(path, 'no plain file') : tooLarge(`Bytes of ${path}`, { found: size, limit: most }),
  )
  const zero = bytes.indexOf(0)
  if (zero !== -1) throw binary(path, `binary: byte ${zero} is zero`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new SubnetError({
      code: 'DATASET_NOT_UTF8',
      message: `${path} is not UTF-8; convert it, take it out of the folder, or name the kinds of files with --only`,
      details: { path },
      cause,
    })
  }
}

const binary = (path: string, what: string): SubnetError =>
  new SubnetError({
    code: 'DATASET_BINARY',
    message: `${path} is ${what}; take it out of the folder, or name the kinds of files with --only`,
    details: { path, what },
  })
