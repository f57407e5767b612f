import { createHash, timingSafeEqual } from 'node:crypto'

/** Begins every key, so that scanners for leaked secrets can tell one. */
const PREFIX = 'arbor'
const ID_BYTES = 6
const SECRET_BYTES = 32
/** No key is longer; more is not hashed. */
const KEY = /^arbor-([0-9a-f]{12})-([A-Za-z0-9_-]{43})$/

/** A fresh key: what its owner gets, once, and what is kept. */
export interface FreshKey {
  readonly text: string
  /** Names the key; no secret. */
  readonly id: string
  /** SHA-256 in hexadecimal. 32 random bytes need no slow hash: nobody can try them all. */
  readonly hash: string
}

/** Makes a key. @param randomBytes fresh secret bytes */
export const makeKey = (randomBytes: (length: number) => Uint8Array): FreshKey => {
  const id = Buffer.from(randomBytes(ID_BYTES)).toString('hex')
  const text = `${PREFIX}-${id}-${Buffer.from(randomBytes(SECRET_BYTES)).toString('base64url')}`
  return { text, id, hash: hashKey(text).toString('hex') }
}

const hashKey = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Takes the key out of an Authorization header. */
export const bearerOf = (header: string | undefined): string | null => {
  const [, key] = /^Bearer +(\S+) *$/i.exec(header ?? '') ?? []
  return key ?? null
}

/** Reads which key somebody claims to have; null for what is no key at all. */
export const idOf = (text: string): string | null => KEY.exec(text)?.[1] ?? null

const NOBODY = Buffer.alloc(32)

/** Tells whether a key is the one with this hash, in a time that says nothing about either. */
export const isKey = (text: string, hash: string | undefined): boolean => {
  const kept = hash === undefined ? NOBODY : Buffer.from(hash, 'hex')
  return kept.length === 32 && timingSafeEqual(hashKey(text), kept) && hash !== undefined
}
