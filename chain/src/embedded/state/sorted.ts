import type { Key } from '../key.ts'

/** Finds where a key stands, or would stand, in sorted keys. @param after true: after an equal key */
export const position = (keys: readonly Key[], key: Key, after: boolean): number => {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    const candidate = keys[middle] ?? ''
    if (candidate < key || (after && candidate === key)) low = middle + 1
    else high = middle
  }
  return low
}

/** Puts a key that is not there yet at its place. */
export const insertKey = (keys: Key[], key: Key): void => {
  keys.splice(position(keys, key, false), 0, key)
}

/** Takes a key out. */
export const deleteKey = (keys: Key[], key: Key): void => {
  const index = position(keys, key, false)
  if (keys[index] === key) keys.splice(index, 1)
}
