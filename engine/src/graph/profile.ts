import type { PrecisionProfile } from '@arbor/shared/inference'
import { BFLOAT16, FLOAT16, FLOAT32, typeName } from './dtypes.ts'
import { refusedType } from './io.ts'
import type { Graph, TensorInfo } from './onnx.ts'

/** The arithmetic that a graph runs in, and what shows it. */
export interface GraphProfile {
  readonly profile: PrecisionProfile
  readonly reason: string
}

const DYNAMIC = [
  'DynamicQuantizeLinear',
  'DynamicQuantizeMatMul',
  'MatMulInteger',
  'MatMulIntegerToFloat',
  'QLinearMatMul',
]
/** MatMulNBits of this level multiplies whole numbers: activations are rounded to int8 in blocks. */
const INT8_LEVEL = 4

/**
 * Decides the precision profile of a graph by its activations: weights of fewer bits alone leave it what it was.
 * @throws MODEL_DTYPE when a tensor has a type that is unknown or refused
 */
export const profileOf = (graph: Graph): GraphProfile => {
  for (const tensor of graph.tensors) mustBeKnown(`The tensor ${tensor.name || '(a constant)'}`, tensor.type)
  for (const value of [...graph.inputs, ...graph.outputs, ...graph.values]) {
    if (value.type !== null && value.type !== 0) mustBeKnown(`The value ${value.name}`, value.type)
  }
  const half = graph.nodes.find((node) => node.op === 'Cast' && node.integers.get('to') === BFLOAT16)
  if (half !== undefined) throw refusedType(`The result of ${half.name || 'a Cast'}`, BFLOAT16)

  const dynamic = graph.nodes.find(({ op }) => DYNAMIC.includes(op))
  if (dynamic !== undefined) {
    return { profile: 'int8', reason: `${dynamic.op} rounds activations to int8 as it runs` }
  }
  const blocks = graph.nodes.filter(({ op }) => op === 'MatMulNBits')
  if (blocks.some(({ integers }) => integers.get('accuracy_level') === INT8_LEVEL)) {
    return { profile: 'int8', reason: 'MatMulNBits with accuracy level 4 rounds activations to int8 as it runs' }
  }
  const bits = blocks[0]?.integers.get('bits')
  const weights = blocks.length > 0 ? `weights of ${bits} bits, ` : ''
  const isHalf = elements(graph, FLOAT16) > elements(graph, FLOAT32)
  return isHalf
    ? { profile: 'fp16', reason: `${weights}activations in float16` }
    : { profile: 'fp32', reason: `${weights}activations in float32` }
}

const mustBeKnown = (where: string, type: number): void => {
  if (type === BFLOAT16 || typeName(type) === null) throw refusedType(where, type)
}

const elements = ({ tensors }: Graph, type: number): number =>
  tensors
    .filter((tensor) => tensor.type === type)
    .reduce((sum, { dims }: TensorInfo) => sum + dims.reduce((product, size) => product * size, 1), 0)
