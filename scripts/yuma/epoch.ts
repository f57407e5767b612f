import { stringCamelCase } from '@polkadot/util'
import type { Arithmetic } from './runtime.ts'
import { equal, isObject, type Json, type JsonObject, object, show } from './vectors.ts'

/** A value that is not what the reference has. */
export interface Failure {
  readonly field: string
  readonly expected: string
  readonly got: string
}

/** What absent keys of an input mean; the vectors' schema says so. */
const DEFAULTS: JsonObject = {
  tempo: 360,
  activity_cutoff: 5000, // blocks
  last_mechanism_step_block: 0,
  min_stake: 0,
  owner_uid: null,
  max_allowed_validators: 128,
  kappa: 32_767, // just below half of 65 535
  bonds_penalty: 0,
  bonds_moving_average: 900_000, // parts per million
  yuma3: false,
  liquid_alpha: false,
  alpha_low: 45_875, // 0.7 × 65 535
  alpha_high: 58_982, // 0.9 × 65 535
  alpha_sigmoid_steepness: 1000, // hundredths
  commit_blocks: null,
}

/** Keys of an input that say something about the case, not to the epoch. */
const REMARKS = new Set(['id'])

/** Runs one epoch case and compares every field that it expects. */
export function checkEpoch(item: JsonObject, arithmetic: Arithmetic): readonly Failure[] {
  const input = { ...DEFAULTS, ...object(item.input, 'input') }
  const known = Object.entries(input).filter(([key]) => !REMARKS.has(key))
  const output = arithmetic.epoch(Object.fromEntries(known.map(([key, value]) => [stringCamelCase(key), value])))
  const bits = object(output.bits, 'bits')
  const stored = Object.entries(object(item.expect, 'expect')).flatMap(([key, expected]) =>
    compare(key, expected, output[stringCamelCase(key)]),
  )
  const floats = Object.entries(isObject(item.expect_float) ? item.expect_float : {}).flatMap(([key, expected]) =>
    compare(`${key} (I32F32 bits)`, toBits(expected), bits[stringCamelCase(key)]),
  )
  return [...stored, ...floats]
}

/** Compares one field; none is no failure. */
export function compare(field: string, expected: Json, got: Json | undefined): readonly Failure[] {
  if (got !== undefined && equal(expected, got)) return []
  return [{ field, expected: show(expected), got: got === undefined ? 'no such field' : show(got) }]
}

/** Turns floats into I32F32 bits; a double holds each of them exactly. Row entries are [uid, float]. */
function toBits(value: Json): Json {
  if (!Array.isArray(value)) return BigInt(Number(value) * 2 ** 32)
  return value.map((item: Json) =>
    Array.isArray(item)
      ? item.map((entry: Json) => (Array.isArray(entry) ? [entry[0], toBits(entry[1])] : entry))
      : toBits(item),
  )
}
