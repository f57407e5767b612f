import { readSignature, verifyText } from '@arbor/shared/bittensor/signature'
import { toBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex, toHex } from '@arbor/shared/hex'
import { decodeCanonical, isBytes } from '@arbor/shared/protocol/canonical'
import { type Certificate, readCertificate, verifyCertificate } from '@arbor/shared/protocol/certificate'
import { ENVELOPE_HEADER } from '@arbor/shared/protocol/limits'
import { type ReadRequest, readRequest } from '@arbor/shared/protocol/request'
import { readToken } from '@arbor/shared/protocol/token'
import { decodeSs58 } from '@arbor/shared/ss58'
import { drawOf } from '@arbor/subnet-spec/audit/draw'
import { bindingOf, bittensorBindingOf } from '@arbor/subnet-spec/binding'
import { type ArborEvidence, attestedBytes, type BittensorEvidence, signedHash, unsignedHash } from './evidence.ts'
import { type Exchange, exchangeId } from './exchange.ts'
import type { Receipt } from './receipts.ts'

/** One thing that was found to be as it should. */
export interface Held {
  readonly what: string
  /** Where only the validator's word stands for it. */
  readonly caveat?: string
}

/**
 * Verifies everything of a receipt that needs no model: its id, who signed what, the binding and the draw.
 * @returns what holds, in the order in which it was looked at
 * @throws RECEIPT_EDITED when a part is not what was signed; RECEIPT_FOREIGN when it is of another chain, subnet or miner than it says
 */
export function verifyEvidence(receipt: Receipt): readonly Held[] {
  const { exchange } = receipt
  if (exchangeId(exchange) !== receipt.id) throw edited('its content has another hash than its id')
  const held = [{ what: 'the content has the hash that is its id' }]
  const { evidence } = exchange
  const found = evidence.protocol === 'arbor' ? verifyArbor(exchange, evidence) : verifyBittensor(exchange, evidence)
  return [...held, ...found, ...verifyDraw(receipt)]
}

function verifyArbor(exchange: Exchange, evidence: ArborEvidence): readonly Held[] {
  const asker = certificateOf(exchange, evidence.asker, 'ask')
  const miner = certificateOf(exchange, evidence.miner, 'serve')
  if (miner.address !== exchange.hotkey) throw foreign(`its answer is of ${miner.address}, not of ${exchange.hotkey}`)
  if (miner.registeredAt !== exchange.registeredAt) throw edited("the miner's certificate names another registration")
  const request = requestOf(exchange, evidence, asker)
  const payload = answerOf(evidence, { miner, request })
  if (signedHash(payload) !== exchange.answerHash) throw edited('its answerHash is not of the signed answer')
  const attested = attestedBytes({
    requestHash: request.hash,
    question: toBytes(exchange.question),
    answerHash: fromHex(exchange.answerHash, 32),
    response: toBytes(exchange.response),
  })
  if (!asker.verify(attested, Buffer.from(evidence.attest, 'base64url')))
    throw edited("question or response are not what the asker's session attested")
  if (bindingOf({ ...exchange, requestHash: request.hash }) !== exchange.binding)
    throw edited('the binding does not follow from the request')
  return [
    { what: `hotkey ${asker.address} certified the session that asked` },
    { what: `hotkey ${miner.address} certified the session that answered` },
    { what: 'the miner signed that its answer is to this request' },
    { what: "question and response are those that the asker's session attested", caveat: SEALED },
    { what: 'the binding follows from chain, subnet, miner and request' },
  ]
}

const SEALED =
  'the miner signed the sealed bodies; what they held is attested by the asker, and shown by the model where the answer is believed'

function verifyBittensor(exchange: Exchange, { signedText, signature }: BittensorEvidence): readonly Held[] {
  const [, asker = '', axon = ''] = signedText.split('.')
  if (axon !== exchange.hotkey) throw foreign(`the question was for ${axon}, not for ${exchange.hotkey}`)
  const bytes = readSignature(signature)
  if (bytes === null || !verifyText(publicKey(asker), signedText, bytes))
    throw edited("the asker's signature is not of the signed text")
  if (unsignedHash({ signedText, body: toBytes(exchange.response) }) !== exchange.answerHash)
    throw edited('its answerHash is not of question and response')
  if (bittensorBindingOf({ ...exchange, signedText }) !== exchange.binding)
    throw edited('the binding does not follow from the request')
  return [
    { what: `hotkey ${asker} signed the question` },
    { what: 'the binding follows from chain, subnet, miner and request', caveat: UNSIGNED },
  ]
}

