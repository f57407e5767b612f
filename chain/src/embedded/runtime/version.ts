import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { reader } from '../scale.ts'
import type { StateVersion } from '../trie/node.ts'

/** What a runtime says of itself. @source sp_version::RuntimeVersion */
export interface RuntimeVersion {
  readonly specName: string
  readonly implName: string
  readonly authoringVersion: number
  readonly specVersion: number
  readonly implVersion: number
  /** Hash of the API's name (8 bytes) and its version. */
  readonly apis: readonly (readonly [Hex, number])[]
  readonly transactionVersion: number
  readonly stateVersion: StateVersion
}

/** Decodes the answer of Core_version (Core 4 and later). @throws CHAIN_SCALE */
export const decodeRuntimeVersion = (encoded: Uint8Array): RuntimeVersion => {
  const source = reader(encoded)
  return {
    specName: source.text(),
    implName: source.text(),
    authoringVersion: source.u32(),
    specVersion: source.u32(),
    implVersion: source.u32(),
    apis: Array.from({ length: source.compact() }, () => [toHex(source.bytes(8)), source.u32()] as const),
    transactionVersion: source.u32(),
    // System version 2 and later keep the state as 1 does and change the extrinsics root alone.
    stateVersion: source.u8() === 0 ? 0 : 1,
  }
}
