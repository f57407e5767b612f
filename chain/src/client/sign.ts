import type { Signer } from '@arbor/shared/signer'
import type { Block, Hex } from '@arbor/shared/units'
import type { GenericExtrinsic, GenericExtrinsicPayloadV4 } from '@polkadot/types'
import type { ExtrinsicPayloadValue } from '@polkadot/types/types'
import { u8aConcat } from '@polkadot/util'
import { blake2AsHex, blake2AsU8a } from '@polkadot/util-crypto'
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
/** A longer payload is signed by its hash. @source polkadot-sdk sp_runtime::generic::SignedPayload::using_encoded */
const MAX_PLAIN_PAYLOAD = 256

/** Names what is signed of a payload: itself, or the blake2b-256 hash of a long one. */
export const messageOf = (payload: Uint8Array): Uint8Array =>
  payload.length > MAX_PLAIN_PAYLOAD ? blake2AsU8a(payload, 256) : payload

/**
 * Encodes a call and has it signed as a mortal extrinsic.
 * @param of.birth block whose hash the signature commits to; valid for `eraBlocks` from there
 * @throws SIGNER_* when the hotkey's signer refuses or is away
 */
export async function signCall(of: {
  readonly runtime: Runtime
  readonly call: Call
  readonly signer: Signer
  readonly nonce: number
  readonly genesisHash: Hex
  readonly birth: BlockRef
  readonly eraBlocks: number
}): Promise<Signed> {
  const { runtime, signer, birth } = of
  const { registry, version } = runtime
  const extrinsic = registry.createTypeUnsafe<GenericExtrinsic>('Extrinsic', [
    encodeCall(runtime, of.call),
    { version: 4 },
  ])
  const payload = registry.createTypeUnsafe<GenericExtrinsicPayloadV4>('ExtrinsicPayloadV4', [
    {
      blockHash: birth.hash,
      era: registry.createTypeUnsafe('ExtrinsicEra', [{ current: birth.number, period: of.eraBlocks }]),
      genesisHash: of.genesisHash,
      method: extrinsic.method.toHex(),
      nonce: of.nonce,
      specVersion: version.specVersion,
      tip: 0,
      transactionVersion: version.transactionVersion,
    },
  ])
  const bare = payload.toU8a({ method: true }) // the call goes in without its length
  const signature = await signer.sign(messageOf(bare), { kind: 'extrinsic', payload: bare })
  extrinsic.addSignature(signer.publicKey, u8aConcat([SR25519], signature), payload as unknown as ExtrinsicPayloadValue)
  const bytes = extrinsic.toU8a()
  return {
    hex: extrinsic.toHex() as Hex,
    hash: blake2AsHex(bytes) as Hex,
    lastBlock: (birth.number + of.eraBlocks) as Block,
  }
}
