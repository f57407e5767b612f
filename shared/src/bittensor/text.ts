import { isDict, isList, PyEnum, PyTuple, type PyValue } from './value.ts'

/** Python's repr of a float turns to scientific notation outside of 10^-4 ≤ |x| < 10^16. @source CPython Python/pystrtod.c format_float_short */
const FIXED_FROM = -4
const FIXED_BELOW = 16

/** Writes a float as Python's str() does: the shortest digits that read back the same, always with a point or an exponent. */
export const pyFloat = (value: number): string => {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const [mantissa = '', exponentText = ''] = Math.abs(value).toExponential().split('e')
  const exponent = Number(exponentText)
  const digits = mantissa.replace('.', '')
  if (exponent < FIXED_FROM || exponent >= FIXED_BELOW) {
    const point = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`
    return `${sign}${point}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`
}

/** Writes a value as Python's str() does; this is what field hashes are made of. */
export const pyStr = (value: PyValue): string => {
  if (typeof value === 'string') return value
  return value instanceof PyEnum ? value.name : pyRepr(value)
}

/** Writes a value as Python's repr() does: as str(), with texts in quotes. */
export const pyRepr = (value: PyValue): string => {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return pyFloat(value)
  if (typeof value === 'string') return quote(value)
  if (value instanceof PyEnum) return `<${value.name}: ${quote(value.value)}>`
  if (value instanceof PyTuple) {
    const [first] = value.items
    return value.items.length === 1 && first !== undefined ? `(${pyRepr(first)},)` : `(${join(value.items)})`
  }
  if (isList(value)) return `[${join(value)}]`
  if (isDict(value)) return `{${[...value].map(([key, item]) => `${pyRepr(key)}: ${pyRepr(item)}`).join(', ')}}`
  throw new TypeError('not a value of Python')
}

const join = (items: readonly PyValue[]): string => items.map(pyRepr).join(', ')

/** What repr() does not print as it is: controls, formats, surrogates, private and unassigned ones, and spaces but the space. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}\\']/gu
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' }

/** Quotes text: with single quotes, unless it has some and no double ones. */
const quote = (text: string): string => {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const inner = text.replaceAll(UNPRINTABLE, (character) => {
    if (character === ' ') return character
    if (character === "'") return mark === "'" ? "\\'" : character
    return SHORT[character] ?? escaped(character.codePointAt(0) ?? 0)
  })
  return `${mark}${inner}${mark}`
}

const escaped = (code: number): string => {
  const hex = code.toString(16)
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`
  return code < 0x1_0000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}
