import { join } from 'node:path'
import type { Layout } from '@arbor/shared/training'
import { FLOAT32, typeName } from '../graph/dtypes.ts'
import { readGraph, type TensorInfo } from '../graph/onnx.ts'
import { openSource } from '../graph/source.ts'
import type { HeldTensor } from './card.ts'
import { tensorUnfit } from './errors.ts'

/** Where the values of a tensor lie. */
export interface TensorSpan {
  readonly path: string
  readonly start: number
  /** First element in the flat vector, and number of elements. */
  readonly offset: number
  readonly length: number
}

/**
 * Finds where a model's files hold the tensors of a layout.
 * @throws TRAIN_TENSOR_UNFIT when one is missing, of another shape, or not fp32
 */
export const findTensors = (of: {
  readonly graph: string
  readonly folder: string
  readonly tensors: readonly HeldTensor[]
  readonly layout: Layout
}): TensorSpan[] => {
  const source = openSource(of.graph)
  try {
    const held = new Map(readGraph(source).initialisers.map((each) => [each.name, each]))
    return of.tensors.map(({ name, shape, initializer }, index) => {
      const tensor = held.get(initializer ?? '')
      if (tensor === undefined) throw tensorUnfit(name, `${initializer} is not in its graph`)
      if (tensor.type !== FLOAT32) throw tensorUnfit(name, `is ${typeName(tensor.type)}, not float32`)
      if (tensor.dims.join() !== shape.join()) throw tensorUnfit(name, `is [${tensor.dims}], not [${shape}]`)
      const place = of.layout.tensors[index]
      const { path, start, bytes } = spanOf(of, tensor)
      if (place === undefined || bytes !== place.length * 4) throw tensorUnfit(name, `has ${bytes} bytes`)
      return { path, start, offset: place.offset, length: place.length }
    })
  } finally {
    source.close()
  }
}

/** Reads the tensors of a layout into one flat vector. */
export const readTensors = (of: Parameters<typeof findTensors>[0]): Float32Array => {
  const flat = new Float32Array(of.layout.size)
  const bytes = new Uint8Array(flat.buffer)
  const sources = new Map<string, ReturnType<typeof openSource>>()
  try {
    for (const { path, start, offset, length } of findTensors(of)) {
      const source = sources.get(path) ?? openSource(path)
      sources.set(path, source)
      bytes.set(source.read(start, start + length * 4), offset * 4)
    }
  } finally {
    for (const source of sources.values()) source.close()
  }
  return flat
}

const spanOf = (
  of: { readonly graph: string; readonly folder: string },
  { name, raw, external }: TensorInfo,
): { readonly path: string; readonly start: number; readonly bytes: number } => {
  if (external !== null) {
    const { location, offset, length } = external
    return { path: join(of.folder, location), start: offset, bytes: length ?? 0 }
  }
  if (raw === null) throw tensorUnfit(name, 'has its values in a form that is not read')
  return { path: of.graph, start: raw.start, bytes: raw.end - raw.start }
}
