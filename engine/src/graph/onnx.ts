import type { Source } from './source.ts'
import { type Field, fieldsOf, notOnnx, type Span, textOf, varintsOf } from './wire.ts'

/** An operation of a graph; the span is that of its message's content. */
export interface Node extends Span {
  readonly name: string
  readonly op: string
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Names that graphs within this node may take from around it. */
  readonly captured: readonly string[]
  /** Tensors in its attributes, and all those of graphs within it. */
  readonly tensors: readonly TensorInfo[]
  /** Whole-number attributes. */
  readonly integers: ReadonlyMap<string, number>
}

/** A file that holds the content of a tensor. */
export interface External {
  readonly location: string
  readonly offset: number
  /** Null where the file does not say; the tensor's type and sizes do. */
  readonly length: number | null
}

/** A tensor with values, which stay where they are; the span is that of its message's content. */
export interface TensorInfo extends Span {
  readonly name: string
  readonly type: number
  readonly dims: readonly number[]
  /** Where its raw values lie in the graph's file. */
  readonly raw: Span | null
  readonly external: External | null
}

/** An input or output; the span is that of its message's content. */
export interface ValueInfo extends Span {
  readonly name: string
  /** Null for what is no tensor, or says nothing. */
  readonly type: number | null
  /** A number, a name, or null for an open size; null where the shape is not told. */
  readonly dims: readonly (number | string | null)[] | null
}

/** A model file as far as it is read: everything but the weights. */
export interface Graph {
  readonly source: Source
  /** Fields of the file beside the graph. */
  readonly around: readonly Field[]
  /** Fields of the graph, in their order. */
  readonly fields: readonly Field[]
  readonly opsets: ReadonlyMap<string, number>
  readonly nodes: readonly Node[]
  readonly initialisers: readonly TensorInfo[]
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  /** Intermediate values that say their type. */
  readonly values: readonly ValueInfo[]
  /** Every tensor with values, wherever it stands. */
  readonly tensors: readonly TensorInfo[]
}

const MODEL = { graph: 7, opset: 8, functions: 25 }
export const GRAPH = { node: 1, initialiser: 5, input: 11, output: 12, value: 13, sparse: 15 }
const NAME_LIMIT = 1 << 16
const DEPTH_LIMIT = 16

/**
 * Reads an ONNX file without its weights.
 * @throws MODEL_GRAPH_INVALID
 */
export const readGraph = (source: Source): Graph => {
  const around: Field[] = []
  const fields: Field[] = []
  const opsets = new Map<string, number>()
  const inFunctions: TensorInfo[] = []
  for (const each of fieldsOf(source, { start: 0, end: source.size })) {
    // A message that occurs several times is one message: protobuf's way to append to a file.
    if (each.number === MODEL.graph && each.wire === 2) fields.push(...fieldsOf(source, each))
    else around.push(each)
    if (each.number === MODEL.opset) {
      const of = children(source, each)
      opsets.set(textIn(source, of, 1), of.find(({ number }) => number === 2)?.value ?? 0)
    }
    if (each.number === MODEL.functions) {
      for (const inner of children(source, each)) {
        if (inner.number === 7) inFunctions.push(...readNode(source, inner, 0).tensors)
      }
    }
  }
  if (fields.length === 0) throw notOnnx('it holds no graph')
  const pick = (number: number): Field[] => fields.filter((each) => each.number === number && each.wire === 2)
  const nodes = pick(GRAPH.node).map((each) => readNode(source, each, 0))
  const initialisers = pick(GRAPH.initialiser).map((each) => readTensor(source, each))
  const sparse = pick(GRAPH.sparse).flatMap((each) => tensorsOfSparse(source, each))
  return {
    source,
    around,
    fields,
    opsets,
    nodes,
    initialisers,
    inputs: pick(GRAPH.input).map((each) => readValue(source, each)),
    outputs: pick(GRAPH.output).map((each) => readValue(source, each)),
    values: pick(GRAPH.value).map((each) => readValue(source, each)),
    tensors: [...initialisers, ...sparse, ...nodes.flatMap(({ tensors }) => tensors), ...inFunctions],
  }
}

const children = (source: Source, span: Span): Field[] => [...fieldsOf(source, span)]

const nameOf = (source: Source, span: Span): string => {
  if (span.end - span.start > NAME_LIMIT) throw notOnnx('a name is too long', span.start)
  return textOf(source, span)
}

const textIn = (source: Source, fields: readonly Field[], number: number): string => {
  const found = fields.find((each) => each.number === number && each.wire === 2)
  return found === undefined ? '' : nameOf(source, found)
}

const textsIn = (source: Source, fields: readonly Field[], number: number): string[] =>
  fields.filter((each) => each.number === number && each.wire === 2).map((each) => nameOf(source, each))

