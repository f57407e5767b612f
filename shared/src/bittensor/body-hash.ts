import { createHash } from 'node:crypto'
import type { Synapse } from './synapse.ts'
import { pyStr } from './text.ts'
import type { PyFields, PyValue } from './value.ts'

/** Hashes one value as Bittensor does: SHA3-256 of its text in Python. @returns 64 lower-case hexadecimal characters */
export const fieldHash = (value: PyValue): string => sha3(pyStr(value))

/**
 * Hashes the fields that a synapse protects, in the order that it names them.
 * @param of.values the synapse's own fields
 * @param of.timeoutS the synapse's timeout in seconds, which may be hashed too
 * @returns 64 lower-case hexadecimal characters; the hash of nothing when no field is protected
 */
export const bodyHash = (of: {
  readonly synapse: Synapse
  readonly values: PyFields
  readonly timeoutS: number
}): string => {
  const { synapse, values, timeoutS } = of
  const base = new Map<string, PyValue>([
    ['name', synapse.name],
    ['timeout', timeoutS],
  ])
  return sha3(synapse.hashed.map((name) => fieldHash((values.has(name) ? values : base).get(name) ?? null)).join(''))
}

const sha3 = (text: string): string => createHash('sha3-256').update(text, 'utf8').digest('hex')
