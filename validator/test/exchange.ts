import { createHash } from 'node:crypto'
import { toBytes } from '@arbor/shared/bytes'
import { fromHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import { readAnswer, writeAnswer } from '@arbor/shared/protocol/answer'
import { derivePairKeys } from '@arbor/shared/protocol/keys'
import { writeRequest } from '@arbor/shared/protocol/request'
import { openSession } from '@arbor/shared/protocol/session'
import { base64url } from '@arbor/shared/protocol/token'
import type { Block, Hex, Ms, NetUid, Uid, UnixMs } from '@arbor/shared/units'
import { bindingOf } from '@arbor/subnet-spec/binding'
import inference from '@arbor/subnet-spec/inference-tiny'
import type { Answer } from '../src/dendrite/answer.ts'
import { attestedBytes, signedHash } from '../src/evidence.ts'
import { type Exchange, exchangeOf } from '../src/exchange.ts'

export const genesisHash = `0x${'9e'.repeat(32)}` as Hex
export const netuid = 1 as NetUid
export const asker = keypairFromUri('//asker')
export const miner = keypairFromUri('//served')

/** Bytes that a label fixes. */
const bytesFrom = (label: string) => {
  let drawn = 0
  return (length: number): Uint8Array => {
    drawn += 1
    return Uint8Array.from(createHash('shake256', { outputLength: length }).update(`${label} ${drawn}`).digest())
  }
}
const about = { genesisHash: fromHex(genesisHash), netuid, audience: null, issuedAt: 1_800_000_000_000 as UnixMs }
const asking = await openSession({
  ...about,
  signer: asker,
  purpose: 'ask',
  registeredAt: 3 as Block,
  randomBytes: bytesFrom('asking'),
})
const serving = await openSession({
  ...about,
  signer: miner,
  purpose: 'serve',
  registeredAt: 5 as Block,
  randomBytes: bytesFrom('serving'),
})
const keys = derivePairKeys(asking, serving.certificate)

/** Asks in Arbor's protocol, sealed, without sockets. @returns the binding, and what makes the dendrite's answer of a response */
export const askedBy = (of: { readonly counter: number; readonly request: unknown }) => {
  if (keys === null) throw new Error('the sessions agree on nothing')
  const question = toBytes(JSON.stringify(of.request))
  const written = writeRequest({
    session: asking,
    pair: { serveId: serving.id, keys },
    isSealed: true,
    proof: 'mac',
    counter: of.counter,
    receiver: miner.publicKey,
    netuid,
    method: 'POST',
    path: '/chat',
    accept: 'whole',
    sentAt: about.issuedAt,
    timeoutMs: 10_000 as Ms,
    body: question,
  })
  const binding = bindingOf({ genesisHash, netuid, hotkey: miner.address, requestHash: written.hash })
  const answer = (given: unknown): Extract<Answer, { kind: 'answered' }> => {
    const response = toBytes(JSON.stringify(given))
    const { envelope } = writeAnswer({
      session: serving,
      requestHash: written.hash,
      status: 200,
      contentType: 'application/json',
      body: response,
      answeredAt: about.issuedAt,
      seal: { keys, counter: of.counter },
    })
    const signed = readAnswer(envelope)
    if (signed === null) throw new Error('the answer cannot be read back')
    const answerHash = signedHash(signed.payload)
    const attested = attestedBytes({ requestHash: written.hash, question, answerHash: fromHex(answerHash), response })
    return {
      kind: 'answered',
      body: response,
      timing: { totalMs: 7, firstByteMs: 5, connectMs: 1, lagMs: 0, lagged: false, deadlineMs: 10_000 },
      signed: true,
      binding,
      answerHash,
      evidence: {
        protocol: 'arbor',
        request: written.envelope,
        answer: envelope,
        asker: asking.certificate.text,
        miner: serving.certificate.text,
        attest: base64url(asking.sign(attested)),
      },
    }
  }
  return { binding, answer }
}

/** Asks and answers. */
export const answeredBy = (of: {
  readonly counter: number
  readonly request: unknown
  /** Makes the response under the question's binding. */
  readonly respond: (binding: Hex) => unknown
}): Extract<Answer, { kind: 'answered' }> => {
  const { binding, answer } = askedBy(of)
  return answer(of.respond(binding))
}

/** The miner of these exchanges, and what it was asked. */
export const taskOf = (request: unknown) => ({
  hotkey: miner.address,
  uid: 4 as Uid,
  registeredAt: 5 as Block,
  task: 'chat',
  request,
})

/** An exchange whose evidence holds. */
export const exchangeWith = (
  of: Parameters<typeof answeredBy>[0] & { readonly after?: number; readonly kind?: Exchange['kind'] },
): Exchange =>
  exchangeOf(
    { genesisHash, netuid, spec: inference, kind: of.kind ?? 'user' },
    { task: taskOf(of.request), answer: answeredBy(of), after: (of.after ?? 40) as Block },
  )
