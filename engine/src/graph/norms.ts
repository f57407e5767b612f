import { producersOf } from './head.ts'
import type { Graph, Node } from './onnx.ts'
import { nodeField } from './rewrite.ts'

/**
 * Plans to write x · (1 / √v) as x / √v: exporters of torch write root mean square norms in the first form, the runtime has one
 * kernel for the whole norm and looks for the second. Fused, a token of a model of 135 M parameters costs a tenth less.
 * @returns what stands in place of nodes, by their `start`, and how many norms changed
 */
export const divideNorms = (
  graph: Graph,
): { readonly replace: ReadonlyMap<number, readonly Buffer[]>; readonly count: number } => {
  const producers = producersOf(graph)
  const readers = readersOf(graph)
  const replace = new Map<number, readonly Buffer[]>()
  let count = 0
  for (const node of graph.nodes) {
    const root = node.inputs[0] ?? ''
    const inverse = node.outputs[0] ?? ''
    if (node.op !== 'Reciprocal' || producers.get(root)?.op !== 'Sqrt') continue
    const [product, ...others] = readers.get(inverse) ?? []
    if (product?.op !== 'Mul' || others.length > 0 || replace.has(product.start)) continue
    const factor = product.inputs.find((name) => name !== inverse)
    if (factor === undefined || graph.outputs.some(({ name }) => name === inverse)) continue
    replace.set(node.start, [])
    replace.set(product.start, [
      nodeField({ name: product.name, op: 'Div', inputs: [factor, root], outputs: product.outputs }),
    ])
    count++
  }
  return { replace, count }
}

/** Which nodes read which tensor, graphs within nodes included. */
const readersOf = ({ nodes }: Graph): Map<string, Node[]> => {
  const readers = new Map<string, Node[]>()
  for (const node of nodes) {
    for (const name of new Set([...node.inputs, ...node.captured])) {
      const known = readers.get(name)
      if (known === undefined) readers.set(name, [node])
      else known.push(node)
    }
  }
  return readers
}
