import type { Keypair } from '@arbor/shared/keypair'
import type { Block, Hex } from '@arbor/shared/units'
import type { GenericExtrinsic } from '@polkadot/types'
import type { SignatureOptions } from '@polkadot/types/types'
import { u8aConcat } from '@polkadot/util'
import { blake2AsHex } from '@polkadot/util-crypto'
import { encodeCall } from './encode.ts'
import type { Runtime } from './runtime.ts'
import type { BlockRef, Call } from './types.ts'

/** A signed extrinsic, ready to submit. */
export interface Signed {
  readonly hex: Hex
  /** blake2b-256 of the bytes, as the chain names it. */
  readonly hash: Hex
  /** Last block that may include it. */
  readonly lastBlock: Block
}

/** MultiSignature's variant for sr25519. */
const SR25519 = 1

/**
 * Encodes and signs a call as a mortal extrinsic.
 * @param of.birth block whose hash the signature commits to; valid for `eraBlocks` from there
 */
export function signCall(of: {
  readonly runtime: Runtime
  readonly call: Call
  readonly signer: Keypair
  readonly nonce: number
  readonly genesisHash: Hex
  readonly birth: BlockRef
  readonly eraBlocks: number
}): Signed {
  const { runtime, signer, birth } = of
  const { registry } = runtime
  const extrinsic = registry.createTypeUnsafe<GenericExtrinsic>('Extrinsic', [
    encodeCall(runtime, of.call),
    { version: 4 },
  ])
  const era = registry.createTypeUnsafe('ExtrinsicEra', [{ current: birth.number, period: of.eraBlocks }])
  const options = {
    blockHash: birth.hash,
    era,
    genesisHash: of.genesisHash,
    nonce: of.nonce,
    runtimeVersion: runtime.version,
    tip: 0,
  } as unknown as SignatureOptions
  const pair = {
    address: signer.address,
    addressRaw: signer.publicKey,
    publicKey: signer.publicKey,
    sign: (message: Uint8Array) => u8aConcat([SR25519], signer.sign(message)),
  }
  extrinsic.sign(pair as unknown as Parameters<GenericExtrinsic['sign']>[0], options)
  const bytes = extrinsic.toU8a()
  return {
    hex: extrinsic.toHex() as Hex,
    hash: blake2AsHex(bytes) as Hex,
    lastBlock: (birth.number + of.eraBlocks) as Block,
  }
}
