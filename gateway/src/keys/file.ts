import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { lockFolder } from '@arbor/chain/folder-lock'
import { replaceFile } from '@arbor/chain/wallet/replace-file'
import { SubnetError } from '@arbor/shared/errors'
import { z } from 'zod'

const bound = (max: number) => z.number().int().min(1).max(max)

/** What a key may ask for; what is absent has no bound of its own. */
const limits = {
  requestsPerMinute: bound(1_000_000).optional(),
  tokensPerMinute: bound(1_000_000_000).optional(),
  concurrent: bound(4_096),
}
const entry = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.iso.datetime(),
  ...limits,
})
const MOST_KEYS = 10_000
const schema = z
  .strictObject({ keys: z.array(entry).max(MOST_KEYS) })
  .refine(({ keys }) => new Set(keys.map(({ id }) => id)).size === keys.length, 'two keys have one id')
  .refine(({ keys }) => new Set(keys.map(({ name }) => name)).size === keys.length, 'two keys have one name')

/** A key as it is kept: everything but the key. */
export type KeyEntry = z.infer<typeof entry>
/** The bounds of a key. */
export type KeyLimits = Pick<KeyEntry, 'requestsPerMinute' | 'tokensPerMinute' | 'concurrent'>

/** 10 000 keys of about 300 bytes. */
const MAX_BYTES = 4_194_304

/**
 * Reads a file of keys.
 * @throws GATEWAY_KEYS when it cannot be read or is no such file
 */
export const readKeys = (file: string): readonly KeyEntry[] => {
  let text: string
  try {
    if (statSync(file).size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`)
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw unusable(
      file,
      `${cause instanceof Error ? cause.message : String(cause)}; make one: arbor gateway key add NAME`,
    )
  }
  const parsed = schema.safeParse(parse(text))
  if (parsed.success) return parsed.data.keys
  const [issue] = parsed.error.issues
  throw unusable(file, `${issue?.path.join('.') || 'it'}: ${issue?.message}; restore it, or make the keys again`)
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the schema says what is wrong, without a word of what stands there
  }
}

/**
 * Changes a file of keys, one process at a time; a crash leaves the old one or the new one, whole.
 * @throws GATEWAY_KEYS, FOLDER_IN_USE while another process changes it
 */
export const changeKeys = (file: string, change: (keys: readonly KeyEntry[]) => readonly KeyEntry[]): void => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  using _held = lockFolder({ file: `${file}.lock`, what: 'arbor gateway key' })
  const before = stampOf(file) === 'absent' ? [] : readKeys(file)
  const keys = change(before)
  if (keys.length > MOST_KEYS) throw unusable(file, `it would hold more than ${MOST_KEYS} keys; remove some`)
  replaceFile({ path: file, content: Buffer.from(`${JSON.stringify({ keys }, null, 1)}\n`), randomBytes })
}

/** Tells one state of a file from another. */
export const stampOf = (file: string): string => {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat === undefined ? 'absent' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`
}

const unusable = (file: string, why: string): SubnetError =>
  new SubnetError({ code: 'GATEWAY_KEYS', message: `The keys in ${file} cannot be used: ${why}`, details: { file } })
