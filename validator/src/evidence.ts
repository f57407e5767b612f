import { hash } from 'node:crypto'
import { toBytes } from '@arbor/shared/bytes'
import { toHex } from '@arbor/shared/hex'
import { encodeCanonical } from '@arbor/shared/protocol/canonical'
import type { Hex } from '@arbor/shared/units'

/** What shows who asked whom, and what was answered. */
export type Evidence = ArborEvidence | BittensorEvidence

/** Tokens as headers carry them; `request` and `answer` hold the signed hashes, the certificates the hotkeys' signatures. */
export interface ArborEvidence {
  readonly protocol: 'arbor'
  /** The request's envelope. */
  readonly request: string
  /** The answer's envelope, or the end of its stream. */
  readonly answer: string
  /** Certificates of the two sessions. */
  readonly asker: string
  readonly miner: string
  /** The asker's session signs what the sealed bodies held; base64url. */
  readonly attest: string
}

/** Bittensor's wire has a signature of the asker only. */
export interface BittensorEvidence {
  readonly protocol: 'bittensor'
  readonly signedText: string
  /** The asker's, sr25519. */
  readonly signature: string
}

/**
 * Names an answer by what its miner signed: the draw of what is looked at starts from it.
 * @param payload of the answer's envelope or of the stream's end
 */
export const signedHash = (payload: Uint8Array): Hex => toHex(hash('sha256', payload, 'buffer'))

/** Names an answer that nobody signed: by the question's signed text and the response. */
export const unsignedHash = (of: { readonly signedText: string; readonly body: Uint8Array }): Hex => {
  const text = hash('sha256', toBytes(of.signedText), 'buffer')
  return toHex(hash('sha256', Buffer.concat([text, hash('sha256', of.body, 'buffer')]), 'buffer'))
}

/** Encodes what the asker's session attests: which question and which response the signed envelopes stand for. */
export const attestedBytes = (of: {
  /** 32 bytes. */
  readonly requestHash: Uint8Array
  /** JSON, as it was before it was sealed. */
  readonly question: Uint8Array
  readonly answerHash: Uint8Array
  readonly response: Uint8Array
}): Uint8Array =>
  encodeCanonical([
    'arbor/attest/1',
    of.requestHash,
    hash('sha256', of.question, 'buffer'),
    of.answerHash,
    hash('sha256', of.response, 'buffer'),
  ])
