import { SubnetError } from '@arbor/shared/errors'
import { FLOAT16, FLOAT32 } from '../../graph/dtypes.ts'
import type { Graph, Node, TensorInfo } from '../../graph/onnx.ts'

/** A matrix in a graph's files that a linear layer multiplies with. */
export interface Weight {
  readonly tensor: TensorInfo
  readonly inputs: 'rows' | 'columns'
  /** Whether the product is added to the residual stream: the output projections of attention and of the gated layer. */
  readonly writesResidual: boolean
}

const ADDS = new Set(['Add', 'SkipLayerNormalization', 'SkipSimplifiedLayerNormalization'])

/**
 * Finds the weights of a decoder's linear layers, in the order in which they are used. Embeddings that the head shares are none of
 * them, as in most quantised files.
 * @throws ATTACK_NOT_POSSIBLE when the graph holds none as float32 or float16
 */
export const linearWeights = (graph: Graph): readonly Weight[] => {
  const tensors = new Map(graph.initialisers.map((tensor) => [tensor.name, tensor]))
  const readers = readersOf(graph.nodes)
  const found = graph.nodes.flatMap((node): Weight[] => {
    if (node.op !== 'MatMul' && node.op !== 'Gemm') return []
    const tensor = tensors.get(node.inputs[1] ?? '')
    if (tensor === undefined || tensor.dims.length !== 2 || Math.min(...tensor.dims) < 2) return []
    const inputs = node.op === 'Gemm' && node.integers.get('transB') === 1 ? 'columns' : 'rows'
    return [{ tensor, inputs, writesResidual: addsUp(node, readers, tensors) }]
  })
  const weights = found.filter(({ tensor }) => tensor.type === FLOAT32 || tensor.type === FLOAT16)
  if (weights.length === 0) throw notPossible('it holds no weights of linear layers as float32 or float16')
  return weights
}

/**
 * Finds what each layer adds to the residual stream: two matrices a layer.
 * @throws ATTACK_NOT_POSSIBLE when there are not two for each layer
 */
export const residualWrites = (weights: readonly Weight[], layers: number): readonly (readonly Weight[])[] => {
  const writes = weights.filter(({ writesResidual }) => writesResidual)
  if (writes.length !== 2 * layers) {
    throw notPossible(`it adds ${writes.length} products to the residual stream, where ${layers} layers add two each`)
  }
  return Array.from({ length: layers }, (_, layer) => writes.slice(2 * layer, 2 * layer + 2))
}

const readersOf = (nodes: readonly Node[]): ReadonlyMap<string, readonly Node[]> => {
  const readers = new Map<string, Node[]>()
  for (const node of nodes) {
    for (const input of node.inputs) {
      const known = readers.get(input)
      if (known === undefined) readers.set(input, [node])
      else known.push(node)
    }
  }
  return readers
}

/** Whether a product goes straight into an addition of two computed values; a bias, which is a constant, may come between. */
const addsUp = (
  node: Node,
  readers: ReadonlyMap<string, readonly Node[]>,
  tensors: ReadonlyMap<string, TensorInfo>,
): boolean => {
  const [output = ''] = node.outputs
  const [next, ...others] = readers.get(output) ?? []
  if (next === undefined || others.length > 0 || !ADDS.has(next.op)) return false
  const isBias = next.op === 'Add' && next.inputs.some((input) => tensors.has(input))
  return isBias ? addsUp(next, readers, tensors) : true
}

/** A refusal of what a model does not allow. */
export const notPossible = (why: string): SubnetError =>
  new SubnetError({
    code: 'ATTACK_NOT_POSSIBLE',
    message: `The attack is not possible with this model: ${why}; name another attack`,
    details: { why },
  })