const UNSIGNED = "Bittensor's miners sign no answers: that this one gave it is the validator's word"

function certificateOf(exchange: Exchange, text: string, purpose: 'ask' | 'serve'): Certificate {
  const read = readCertificate(text)
  if (!read.ok) throw edited(`the certificate of the session that is to ${purpose} is malformed`)
  const { certificate } = read
  if (!verifyCertificate(certificate)) throw edited(`${certificate.address} did not sign its certificate`)
  if (certificate.purpose !== purpose) throw edited(`a certificate is not one to ${purpose}`)
  if (toHex(certificate.genesisHash) !== exchange.genesisHash || certificate.netuid !== exchange.netuid)
    throw foreign('a certificate is of another chain or subnet than the receipt')
  return certificate
}

function requestOf(exchange: Exchange, { request: envelope }: ArborEvidence, asker: Certificate): ReadRequest {
  const read = readRequest([ENVELOPE_HEADER, envelope])
  if (!read.ok) throw edited("the request's envelope is malformed")
  const { fields, proof, payload } = read.request
  if (!same(fields.receiver, decodeSs58(exchange.hotkey)) || fields.netuid !== exchange.netuid)
    throw foreign('the request was for another miner or subnet')
  if (!same(fields.session, asker.id)) throw edited("the request is of another session than the asker's")
  if (fields.path.split('?')[0] !== `/${exchange.task}`) throw edited('the request was for another task')
  if (proof.length === 64 && !asker.verify(payload, proof)) throw edited("the request's signature is not the asker's")
  return read.request
}

/** Verifies the miner's signature over an answer or the end of a stream. @returns what it signed */
function answerOf(
  { answer }: ArborEvidence,
  of: { readonly miner: Certificate; readonly request: ReadRequest },
): Uint8Array {
  const token = readToken(answer)
  const [tag, session, requestHash, status] = (token === null ? null : decodeCanonical(token.payload)) ?? []
  if (token === null || (tag !== 'arbor/answer/2' && tag !== 'arbor/end/2')) throw edited('the answer is malformed')
  if (!isBytes(session, 16) || !same(session, of.miner.id)) throw edited("the answer is of another session's")
  if (!isBytes(requestHash, 32) || !same(requestHash, of.request.hash)) throw edited('it answers another request')
  if (status !== 200) throw edited('the answer is a refusal')
  if (!of.miner.verify(token.payload, token.proof)) throw edited("the answer's signature is not the miner's")
  return token.payload
}

function verifyDraw({ exchange, drawn, share }: Receipt): readonly Held[] {
  if (drawn === null) {
    if (share !== null) throw edited('it names a share, and no block that drew it')
    return [{ what: 'no block drew: all of the answer was looked at' }]
  }
  const { block, draw } = drawn
  // Of several blocks a validator could take the one that draws what it likes.
  if (block.number !== exchange.after + 1) throw edited('the block of the draw is not the first after the answer')
  if (drawOf({ ...exchange, blockHash: block.hash }) !== draw)
    throw edited('the draw does not follow from block, answer and miner')
  if (share !== null && share.draw !== draw) throw edited('the share is of another draw')
  const looked = share?.chunks === undefined ? 'all chunks' : `${share.chunks} chunks`
  const caveat = `that block ${block.number} has this hash is for the chain to say`
  return [{ what: `block ${block.number} drew ${looked}, after the answer was signed`, caveat }]
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

function publicKey(address: string): Uint8Array {
  try {
    return decodeSs58(address)
  } catch {
    throw edited(`the asker ${address.slice(0, 64)} is no address`)
  }
}

const edited = (what: string): SubnetError =>
  new SubnetError({
    code: 'RECEIPT_EDITED',
    message: `The receipt does not hold: ${what}; it was edited, fetch it again from who judged`,
  })

const foreign = (what: string): SubnetError =>
  new SubnetError({
    code: 'RECEIPT_FOREIGN',
    message: `The receipt does not hold: ${what}; it was put together from several`,
  })
