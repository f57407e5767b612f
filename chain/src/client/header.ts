import type { Block, Hex } from '@arbor/shared/units'
import { TypeRegistry } from '@polkadot/types'
import type { Header } from '@polkadot/types/interfaces'
import { badAnswer } from './errors.ts'
import type { BlockRef } from './types.ts'

/** A block by what its own header says of it. */
export interface HeadRef extends BlockRef {
  readonly parentHash: Hex
}

/** Reads a header as JSON-RPC writes it, and hashes it. @throws CHAIN_ANSWER */
export type ReadHeader = (json: unknown) => HeadRef

const HASH = /^0x[0-9a-f]{64}$/

/** Tells whether a value is a hash of 32 bytes. */
export const isHash = (value: unknown): value is Hex => typeof value === 'string' && HASH.test(value)

/** Creates a reader; headers are the same in every version of a chain's code. */
export const createHeaderReader = (): ReadHeader => {
  const registry = new TypeRegistry()
  return (json) => {
    const { number, parentHash } = (json ?? {}) as { readonly number?: unknown; readonly parentHash?: unknown }
    if (typeof number !== 'string' || !/^0x[0-9a-f]{1,8}$/.test(number) || !isHash(parentHash))
      throw badAnswer('a header', json)
    try {
      const header = registry.createTypeUnsafe<Header>('Header', [json])
      return { number: Number(number) as Block, hash: header.hash.toHex() as Hex, parentHash }
    } catch (cause) {
      throw badAnswer('a header', json, cause)
    }
  }
}