const readNode = (source: Source, span: Span, depth: number): Node => {
  if (depth > DEPTH_LIMIT) throw notOnnx('graphs lie within graphs too deep', span.start)
  const fields = children(source, span)
  const captured: string[] = []
  const tensors: TensorInfo[] = []
  const integers = new Map<string, number>()
  for (const attribute of fields.filter(({ number, wire }) => number === 5 && wire === 2)) {
    const parts = children(source, attribute)
    const name = textIn(source, parts, 1)
    for (const part of parts) {
      if (part.number === 3 && part.wire === 0) integers.set(name, part.value)
      if (part.wire !== 2) continue
      if (part.number === 5 || part.number === 10) tensors.push(readTensor(source, part))
      if (part.number === 22 || part.number === 23) tensors.push(...tensorsOfSparse(source, part))
      if (part.number === 6 || part.number === 11) {
        const inner = readSubgraph(source, part, depth + 1)
        captured.push(...inner.captured)
        tensors.push(...inner.tensors)
      }
    }
  }
  return {
    start: span.start,
    end: span.end,
    name: textIn(source, fields, 3),
    op: textIn(source, fields, 4),
    domain: textIn(source, fields, 7),
    inputs: textsIn(source, fields, 1),
    outputs: textsIn(source, fields, 2),
    captured,
    tensors,
    integers,
  }
}

/** Reads what a graph within a node may take from around it (its own names included, which does no harm), and its tensors. */
const readSubgraph = (source: Source, span: Span, depth: number): Pick<Node, 'captured' | 'tensors'> => {
  const captured: string[] = []
  const tensors: TensorInfo[] = []
  for (const each of children(source, span)) {
    if (each.wire !== 2) continue
    if (each.number === GRAPH.node) {
      const node = readNode(source, each, depth)
      captured.push(...node.inputs, ...node.captured)
      tensors.push(...node.tensors)
    }
    if (each.number === GRAPH.output) captured.push(readValue(source, each).name)
    if (each.number === GRAPH.initialiser) tensors.push(readTensor(source, each))
    if (each.number === GRAPH.sparse) tensors.push(...tensorsOfSparse(source, each))
  }
  return { captured, tensors }
}

const tensorsOfSparse = (source: Source, span: Span): TensorInfo[] =>
  children(source, span)
    .filter(({ number, wire }) => (number === 1 || number === 2) && wire === 2)
    .map((each) => readTensor(source, each))

const readTensor = (source: Source, span: Span): TensorInfo => {
  const dims: number[] = []
  const entries = new Map<string, string>()
  let type = 0
  let name = ''
  let raw: Span | null = null
  let isExternal = false
  for (const each of fieldsOf(source, span)) {
    if (each.number === 1) dims.push(...varintsOf(source, each))
    if (each.number === 2) type = each.value
    if (each.number === 8) name = nameOf(source, each)
    if (each.number === 9) raw = { start: each.start, end: each.end }
    if (each.number === 14) isExternal = each.value === 1
    if (each.number === 13) {
      const entry = children(source, each)
      entries.set(textIn(source, entry, 1), textIn(source, entry, 2))
    }
  }
  return { start: span.start, end: span.end, name, type, dims, raw, external: isExternal ? externalOf(entries) : null }
}

const externalOf = (entries: ReadonlyMap<string, string>): External => {
  const location = entries.get('location')
  if (location === undefined) throw notOnnx('a tensor lies in another file that it does not name')
  const whole = (key: string): number | null => {
    const value = entries.get(key)
    if (value === undefined) return null
    if (!/^\d{1,15}$/.test(value)) throw notOnnx(`${key} ${value.slice(0, 40)} of a tensor in ${location}`)
    return Number(value)
  }
  return { location, offset: whole('offset') ?? 0, length: whole('length') }
}

const readValue = (source: Source, span: Span): ValueInfo => {
  const fields = children(source, span)
  const within = (of: readonly Field[], number: number): Field | undefined =>
    of.find((each) => each.number === number && each.wire === 2)
  const type = within(fields, 2)
  const tensor = type && within(children(source, type), 1)
  const parts = tensor === undefined ? [] : children(source, tensor)
  const shape = within(parts, 2)
  const dims = shape && children(source, shape).map((dim) => dimOf(source, dim))
  return {
    start: span.start,
    end: span.end,
    name: textIn(source, fields, 1),
    type: parts.find(({ number, wire }) => number === 1 && wire === 0)?.value ?? null,
    dims: dims ?? null,
  }
}

const dimOf = (source: Source, span: Span): number | string | null => {
  const parts = children(source, span)
  const value = parts.find(({ number, wire }) => number === 1 && wire === 0)
  const name = textIn(source, parts, 2)
  return value?.value ?? (name === '' ? null : name)
}
