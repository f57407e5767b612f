import { FLOAT16, FLOAT32, INT64 } from './dtypes.ts'
import { findHead, type Head, LOGITS, producersOf, unsupported } from './head.ts'
import { divideNorms } from './norms.ts'
import { GRAPH, type Graph, type Node, type ValueInfo } from './onnx.ts'
import { type GraphEdit, nodeField, renamedNode, valueField } from './rewrite.ts'

/** What a graph was given so that the engine can serve and check it. */
export interface Preparation {
  readonly edit: GraphEdit
  /** In words, for whoever adds the model; empty where the graph had everything. */
  readonly added: readonly string[]
  readonly head: Head
}

export const HIDDEN = 'last_hidden_state'
export const ROWS = 'logits_rows'
/** Inputs that exports have to narrow the logits themselves; `logits_rows` takes their place. */
const NARROWING_INPUTS = ['num_logits_to_keep', 'logits_to_keep']
const ROWS_TENSOR = 'arbor_head_rows'
const HALF_LOGITS = 'arbor_half_logits'

/**
 * Plans what makes an export fit: the output `last_hidden_state` (float32, all rows), the input `logits_rows` (int64, the rows of
 * the sequence whose logits are wanted), and logits in float32.
 * @throws MODEL_UNSUPPORTED when the graph's head cannot be found or changed
 */
export const prepareGraph = (graph: Graph): Preparation => {
  const head = findHead(graph)
  const changes: Changes = { inputs: new Map(), outputs: new Map(), before: new Map(), replace: new Map(), append: [] }
  const added: string[] = []
  if (!graph.outputs.some(({ name }) => name === HIDDEN)) {
    changes.append.push(...hiddenOutput(graph, head))
    added.push(`output ${HIDDEN}`)
  } else if (sourceOf(graph, HIDDEN) !== sourceOf(graph, head.hidden)) {
    throw unsupported(`has an output ${HIDDEN} that is not what its head reads`, { output: HIDDEN })
  }
  if (!graph.inputs.some(({ name }) => name === ROWS)) {
    addRows(graph, head, changes)
    added.push(`input ${ROWS}`)
  } else if (!readsRows(graph, head)) {
    throw unsupported(`has an input ${ROWS} that does not choose what its head reads`, { input: ROWS })
  }
  if (output(graph, LOGITS).type === FLOAT16) {
    widenLogits(graph, changes)
    added.push(`${LOGITS} in float32`)
  }
  const norms = divideNorms(graph)
  if (norms.count > 0) added.push(`${norms.count} norms in the form that the runtime fuses`)
  for (const [start, fields] of norms.replace) changes.replace.set(start, fields)
  return { edit: editOf(graph, changes), added, head }
}

interface Changes {
  /** Other names for a node's inputs and outputs. */
  readonly inputs: Map<Node, ReadonlyMap<string, string>>
  readonly outputs: Map<Node, ReadonlyMap<string, string>>
  /** Nodes that are put in front of one, so that each tensor is made before it is read. */
  readonly before: Map<Node, Buffer>
  readonly replace: Map<number, readonly Buffer[]>
  readonly append: Buffer[]
}

const editOf = (graph: Graph, { inputs, outputs, before, replace, append }: Changes): GraphEdit => {
  const all = new Map(replace)
  for (const node of new Set([...inputs.keys(), ...outputs.keys(), ...before.keys()])) {
    const names = { inputs: inputs.get(node) ?? new Map(), outputs: outputs.get(node) ?? new Map() }
    const front = before.get(node)
    all.set(node.start, [...(front === undefined ? [] : [front]), renamedNode(graph.source, node, names)])
  }
  return { replace: all, append }
}

/** Follows casts and copies back to the tensor they come from. */
const sourceOf = (graph: Graph, tensor: string): string => {
  const producers = producersOf(graph)
  let name = tensor
  for (let node = producers.get(name); node !== undefined; node = producers.get(name)) {
    if (node.op !== 'Cast' && node.op !== 'Identity') break
    name = node.inputs[0] ?? ''
  }
  return name
}

const readsRows = (graph: Graph, head: Head): boolean => {
  const gather = producersOf(graph).get(head.reads)
  return gather?.op === 'Gather' && gather.inputs[1] === ROWS && gather.integers.get('axis') === 1
}

const hiddenOutput = (graph: Graph, { hidden, node }: Head): Buffer[] => {
  const names = namesOf(graph)
  if (names.has(HIDDEN) && hidden !== HIDDEN) throw unsupported(`names another tensor ${HIDDEN}`, { tensor: HIDDEN })
  if (hidden === HIDDEN) throw unsupported(`keeps ${HIDDEN} to itself`, { tensor: node.name })
  const dims = [...firstDims(graph), null]
  return [
    // A cast of float32 to float32 costs nothing: the runtime leaves it out.
    nodeField({ name: HIDDEN, op: 'Cast', inputs: [hidden], outputs: [HIDDEN], integers: { to: FLOAT32 } }),
    valueField(GRAPH.output, { name: HIDDEN, type: FLOAT32, dims }),
  ]
}

