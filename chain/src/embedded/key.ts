/**
 * A storage key as a string of one character per byte (latin1). Its order as a string is the order of its bytes, and it
 * is a value, so it can be a key of a Map.
 */
export type Key = string

/** Reads bytes as a key. */
export const toKey = (bytes: Uint8Array): Key =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

/** Writes a key as bytes. */
export const keyBytes = (key: Key): Uint8Array => {
  const bytes = new Uint8Array(key.length)
  for (let index = 0; index < key.length; index += 1) bytes[index] = key.charCodeAt(index)
  return bytes
}

/** Where the code of the runtime lies. */
export const CODE_KEY: Key = ':code'
/** Where the root of every default child trie lies. */
export const CHILD_PREFIX: Key = ':child_storage:default:'
