import { endianness } from 'node:os'
import { wrongSize } from './errors.ts'
import type { LocalState } from './types.ts'

/** The files that a saved state consists of, in the order in which its leaf names them. */
export const STATE_PARTS = ['params', 'first', 'second', 'carried'] as const
export type StatePart = (typeof STATE_PARTS)[number]

/** Views numbers as little-endian bytes. */
export const bytesOf = (values: Float32Array): Uint8Array => {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return endianness() === 'LE' ? bytes : new Uint8Array(Buffer.from(bytes).swap32())
}

/** Reads little-endian bytes as numbers, in memory of their own. @throws TRAIN_SIZE_INVALID */
export const floatsOf = (bytes: Uint8Array, size: number): Float32Array => {
  if (bytes.length !== size * 4) throw wrongSize('A saved vector', bytes.length / 4, size)
  const own = Uint8Array.from(bytes)
  if (endianness() === 'BE') Buffer.from(own.buffer).swap32()
  return new Float32Array(own.buffer)
}

/** The content of each file of a saved state: views, not copies. */
export const stateParts = (of: {
  readonly state: LocalState
  readonly carried: Float32Array
}): Readonly<Record<StatePart, Uint8Array>> => ({
  params: bytesOf(of.state.params),
  first: bytesOf(of.state.moments.first),
  second: bytesOf(of.state.moments.second),
  carried: bytesOf(of.carried),
})

/**
 * Reads a saved state back.
 * @param of.step  of the round, and `of.steps` since the moments were zero: both are in the state's leaf
 * @throws TRAIN_SIZE_INVALID
 */
export const stateOfParts = (of: {
  readonly parts: Readonly<Record<StatePart, Uint8Array>>
  readonly size: number
  readonly step: number
  readonly steps: number
}): { readonly state: LocalState; readonly carried: Float32Array } => {
  const { parts, size, step, steps } = of
  const moments = { first: floatsOf(parts.first, size), second: floatsOf(parts.second, size), steps }
  return { state: { step, params: floatsOf(parts.params, size), moments }, carried: floatsOf(parts.carried, size) }
}
