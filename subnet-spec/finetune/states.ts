import { blobName, type ProvenList, provenList } from '@arbor/shared/blob'
import { concatBytes } from '@arbor/shared/bytes'
import { floatsToBytes } from '@arbor/shared/floats'
import { fromHex, toHex } from '@arbor/shared/hex'
import { leafHash, verifyInclusion } from '@arbor/shared/merkle'
import type { Hex } from '@arbor/shared/units'

/** A miner's state at a boundary of segments, by the names of its four files of numbers (`floatsToBytes`). */
export interface StateNames {
  readonly params: Hex
  readonly first: Hex
  readonly second: Hex
  readonly carried: Hex
  /** AdamW's steps since its moments were zero. */
  readonly steps: number
  /** Steps of the round. */
  readonly step: number
}

export const STATE_BYTES = 4 * 32 + 4 + 4

/** Gives the step of the round at which a segment begins; the last boundary is the end of the last one. */
export const boundaryStep = (of: {
  readonly steps: number
  readonly segments: number
  readonly index: number
}): number => Math.floor((of.steps * of.index) / of.segments)

/** Names a state's files. */
export const namesOf = (state: {
  readonly params: Float32Array
  readonly first: Float32Array
  readonly second: Float32Array
  readonly carried: Float32Array
  readonly steps: number
  readonly step: number
}): StateNames => {
  const name = (values: Float32Array): Hex => blobName(floatsToBytes(values))
  return {
    params: name(state.params),
    first: name(state.first),
    second: name(state.second),
    carried: name(state.carried),
    steps: state.steps,
    step: state.step,
  }
}

/** Writes a state: its four names, then both counts as u32, little-endian. */
export const encodeState = ({ params, first, second, carried, steps, step }: StateNames): Uint8Array => {
  const counts = Buffer.alloc(8)
  counts.writeUInt32LE(steps, 0)
  counts.writeUInt32LE(step, 4)
  return concatBytes(...[params, first, second, carried].map((name) => fromHex(name, 32)), counts)
}

/** Reads a state; null for bytes of another length. */
export const readState = (bytes: Uint8Array): StateNames | null => {
  if (bytes.length !== STATE_BYTES) return null
  const [params, first, second, carried] = [0, 1, 2, 3].map((at) => toHex(bytes.subarray(32 * at, 32 * at + 32)))
  if (params === undefined || first === undefined || second === undefined || carried === undefined) return null
  const counts = Buffer.from(bytes.buffer, bytes.byteOffset + 128, 8)
  return { params, first, second, carried, steps: counts.readUInt32LE(0), step: counts.readUInt32LE(4) }
}

/** Makes the tree over a round's states; its root stands in the update's head. */
export const statesTree = (states: readonly StateNames[]): ProvenList =>
  provenList(states.map((state) => leafHash(encodeState(state))))

/**
 * Checks that a state is the one that a miner committed to.
 * @param of.bytes of `encodeState`, as they came
 * @returns null where it is not
 */
export const verifyState = (of: {
  readonly root: Hex
  readonly segments: number
  readonly index: number
  readonly bytes: Uint8Array
  readonly proof: readonly Uint8Array[]
}): StateNames | null => {
  const { root, segments, index, bytes, proof } = of
  const leaf = leafHash(bytes)
  const isIncluded = verifyInclusion({ leaf, index, size: segments + 1, proof, root: fromHex(root, 32) })
  return isIncluded ? readState(bytes) : null
}
