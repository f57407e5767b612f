import { SubnetError } from '@arbor/shared/errors'
import type { Source } from './source.ts'

/** Where a message or a byte string lies in a source: [start, end). */
export interface Span {
  readonly start: number
  readonly end: number
}

/** One field of a protobuf message. */
export interface Field extends Span {
  readonly number: number
  /** 0 varint, 1 eight bytes, 2 with a length, 5 four bytes. */
  readonly wire: number
  /** Value of a varint; 0 for others. Exact up to 2^53. */
  readonly value: number
  /** Where its tag starts; `start` is where its content does. */
  readonly tag: number
}

const LONGEST_VARINT = 10

/** A refusal of bytes that are no ONNX graph. */
export const notOnnx = (why: string, position?: number): SubnetError =>
  new SubnetError({
    code: 'MODEL_GRAPH_INVALID',
    message: `The graph is no ONNX file that can be read: ${why}${position === undefined ? '' : ` at byte ${position}`}; export it again`,
    details: { why, ...(position === undefined ? {} : { position }) },
  })

/**
 * Walks over the fields of a message without reading their content.
 * @throws MODEL_GRAPH_INVALID when the bytes are no protobuf message
 */
export function* fieldsOf(source: Source, { start, end }: Span): Generator<Field> {
  let position = start
  while (position < end) {
    const tag = position
    const head = readVarint(source, position, end)
    const number = Math.floor(head.value / 8)
    const wire = head.value % 8
    position = head.end
    if (number === 0) throw notOnnx('a field has number 0', tag)
    if (wire === 0) {
      const { value, end: after } = readVarint(source, position, end)
      yield { number, wire, value, tag, start: position, end: after }
      position = after
      continue
    }
    const length = wire === 2 ? readVarint(source, position, end) : { value: fixedSize(wire, tag), end: position }
    const after = length.end + length.value
    if (after > end) throw notOnnx('a field is longer than what holds it', tag)
    yield { number, wire, value: 0, tag, start: length.end, end: after }
    position = after
  }
}

const fixedSize = (wire: number, tag: number): number => {
  if (wire === 1) return 8
  if (wire === 5) return 4
  throw notOnnx(`wire type ${wire}`, tag)
}

const readVarint = (source: Source, start: number, end: number): { readonly value: number; readonly end: number } => {
  const bytes = source.read(start, Math.min(start + LONGEST_VARINT, end))
  let value = 0
  let scale = 1
  for (const [index, byte] of bytes.entries()) {
    value += (byte & 127) * scale
    if (byte < 128) return { value, end: start + index + 1 }
    scale *= 128
  }
  throw notOnnx(bytes.length < LONGEST_VARINT ? 'it ends early' : 'a number is too long', start)
}

/** Reads the varints of a repeated integer field, packed or not; negative ones are out of their range. */
export const varintsOf = (source: Source, field: Field): number[] => {
  if (field.wire === 0) return [field.value]
  const values: number[] = []
  for (let position = field.start; position < field.end; ) {
    const { value, end } = readVarint(source, position, field.end)
    values.push(value)
    position = end
  }
  return values
}

/** Reads a text field. */
export const textOf = (source: Source, { start, end }: Span): string => source.read(start, end).toString('utf8')

/** Encodes a whole number as a varint. */
export const varint = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? low | 128 : low)
  } while (rest > 0)
  return Buffer.from(bytes)
}

/** Encodes a field of a whole number. */
export const numberField = (number: number, value: number): Buffer => Buffer.concat([varint(number * 8), varint(value)])

/** Encodes a field that has a length: a text, bytes, or a message of encoded fields. */
export const field = (number: number, ...content: readonly (string | Uint8Array)[]): Buffer => {
  const parts = content.map((each) => (typeof each === 'string' ? Buffer.from(each, 'utf8') : each))
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([lengthPrefix(number, length), ...parts])
}

/** Encodes tag and length of a field whose content follows. */
export const lengthPrefix = (number: number, length: number): Buffer =>
  Buffer.concat([varint(number * 8 + 2), varint(length)])