/** Batch and length, as input_ids names them. */
const firstDims = (graph: Graph): readonly (number | string | null)[] => {
  const dims = graph.inputs.find(({ name }) => name === 'input_ids')?.dims
  return dims?.length === 2 ? dims : [null, null]
}

/** Puts a Gather between the hidden states and the head, in place of the slice that an export may have there. */
const addRows = (graph: Graph, head: Head, { inputs, before, replace, append }: Changes): void => {
  for (const name of [ROWS, ROWS_TENSOR]) {
    if (namesOf(graph).has(name)) throw unsupported(`names a tensor ${name}`, { tensor: name })
  }
  const gather = nodeField({
    name: ROWS_TENSOR,
    op: 'Gather',
    inputs: [head.entry, ROWS],
    outputs: [ROWS_TENSOR],
    integers: { axis: 1 },
  })
  before.set(head.reader, gather)
  inputs.set(head.reader, new Map([[head.reads, ROWS_TENSOR]]))
  append.push(valueField(GRAPH.input, { name: ROWS, type: INT64, dims: ['rows'] }))
  tellLogits(graph, output(graph, LOGITS).type ?? FLOAT32, replace)
  forgetShapes(graph, head, replace)
  if (head.reads !== head.entry) dropUnread(graph, head, replace)
}

/** Takes out what is told of the sizes behind the head: rows no longer are the sequence's. */
const forgetShapes = (graph: Graph, head: Head, replace: Changes['replace']): void => {
  const behind = new Set(head.reader.outputs)
  let size: number
  do {
    size = behind.size
    for (const node of graph.nodes) {
      if (node.inputs.some((name) => behind.has(name))) for (const name of node.outputs) behind.add(name)
    }
  } while (behind.size > size)
  for (const value of graph.values) if (behind.has(value.name)) replace.set(value.start, [])
}

/** Drops the slice that nobody reads any more, what only led to it, and its input. */
const dropUnread = (graph: Graph, head: Head, replace: Changes['replace']): void => {
  const live = new Set(graph.nodes)
  const inputsOf = (node: Node): readonly string[] =>
    node === head.reader ? node.inputs.filter((name) => name !== head.reads) : node.inputs
  let read: Set<string>
  let size: number
  do {
    size = live.size
    read = new Set([
      ...graph.outputs.map(({ name }) => name),
      head.entry,
      ...[...live].flatMap((node) => [...inputsOf(node), ...node.captured]),
    ])
    for (const node of live) if (!node.outputs.some((name) => read.has(name))) live.delete(node)
  } while (live.size < size)
  for (const node of graph.nodes) if (!live.has(node)) replace.set(node.start, [])
  for (const each of graph.inputs) {
    if (NARROWING_INPUTS.includes(each.name) && !read.has(each.name)) replace.set(each.start, [])
  }
}

const widenLogits = (graph: Graph, { outputs, replace, append }: Changes): void => {
  if (namesOf(graph).has(HALF_LOGITS)) throw unsupported(`names a tensor ${HALF_LOGITS}`, { tensor: HALF_LOGITS })
  const producer = producersOf(graph).get(LOGITS)
  if (producer === undefined) throw unsupported(`has no output ${LOGITS}`, { output: LOGITS })
  outputs.set(producer, new Map([[LOGITS, HALF_LOGITS]]))
  const widths = { inputs: [HALF_LOGITS], outputs: [LOGITS], integers: { to: FLOAT32 } }
  append.push(nodeField({ name: 'arbor_wide_logits', op: 'Cast', ...widths }))
  tellLogits(graph, FLOAT32, replace)
}

/** Says anew what the logits are: [batch, rows, vocabulary]. */
const tellLogits = (graph: Graph, type: number, replace: Changes['replace']): void => {
  const { dims, start } = output(graph, LOGITS)
  const value = { name: LOGITS, type, dims: [firstDims(graph)[0] ?? null, 'rows', dims?.at(-1) ?? null] }
  replace.set(start, [valueField(GRAPH.output, value)])
}

const output = (graph: Graph, name: string): ValueInfo => {
  const found = graph.outputs.find((each) => each.name === name)
  if (found === undefined) throw unsupported(`has no output ${name}`, { output: name })
  return found
}

/** Every name that a tensor of the graph has. */
const namesOf = (graph: Graph): Set<string> =>
  new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initialisers.map(({ name }) => name),
    ...graph.nodes.flatMap(({ inputs, outputs, captured }) => [...inputs, ...outputs, ...captured]),
  ])
