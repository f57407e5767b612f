import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { contentBytes, FLOAT16 } from '../../graph/dtypes.ts'
import type { Matrix } from './alter.ts'
import { notPossible, type Weight } from './weights.ts'

/**
 * Alters matrices of a model in their files, in place: the files keep their sizes, so nothing else in them moves.
 * @param of.folder where the graph and the files beside it lie
 * @throws ATTACK_NOT_POSSIBLE when a matrix is stored in another way than as raw values
 */
export const editWeights = (of: {
  readonly folder: string
  readonly graph: string
  readonly weights: readonly Weight[]
  readonly alter: (matrix: Matrix, index: number) => void
}): void => {
  const files = new Map<string, number>()
  const opened = (name: string): number => {
    const known = files.get(name)
    if (known !== undefined) return known
    const file = openSync(join(of.folder, name), 'r+')
    files.set(name, file)
    return file
  }
  const done = new Set<string>()
  try {
    for (const [index, weight] of of.weights.entries()) {
      if (done.has(weight.tensor.name)) continue // one that several nodes share is altered once
      done.add(weight.tensor.name)
      const { name, start, length } = placeOf(weight, of.graph)
      const bytes = Buffer.alloc(length)
      const file = opened(name)
      if (readSync(file, bytes, 0, length, start) !== length) throw notPossible(`${name} ends within a tensor`)
      const written = alterBytes(bytes, weight, (matrix) => of.alter(matrix, index))
      writeSync(file, written, 0, length, start)
    }
  } finally {
    for (const file of files.values()) closeSync(file)
  }
}

const placeOf = (
  { tensor }: Weight,
  graph: string,
): { readonly name: string; readonly start: number; readonly length: number } => {
  const length = contentBytes(tensor.type, tensor.dims) ?? 0
  if (tensor.external !== null) return { name: tensor.external.location, start: tensor.external.offset, length }
  const { raw } = tensor
  if (raw === null || raw.end - raw.start !== length) throw notPossible(`${tensor.name} is not stored as raw values`)
  return { name: graph, start: raw.start, length }
}

/** Hands the values out as float32 and writes them back in their own type. */
const alterBytes = (bytes: Buffer, { tensor, inputs }: Weight, alter: (matrix: Matrix) => void): Uint8Array => {
  const [rows = 0, columns = 0] = tensor.dims
  const half = tensor.type === FLOAT16
  const stored = half
    ? new Float16Array(bytes.buffer, bytes.byteOffset, rows * columns)
    : new Float32Array(bytes.buffer, bytes.byteOffset, rows * columns)
  const values = Float32Array.from(stored)
  alter({ values, rows, columns, inputs })
  stored.set(values)
  return bytes
}
