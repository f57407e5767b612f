import { encode } from 'cborg'
import { sha256 } from '../hashing.ts'
import { fromHex, isHex, toHex } from '../hex.ts'
import type { Keypair } from '../keypair.ts'
import { decodeSs58 } from '../ss58.ts'
import type { Ss58 } from '../units.ts'
import { verifySignature } from '../verify-signature.ts'
import { HEADER, WIRE_VERSION } from './envelope.ts'
import { type Refusal, refuse } from './refusal.ts'

/** What a response's signature covers, beside domain and version. */
export interface ResponseFields {
  /** 32 bytes: the request that this answers. */
  readonly requestHash: Uint8Array
  /** HTTP status. */
  readonly status: number
  readonly body: Uint8Array
  /** The miner, who signs. */
  readonly sender: Ss58
  /** The validator, who asked. */
  readonly receiver: Ss58
}

/** Encodes what a response's signature covers as deterministic CBOR. */
export const responseBytes = (fields: ResponseFields): Uint8Array =>
  encode([
    `arbor/response/${WIRE_VERSION}`,
    fields.requestHash,
    fields.status,
    sha256(fields.body),
    fields.sender,
    fields.receiver,
  ])

/** Signs a response with the miner's hotkey. @returns its headers */
export const signResponse = (
  of: { readonly signer: Keypair } & Omit<ResponseFields, 'sender'>,
): Record<string, string> => ({
  [HEADER.version]: WIRE_VERSION,
  [HEADER.signature]: toHex(of.signer.sign(responseBytes({ ...of, sender: of.signer.address }))),
})

/**
 * Verifies that the miner gave this answer to this request.
 * @param of.headers by lower-case name; repeated ones as arrays
 */
export const verifyResponse = (
  of: { readonly headers: Readonly<Record<string, string | readonly string[] | undefined>> } & ResponseFields,
): { readonly ok: true } | Refusal<'WIRE_VERSION' | 'WIRE_SIGNATURE'> => {
  if (of.headers[HEADER.version] !== WIRE_VERSION) return refuse('WIRE_VERSION')
  const signature = of.headers[HEADER.signature]
  if (typeof signature !== 'string' || !isHex(signature, 64)) return refuse('WIRE_SIGNATURE')
  const signed = verifySignature(decodeSs58(of.sender), responseBytes(of), fromHex(signature, 64))
  return signed ? { ok: true } : refuse('WIRE_SIGNATURE')
}
