import { statSync } from 'node:fs'
import { join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import { contentBytes, typeName } from './dtypes.ts'
import type { Graph, TensorInfo } from './onnx.ts'

/** Names the files beside a graph that hold weights, each once. */
export const externalFiles = ({ tensors }: Graph): string[] => [
  ...new Set(tensors.flatMap(({ external }) => (external === null ? [] : [external.location]))),
]

/**
 * Expects every tensor to have its values where it says: in the graph's file, or in a file of the folder that is long enough.
 * @param of.names files of the graph's folder, with slashes; what is not among them is not read
 * @throws MODEL_FILE_INVALID when weights are missing, too short, or lie outside the folder
 */
export const mustHoldWeights = (of: {
  readonly graph: Graph
  readonly folder: string
  readonly names: readonly string[]
}): void => {
  const { graph, folder, names } = of
  const sizes = new Map<string, number>()
  for (const location of externalFiles(graph)) {
    const why = refusedLocation(location, names)
    if (why !== null) throw badWeights(location, why)
    sizes.set(location, statSync(join(folder, location)).size)
  }
  for (const tensor of graph.tensors) mustHoldValues(tensor, sizes)
}

/** Why a file that a graph names is not taken; null where it is. */
const refusedLocation = (location: string, names: readonly string[]): string | null => {
  if (location.startsWith('/') || location.includes('\\') || /^[A-Za-z]:/.test(location)) {
    return 'is no name relative to the graph'
  }
  if (location.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    return 'leads out of the folder or goes a roundabout way'
  }
  return names.includes(location) ? null : 'is not in the folder'
}

const mustHoldValues = (tensor: TensorInfo, sizes: ReadonlyMap<string, number>): void => {
  const { external, raw } = tensor
  const expected = contentBytes(tensor.type, tensor.dims)
  if (external !== null) {
    const size = sizes.get(external.location) ?? 0
    const length = external.length ?? expected ?? 0
    if (external.offset + length > size) {
      const end = external.offset + length
      throw badWeights(external.location, `has ${size} bytes, and ${tensor.name} ends at ${end}`)
    }
    if (expected !== null && length !== expected) {
      throw badWeights(external.location, `gives ${length} bytes for ${tensor.name}, which needs ${expected}`)
    }
  } else if (raw !== null && expected !== null && raw.end - raw.start !== expected) {
    const shape = `${typeName(tensor.type)} [${tensor.dims.join(', ')}]`
    throw badWeights('model.onnx', `gives ${raw.end - raw.start} bytes for ${tensor.name}, ${shape}`)
  }
}

const badWeights = (name: string, what: string): SubnetError =>
  new SubnetError({
    code: 'MODEL_FILE_INVALID',
    message: `The weights' file ${name} ${what}; restore the folder or export it again`,
    details: { name, what },
  })
