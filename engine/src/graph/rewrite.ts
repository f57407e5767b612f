import { open } from 'node:fs/promises'
import type { Graph, Node } from './onnx.ts'
import type { Source } from './source.ts'
import { type Field, field, fieldsOf, lengthPrefix, numberField, type Span, textOf } from './wire.ts'

/** Changes to a graph's message. */
export interface GraphEdit {
  /** What stands in place of a node, an input, an output, a value or an initialiser, by its `start`: encoded fields, or none. */
  readonly replace: ReadonlyMap<number, readonly Buffer[]>
  /** Encoded fields that follow all others. */
  readonly append: readonly Buffer[]
}

/** A part of a file to be written: bytes, or a stretch of the source. */
export type Piece = Buffer | Span

const GRAPH_FIELD = 7
const COPY_BYTES = 1 << 22

/** Lays out a changed model file as pieces; what is not changed is copied as it stands, weights included. */
export const rewrite = (graph: Graph, { replace, append }: GraphEdit): Piece[] => {
  const body = graph.fields.flatMap((each): readonly Piece[] => replace.get(each.start) ?? [wholeField(each)])
  body.push(...append)
  const length = body.reduce((sum, piece) => sum + lengthOf(piece), 0)
  return joined([...graph.around.map(wholeField), lengthPrefix(GRAPH_FIELD, length), ...body])
}

/** Counts the bytes of pieces. */
export const piecesBytes = (pieces: readonly Piece[]): number => pieces.reduce((sum, piece) => sum + lengthOf(piece), 0)

/** Writes pieces to a new file, a few MiB at a time. */
export const writePieces = async (of: {
  readonly path: string
  readonly source: Source
  readonly pieces: readonly Piece[]
  readonly signal: AbortSignal
}): Promise<void> => {
  const file = await open(of.path, 'wx')
  try {
    for (const piece of of.pieces) {
      if (Buffer.isBuffer(piece)) {
        await file.writeFile(piece)
        continue
      }
      for (let start = piece.start; start < piece.end; start += COPY_BYTES) {
        of.signal.throwIfAborted()
        await file.writeFile(of.source.read(start, Math.min(start + COPY_BYTES, piece.end)))
      }
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Collects pieces in memory. */
export const piecesBuffer = (source: Source, pieces: readonly Piece[]): Buffer =>
  Buffer.concat(
    pieces.map((piece) => (Buffer.isBuffer(piece) ? piece : Buffer.from(source.read(piece.start, piece.end)))),
  )

/** A field with its tag. */
export const wholeField = ({ tag, end }: Field): Span => ({ start: tag, end })

const lengthOf = (piece: Piece): number => (Buffer.isBuffer(piece) ? piece.length : piece.end - piece.start)

/** Joins neighbouring stretches, so that long runs are copied in one go. */
const joined = (pieces: readonly Piece[]): Piece[] => {
  const result: Piece[] = []
  for (const piece of pieces) {
    const last = result.at(-1)
    if (last !== undefined && !Buffer.isBuffer(last) && !Buffer.isBuffer(piece) && last.end === piece.start) {
      result[result.length - 1] = { start: last.start, end: piece.end }
    } else {
      result.push(piece)
    }
  }
  return result
}

const NODE = { graphField: 1, input: 1, output: 2, name: 3, op: 4, attribute: 5 }
const INT_ATTRIBUTE = 2

/** Encodes a node as a field of a graph. */
export const nodeField = (of: {
  readonly name: string
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly integers?: Readonly<Record<string, number>>
}): Buffer =>
  field(
    NODE.graphField,
    ...of.inputs.map((each) => field(NODE.input, each)),
    ...of.outputs.map((each) => field(NODE.output, each)),
    field(NODE.name, of.name),
    field(NODE.op, of.op),
    ...Object.entries(of.integers ?? {}).map(([name, value]) =>
      field(NODE.attribute, field(1, name), numberField(3, value), numberField(20, INT_ATTRIBUTE)),
    ),
  )

/** Encodes a node again with other names in place of some of its inputs and outputs. */
export const renamedNode = (
  source: Source,
  node: Node,
  names: { readonly inputs?: ReadonlyMap<string, string>; readonly outputs?: ReadonlyMap<string, string> },
): Buffer => {
  const parts = [...fieldsOf(source, node)].map((each): Buffer => {
    const table = each.number === NODE.input ? names.inputs : each.number === NODE.output ? names.outputs : undefined
    const other = each.wire === 2 && table !== undefined ? table.get(textOf(source, each)) : undefined
    return other === undefined ? Buffer.from(source.read(each.tag, each.end)) : field(each.number, other)
  })
  return field(NODE.graphField, ...parts)
}

/** Encodes an input or output of a graph. */
export const valueField = (
  number: number,
  of: { readonly name: string; readonly type: number; readonly dims: readonly (number | string | null)[] },
): Buffer => {
  const shape = of.dims.map((dim) =>
    field(1, ...(dim === null ? [] : [typeof dim === 'number' ? numberField(1, dim) : field(2, dim)])),
  )
  return field(number, field(1, of.name), field(2, field(1, numberField(1, of.type), field(2, ...shape))))
}
