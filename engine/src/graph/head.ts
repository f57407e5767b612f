import { SubnetError } from '@arbor/shared/errors'
import type { Graph, Node } from './onnx.ts'

/** Where a decoder's last hidden states become logits. */
export interface Head {
  /** The multiplication with the vocabulary's weights. */
  readonly node: Node
  /** Tensor of the last hidden states, all rows. */
  readonly hidden: string
  /** Tensor that enters the head's side and may be narrowed to some rows; `hidden`, or a cast of it. */
  readonly entry: string
  /** The node that reads the rows: the first behind `entry`, or behind the slice that the export made itself. */
  readonly reader: Node
  /** What `reader` reads now: `entry`, or the slice of it. */
  readonly reads: string
}

export const LOGITS = 'logits'
const MULTIPLICATIONS = new Set([
  'MatMul',
  'Gemm',
  'MatMulNBits',
  'FusedMatMul',
  'MatMulInteger',
  'MatMulIntegerToFloat',
  'DynamicQuantizeMatMul',
])
/** What may stand between the multiplication and the logits: casts, scales, biases and soft caps, row by row. */
const BEHIND = new Set(['Cast', 'Identity', 'Mul', 'Add', 'Div', 'Tanh', 'Reshape'])
/** What may stand between the hidden states and the multiplication. */
const BEFORE = new Set(['Cast', 'Identity', 'DynamicQuantizeLinear'])
const NARROWING = new Set(['Slice', 'Gather', 'GatherND'])
const LIMIT = 12

/** A refusal of a graph that is ONNX, but no decoder as the engine needs it. */
export const unsupported = (what: string, details: Readonly<Record<string, string>> = {}): SubnetError =>
  new SubnetError({
    code: 'MODEL_UNSUPPORTED',
    message: `The model's graph ${what}; export it as docs/models.md says`,
    details,
  })

/**
 * Finds the head by walking back from the logits.
 * @throws MODEL_UNSUPPORTED when no way leads from the logits to a multiplication with weights
 */
export const findHead = (graph: Graph): Head => {
  const producers = producersOf(graph)
  const node = multiplication(producers)
  const chain: Node[] = [node] // from the head back towards the hidden states
  let tensor = node.inputs[0] ?? ''
  for (let step = 0; step < LIMIT; step++) {
    const producer = producers.get(tensor)
    if (producer === undefined || !(BEFORE.has(producer.op) || NARROWING.has(producer.op))) break
    chain.push(producer)
    tensor = producer.inputs[0] ?? ''
  }
  const narrowing = chain.findLastIndex(({ op }) => NARROWING.has(op))
  // Behind casts, which others may read too: an output of the hidden states must keep all rows.
  const whole = chain.findLastIndex(({ op }, index) => index === 0 || (op !== 'Cast' && op !== 'Identity'))
  const at = narrowing === -1 ? whole : chain.findIndex(({ op }) => NARROWING.has(op)) - 1
  const reader = chain[at]
  if (reader === undefined) throw unsupported('narrows the logits in a way that is not known')
  const reads = reader.inputs[0] ?? ''
  const entry = narrowing === -1 ? reads : (chain[narrowing]?.inputs[0] ?? tensor)
  return { node, hidden: tensor, entry, reader, reads }
}

/** Which node gives which tensor. */
export const producersOf = ({ nodes }: Graph): Map<string, Node> =>
  new Map(nodes.flatMap((node) => node.outputs.filter((name) => name !== '').map((name) => [name, node] as const)))

const multiplication = (producers: ReadonlyMap<string, Node>): Node => {
  let node = producers.get(LOGITS)
  if (node === undefined) throw unsupported(`has no output ${LOGITS}`, { output: LOGITS })
  for (let step = 0; step < LIMIT && !MULTIPLICATIONS.has(node.op); step++) {
    if (!BEHIND.has(node.op)) throw unsupported(`makes its logits by ${node.op}`, { op: node.op })
    // Of a sum or product one side comes from the multiplication, the other is a weight or a scale.
    const next: Node | undefined = node.inputs.map((name) => producers.get(name)).find((each) => leads(each, producers))
    if (next === undefined) throw unsupported('makes its logits without a multiplication with weights')
    node = next
  }
  if (!MULTIPLICATIONS.has(node.op)) throw unsupported('makes its logits too far from a multiplication with weights')
  return node
}

/** Whether a node is the multiplication, or one of those that may follow it and leads back to it. */
const leads = (node: Node | undefined, producers: ReadonlyMap<string, Node>, depth = 0): node is Node => {
  if (node === undefined || depth > LIMIT) return false
  if (MULTIPLICATIONS.has(node.op)) return true
  return BEHIND.has(node.op) && node.inputs.some((name) => leads(producers.get(name), producers, depth + 1))
}
