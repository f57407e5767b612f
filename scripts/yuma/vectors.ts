import { isDeepStrictEqual } from 'node:util'

/** A JSON value whose unsafe integers are bigint. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject

/** A JSON object of such values. */
export interface JsonObject {
  readonly [key: string]: Json
}

/** Tells whether a value is an object, not an array. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Reads a vector file and keeps integers above 2^53 exact.
 * @throws Error when the text is no JSON object
 */
export function parseVectors(text: string): JsonObject {
  const value: Json = JSON.parse(text, exactIntegers)
  if (!isObject(value)) throw new Error('A vector file must hold a JSON object; this one holds something else.')
  return value
}

function exactIntegers(_key: string, value: Json, context?: { readonly source?: string }): Json {
  if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)) return value
  if (context?.source === undefined) throw new Error('This Node cannot read large integers from JSON; use Node 22.')
  return BigInt(context.source)
}

/** Reads a list that a vector file must have. @throws Error when it has none */
export function list(holder: JsonObject, key: string): readonly Json[] {
  const value = holder[key]
  if (!Array.isArray(value)) throw new Error(`The vector has no list "${key}".`)
  return value
}

/** Reads an object that a vector file must have. @throws Error when it has none */
export function object(value: Json | undefined, name: string): JsonObject {
  if (!isObject(value)) throw new Error(`The vector has no object "${name}".`)
  return value
}

/** Compares values as the chain would: integers by value whether number, bigint or decimal text. */
export function equal(expected: Json, got: Json): boolean {
  return isDeepStrictEqual(canonical(expected), canonical(got))
}

function canonical(value: Json): Json {
  if (Array.isArray(value)) return value.map(canonical)
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, canonical(item)]))
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : value
}

/** Prints a value on one line, cut to what a terminal can show. */
export function show(value: Json): string {
  const text = JSON.stringify(value, (_key, item: Json) => (typeof item === 'bigint' ? String(item) : item))
  return text.length > 400 ? `${text.slice(0, 400)}… (${text.length} characters)` : text
}
