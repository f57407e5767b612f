import type { Key } from '../key.ts'
import { toKey } from '../key.ts'
import { compact } from '../scale.ts'
import { trieEdit } from './edit.ts'
import type { StateVersion } from './node.ts'
import { trieRoot } from './root.ts'

/** Computes the root of a list of values under their compact index, as extrinsics roots are. */
export const orderedRoot = (
  values: readonly Uint8Array[],
  version: StateVersion,
  hash?: (bytes: Uint8Array) => Uint8Array,
): Uint8Array =>
  pairsRoot(
    values.map((value, index) => [toKey(compact(index)), value] as const),
    version,
    hash,
  )

/** Computes the root of key-value pairs. */
export const pairsRoot = (
  pairs: Iterable<readonly [Key, Uint8Array]>,
  version: StateVersion,
  hash?: (bytes: Uint8Array) => Uint8Array,
): Uint8Array => trieRoot(trieEdit(undefined, pairs, version), hash)
