import { concatBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { compact, reader } from '../scale.ts'

/** Bytes that grow in place. */
interface Growing {
  bytes: Uint8Array
}

/**
 * A SCALE list that grew by appending, such as the events of a block: appending costs the length of the item, not that of
 * the list. Each append makes a new value on the same buffer, so the value before is still whole for a rollback.
 */
export interface Appended {
  readonly items: number
  readonly length: number
  readonly buffer: Growing
  whole: Uint8Array | undefined
}

/**
 * Appends an encoded item to a list.
 * @param list the list so far; a value that is no list is replaced, as Substrate does
 */
export const append = (list: Uint8Array | Appended | undefined, item: Uint8Array): Appended => {
  const before = list === undefined || list instanceof Uint8Array ? openList(list) : list
  const { buffer } = before
  const length = before.length + item.length
  if (length > buffer.bytes.length) {
    const grown = new Uint8Array(Math.max(length, buffer.bytes.length * 2))
    grown.set(buffer.bytes.subarray(0, before.length))
    buffer.bytes = grown
  }
  // What lies after before.length was rolled back: state is linear, nobody reads it.
  buffer.bytes.set(item, before.length)
  return { items: before.items + 1, length, buffer, whole: undefined }
}

/** Reads the list as stored: its number of items, then the items. */
export const wholeList = (list: Appended): Uint8Array => {
  list.whole ??= concatBytes(compact(list.items), list.buffer.bytes.subarray(0, list.length))
  return list.whole
}

const openList = (stored: Uint8Array | undefined): Appended => {
  const { items, body } = parseList(stored)
  const bytes = new Uint8Array(Math.max(256, body.length * 2))
  bytes.set(body)
  return { items, length: body.length, buffer: { bytes }, whole: undefined }
}

const parseList = (stored: Uint8Array | undefined): { readonly items: number; readonly body: Uint8Array } => {
  if (stored === undefined) return { items: 0, body: new Uint8Array() }
  try {
    const source = reader(stored)
    return { items: source.compact(), body: stored.subarray(source.offset) }
  } catch (error) {
    if (error instanceof SubnetError) return { items: 0, body: new Uint8Array() }
    throw error
  }
}
