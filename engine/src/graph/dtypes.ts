/** Element types of ONNX tensors: their number in the format, what they are called, and bits an element (0 where it has no fixed size). */
const TYPES: readonly (readonly [number, string, number])[] = [
  [1, 'float32', 32],
  [2, 'uint8', 8],
  [3, 'int8', 8],
  [4, 'uint16', 16],
  [5, 'int16', 16],
  [6, 'int32', 32],
  [7, 'int64', 64],
  [8, 'string', 0],
  [9, 'bool', 8],
  [10, 'float16', 16],
  [11, 'float64', 64],
  [12, 'uint32', 32],
  [13, 'uint64', 64],
  [16, 'bfloat16', 16],
  [21, 'uint4', 4],
  [22, 'int4', 4],
]
const BY_NUMBER = new Map(TYPES.map(([number, name, bits]) => [number, { name, bits }]))

export const FLOAT32 = 1
export const INT64 = 7
export const FLOAT16 = 10
export const BFLOAT16 = 16

/** Names an element type; null for one that this engine does not know. */
export const typeName = (type: number): string | null => BY_NUMBER.get(type)?.name ?? null

/** Counts the bytes of a tensor's content; null where its type has no fixed size or is unknown. */
export const contentBytes = (type: number, dims: readonly number[]): number | null => {
  const bits = BY_NUMBER.get(type)?.bits ?? 0
  if (bits === 0) return null
  return Math.ceil((dims.reduce((product, size) => product * size, 1) * bits) / 8)
}
