import { signatureText, writeSignature } from '@arbor/shared/bittensor/signature'
import { toBytes } from '@arbor/shared/bytes'
import type { Block, Hex, UnixMs } from '@arbor/shared/units'
import { bittensorBindingOf } from '@arbor/subnet-spec/binding'
import spec from '@arbor/subnet-spec/inference-tiny'
import { expect, test } from 'vitest'
import { type Answered, answerFacts, checkBody, checkRejudged, drawSample } from '../../src/auditor/sample.ts'
import { drawnBy } from '../../src/draw.ts'
import { unsignedHash } from '../../src/evidence.ts'
import { exchangeId } from '../../src/exchange.ts'
import { RECEIPT_FORMAT, type Receipt } from '../../src/receipts.ts'
import { asker, exchangeWith, genesisHash, miner, netuid } from '../exchange.ts'

const seed: Hex = `0x${'5e'.repeat(32)}`
const drawHash: Hex = `0x${'b1'.repeat(32)}`
const request = spec.tasks.chat?.plan({ seed })

/** A planned question's answer, and what the log says of it. */
function bodyOf(counter: number): { readonly receipt: Receipt; readonly verdict: Answered } {
  const exchange = exchangeWith({ counter, request, respond: () => ({ n: counter }), after: 40, kind: 'planned' })
  const verdict = { reason: 'ok', value: 1, sigma: 0 }
  const receipt: Receipt = {
    format: RECEIPT_FORMAT,
    id: exchangeId(exchange),
    exchange,
    drawn: drawnBy({ number: 41 as Block, hash: drawHash }, exchange),
    share: null,
    verdict,
    check: null,
    judgedBy: asker.address,
    judgedAt: 1_800_000_000_000 as UnixMs,
  }
  const { hotkey, uid, registeredAt, task, answerHash } = exchange
  const entry = {
    kind: 'verdict',
    ...{ hotkey, uid, registeredAt, task, answerHash, seed, ...verdict },
    ...{ round: 4, roundBlock: 36 as Block, repeat: 0, totalMs: 7, drawnAt: 41 as Block, signed: true },
    receipt: receipt.id,
  } as const
  return { receipt, verdict: { position: 100 + counter, entry } }
}

const about = { spec, netuid, genesisHash, validator: asker.address, blockHash: drawHash, axonVersion: null }

test('a sample is drawn by the seed alone, each answer once, never more than there are', () => {
  const verdicts = Array.from({ length: 20 }, (_, counter) => ({ ...bodyOf(1).verdict, position: counter }))
  const positions = (size: number, by: Hex): readonly number[] =>
    drawSample({ verdicts, seed: by, size }).map(({ position }) => position)
  expect(positions(5, seed)).toEqual(positions(5, seed))
  expect(positions(5, seed)).not.toEqual(positions(5, drawHash))
  expect(new Set(positions(20, seed)).size).toBe(20)
  expect(positions(99, seed)).toHaveLength(20)
  expect(positions(0, seed)).toEqual([])
})

test('a body is believed when it is the one that the log names', () => {
  const { receipt, verdict } = bodyOf(1)
  expect(checkBody(JSON.stringify(receipt), verdict, about)).toEqual({ receipt, mismatch: null })
})

test('a body is a mismatch when it is cut, edited, another one, of another asker, question, draw or verdict', () => {
  const { receipt, verdict } = bodyOf(1)
  const whatOf = (text: string, of: Partial<Answered['entry']> = {}, more: Partial<typeof about> = {}): unknown =>
    checkBody(text, { ...verdict, entry: { ...verdict.entry, ...of } }, { ...about, ...more }).mismatch?.what
  const text = JSON.stringify(receipt)
  const proves = 'a body that proves itself'
  expect(whatOf(text.slice(0, -9))).toBe(proves)
  expect(whatOf(text.replace('"kind":"planned"', '"kind":"user"'))).toBe(proves)
  expect(whatOf(JSON.stringify(bodyOf(2).receipt))).toBe('the id of its body')
  expect(whatOf(text, {}, { validator: miner.address })).toBe('the asker of its body')
  expect(whatOf(text, { seed: drawHash })).toBe('the question of its body')
  expect(whatOf(text, {}, { blockHash: seed })).toBe('the drawn of its body')
  expect(whatOf(text, { value: 0.5 })).toBe('the verdict of its body')
  expect(whatOf(text, { registeredAt: 6 as Block })).toBe('the registeredAt of its body')
})

test('judging again is a mismatch when the model gives another reason or value', () => {
  const { verdict } = bodyOf(1)
  expect(checkRejudged(verdict, { reason: 'ok', value: 1, sigma: 0 })).toBeNull()
  expect(checkRejudged(verdict, { reason: 'sampling', value: 0, sigma: 0 })).toMatchObject({
    position: 101,
    expected: { reason: 'sampling', value: 0 },
    found: { reason: 'ok', value: 1 },
  })
})

/** An answer on Bittensor's wire, where no miner signs: whoever asks could have written it. */
function unsignedBody(): ReturnType<typeof bodyOf> {
  const { receipt, verdict } = bodyOf(1)
  const about = { nonce: 1n, dendriteHotkey: asker.address, axonHotkey: miner.address, uuid: null, bodyHash: '00' }
  const signedText = signatureText(about)
  const { exchange } = receipt
  const answerHash = unsignedHash({ signedText, body: toBytes(exchange.response) })
  const signature = writeSignature(asker.sign(toBytes(signedText)))
  const binding = bittensorBindingOf({ ...exchange, signedText })
  const unsigned = {
    ...exchange,
    answerHash,
    binding,
    evidence: { protocol: 'bittensor', signedText, signature },
  } as const
  const id = exchangeId(unsigned)
  const drawn = drawnBy({ number: 41 as Block, hash: drawHash }, unsigned)
  return {
    receipt: { ...receipt, id, exchange: unsigned, drawn },
    verdict: { ...verdict, entry: { ...verdict.entry, answerHash, receipt: id, signed: false } },
  }
}

test('a body that no miner signed is a mismatch where the miner speaks the protocol that signs', () => {
  const { receipt, verdict } = unsignedBody()
  const text = JSON.stringify(receipt)
  const whatOf = (of: Partial<typeof about> & object, signed = false): unknown =>
    checkBody(text, { ...verdict, entry: { ...verdict.entry, signed } }, { ...about, ...of }).mismatch?.what
  expect(whatOf({})).toBeUndefined()
  expect(whatOf({}, true)).toBe('the signed of its body')
  expect(whatOf({ axonVersion: 9_003_000 as never })).toBeUndefined()
  expect(whatOf({ axonVersion: 2 as never })).toBe('the wire of its body')
  const chat = { ...spec.tasks.chat, synapse: undefined } as never
  expect(whatOf({ spec: { ...spec, tasks: { chat } } })).toBe('the wire of its body')
})

test('what the chain says of an answer has no version where the state is gone, and none that is high without an axon', async () => {
  const { verdict } = bodyOf(1)
  const factsOf = (metagraph: unknown) =>
    answerFacts({ blockHash: async () => drawHash, metagraph: async () => metagraph as never }, verdict)
  expect(await factsOf('pruned')).toEqual({ blockHash: drawHash, axonVersion: null })
  expect(await factsOf({ neurons: [] })).toEqual({ blockHash: drawHash, axonVersion: 0 })
  const neurons = Array.from({ length: 5 }, () => ({ axon: { version: 7 } }))
  expect(await factsOf({ neurons })).toEqual({ blockHash: drawHash, axonVersion: 7 })
})
