import { isDict, isList, PyEnum, PyTuple, type PyValue } from './value.ts'

/** Bounds of a text that is read. */
export interface JsonLimits {
  /** Containers within each other. */
  readonly maxDepth?: number
  /** Takes NaN, Infinity and -Infinity, which Python writes and reads though they are not JSON. */
  readonly nonFinite?: boolean
}

export type JsonReading = { readonly ok: true; readonly value: PyValue } | { readonly ok: false; readonly why: string }

const MAX_DEPTH = 100
/** Python refuses longer integers. @source CPython sys.int_info.default_max_str_digits */
const MAX_DIGITS = 4_300

class BadJson extends Error {}

interface Reader {
  readonly text: string
  readonly nonFinite: boolean
  at: number
  depthLeft: number
}

/**
 * Reads JSON without loss: integers of any size apart from floats, keys in their order. Of equal keys the last value counts, at the
 * place of the first, as in Python. Texts with half a surrogate pair are refused: nothing could be hashed of them.
 * @param json text, or its bytes in UTF-8
 */
export const parseJson = (json: string | Uint8Array, limits: JsonLimits = {}): JsonReading => {
  try {
    const text =
      typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json)
    const reader: Reader = {
      text,
      nonFinite: limits.nonFinite ?? false,
      at: 0,
      depthLeft: limits.maxDepth ?? MAX_DEPTH,
    }
    skip(reader)
    const value = readValue(reader)
    if (reader.at !== text.length) throw new BadJson(`text after the value at ${reader.at}`)
    return { ok: true, value }
  } catch (error) {
    if (error instanceof BadJson) return { ok: false, why: error.message }
    if (error instanceof TypeError) return { ok: false, why: 'bytes that are no UTF-8' }
    throw error
  }
}

const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
/** What may not be taken as it is: escapes, and controls, some of which JSON allows. */
const UNPLAIN = /[\\\p{Cc}]/u
const WORDS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
])
const NON_FINITE: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

/** Skips what JSON counts as space. */
const skip = (reader: Reader): void => {
  const code = reader.text.charCodeAt(reader.at)
  if (code > 0x20) return
  SPACE.lastIndex = reader.at
  SPACE.test(reader.text)
  reader.at = SPACE.lastIndex
}

/** Reads one value and the space after it. */
const readValue = (reader: Reader): PyValue => {
  const value = readBare(reader)
  skip(reader)
  return value
}

const readBare = (reader: Reader): PyValue => {
  const { text, at } = reader
  const first = text[at]
  if (first === '"') return readText(reader)
  if (first === '{') return nested(reader, readDict)
  if (first === '[') return nested(reader, readList)
  for (const [word, value] of WORDS) if (text.startsWith(word, at)) return take(reader, word.length, value)
  if (reader.nonFinite)
    for (const [word, value] of NON_FINITE) if (text.startsWith(word, at)) return take(reader, word.length, value)
  return readNumber(reader)
}

const take = <Value>(reader: Reader, length: number, value: Value): Value => {
  reader.at += length
  return value
}

const nested = (reader: Reader, read: (reader: Reader) => PyValue): PyValue => {
  if (reader.depthLeft === 0) throw new BadJson(`too many containers within each other at ${reader.at}`)
  reader.depthLeft -= 1
  reader.at += 1
  skip(reader)
  const value = read(reader)
  reader.depthLeft += 1
  return value
}

const readNumber = (reader: Reader): bigint | number => {
  NUMBER.lastIndex = reader.at
  const match = NUMBER.exec(reader.text)
  if (match === null) throw new BadJson(`no value at ${reader.at}`)
  const [text, fraction, exponent] = match
  reader.at += text.length
  if (fraction === undefined && exponent === undefined) {
    if (text.length > MAX_DIGITS) throw new BadJson(`an integer of more than ${MAX_DIGITS} digits`)
    return BigInt(text)
  }
  const value = Number(text)
  if (!Number.isFinite(value) && !reader.nonFinite) throw new BadJson('a float beyond 64 bits')
  return value
}

const readText = (reader: Reader): string => {
  const { text, at: start } = reader
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  if (end === -1) throw new BadJson(`a text without its end at ${start}`)
  reader.at = end + 1
  const inner = text.slice(start + 1, end)
  const value = UNPLAIN.test(inner) ? readEscapes(text.slice(start, end + 1), start) : inner
  if (!value.isWellFormed()) throw new BadJson(`half a surrogate pair in the text at ${start}`)
  return value
}

/** Whether a quote belongs to the text: an odd number of backslashes is before it. */
const isEscaped = (text: string, quote: number): boolean => {
  let at = quote
  while (text.charCodeAt(at - 1) === 0x5c) at -= 1
  return (quote - at) % 2 === 1
}

const readEscapes = (quoted: string, start: number): string => {
  try {
    return JSON.parse(quoted) as string
  } catch (error) {
    if (error instanceof SyntaxError) throw new BadJson(`a control or a wrong escape in the text at ${start}`)
    throw error
  }
}

/** Takes a comma, or the end; false at the end. */
const more = (reader: Reader, end: string): boolean => {
  const mark = reader.text[reader.at]
  if (mark !== ',' && mark !== end) throw new BadJson(`neither a comma nor ${end} at ${reader.at}`)
  reader.at += 1
  if (mark === ',') skip(reader)
  return mark === ','
}

const readList = (reader: Reader): readonly PyValue[] => {
  const items: PyValue[] = []
  if (reader.text[reader.at] === ']') return take(reader, 1, items)
  do items.push(readValue(reader))
  while (more(reader, ']'))
  return items
}

const readDict = (reader: Reader): PyValue => {
  const items = new Map<string, PyValue>()
  if (reader.text[reader.at] === '}') return take(reader, 1, items)
  do {
    if (reader.text[reader.at] !== '"') throw new BadJson(`no key at ${reader.at}`)
    const key = readText(reader)
    skip(reader)
    if (reader.text[reader.at] !== ':') throw new BadJson(`no colon at ${reader.at}`)
    reader.at += 1
    skip(reader)
    items.set(key, readValue(reader))
  } while (more(reader, '}'))
  return items
}

/** Writes a value as JSON that reads back the same; floats as Python writes them. */
export const printJson = (value: PyValue): string => {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return printFloat(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof PyEnum) return JSON.stringify(value.value)
  if (value instanceof PyTuple) return `[${value.items.map(printJson).join(',')}]`
  if (isList(value)) return `[${value.map(printJson).join(',')}]`
  if (isDict(value))
    return `{${[...value].map(([key, item]) => `${JSON.stringify(String(key))}:${printJson(item)}`).join(',')}}`
  throw new TypeError('not a value of Python')
}

/** @throws RangeError for what JSON has no word for */
const printFloat = (value: number): string => {
  if (!Number.isFinite(value)) throw new RangeError(`JSON has no word for ${value}`)
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}
