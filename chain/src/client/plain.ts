import {
  BTreeMap,
  BTreeSet,
  bool,
  Compact,
  Enum,
  GenericAccountId,
  GenericCall,
  GenericMultiAddress,
  HashMap,
  Int,
  Null,
  Option,
  Raw,
  Struct,
  Text,
  U8aFixed,
  UInt,
} from '@polkadot/types'
import type { Codec } from '@polkadot/types/types'

/** Turns camelCase, as the codec names fields, back into the chain's snake_case. */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/**
 * Turns a decoded value into plain data: numbers are bigint, accounts SS58, bytes and hashes hex, options null or the
 * value, structs objects in snake_case, enums their variant's name or `{ Variant: value }`, maps arrays of pairs.
 */
export function toPlain(value: Codec | null | undefined): unknown {
  if (value === null || value === undefined || value instanceof Null) return null
  if (value instanceof Option) return value.isNone ? null : toPlain(value.unwrap())
  if (value instanceof Compact) return toPlain(value.unwrap())
  if (value instanceof UInt || value instanceof Int) return value.toBigInt()
  if (value instanceof bool) return value.isTrue
  if (value instanceof GenericAccountId || value instanceof Text) return value.toString()
  if (value instanceof GenericMultiAddress) return value.type === 'Id' ? value.value.toString() : enumPlain(value)
  if (value instanceof GenericCall) return value.toHex()
  if (value instanceof Enum) return enumPlain(value)
  if (value instanceof Struct) {
    return Object.fromEntries(
      [...value.entries()].map(([key, field]) => [snakeCase(String(key)), toPlain(field as Codec)]),
    )
  }
  if (value instanceof BTreeMap || value instanceof HashMap) {
    return [...value.entries()].map(([key, entry]) => [toPlain(key as Codec), toPlain(entry as Codec)])
  }
  if (value instanceof BTreeSet) return [...value].map((entry) => toPlain(entry as Codec))
  if (Array.isArray(value)) return Array.from(value as ArrayLike<Codec>, toPlain)
  if (value instanceof Raw || value instanceof U8aFixed) return value.toHex()
  return value.toHex()
}

const enumPlain = (value: Enum): unknown =>
  value.inner instanceof Null ? value.type : { [value.type]: toPlain(value.inner) }
