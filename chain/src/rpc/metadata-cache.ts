import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { blake256 } from '../embedded/hash.ts'
import type { StateView } from '../embedded/types.ts'

/** `:code` */
const CODE = new TextEncoder().encode(':code')
/** Codes whose metadata is kept: the present one, and those of old blocks that somebody reads. */
const KEPT = 4
/** Versions of metadata kept of one code. */
const VERSIONS = 8
/** Longest question kept; a version number has 4 bytes. */
const LONGEST = 64

/**
 * Remembers what the runtime says of itself. Its metadata depends on nothing but its code, every client asks for it when it
 * connects, and to make it takes the runtime longer than most blocks.
 */
export const createMetadataCache = (): ((state: StateView, question: string, ask: () => Uint8Array) => Uint8Array) => {
  const byHash = new Map<Hex, Map<string, Uint8Array>>()
  // States share the value while the code stays, so it is hashed once.
  const hashes = new WeakMap<Uint8Array, Hex>()

  const hashOf = (code: Uint8Array): Hex => {
    const hash = hashes.get(code) ?? toHex(blake256(code))
    hashes.set(code, hash)
    return hash
  }

  return (state, question, ask) => {
    const code = state.get(CODE)
    if (code === undefined || question.length > LONGEST) return ask()
    const hash = hashOf(code)
    const answers = byHash.get(hash) ?? new Map<string, Uint8Array>()
    const known = answers.get(question)
    if (known !== undefined) return known
    const answer = ask()
    if (answers.size < VERSIONS) answers.set(question, answer)
    byHash.delete(hash)
    byHash.set(hash, answers)
    const [oldest] = byHash.keys()
    if (byHash.size > KEPT && oldest !== undefined) byHash.delete(oldest)
    return answer
  }
}
