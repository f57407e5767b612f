import { fileURLToPath } from 'node:url'
import { systemClock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import type { Signer } from '@arbor/shared/signer'
import type { Block, Hex, Ms, NetUid, Uid } from '@arbor/shared/units'
import type { Answer } from '@arbor/validator/dendrite/answer'
import { ASK_LIMITS } from '@arbor/validator/dendrite/ask'
import { type Dendrite, openDendrite } from '@arbor/validator/dendrite/open'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type PythonAxon, startPythonAxon } from './support/axon.ts'
import spec from './support/python-spec.ts'
import { describeWith } from './support/pythons.ts'

const never = new AbortController().signal
const alice: Signer = keypairFromUri('//Alice')

describeWith('bittensor-10.5', 'the validator’s dendrite with --bittensor', ({ python }) => {
  let axon: PythonAxon
  let dendrite: Dendrite | undefined
  beforeAll(async () => {
    axon = await startPythonAxon({ python })
  })
  afterEach(() => dendrite?.close())
  afterAll(() => axon?.close())

  const open = (over: { readonly speaksBittensor?: boolean; readonly signer?: Signer } = {}): Dendrite => {
    const opened = openDendrite({
      spec,
      specifier: fileURLToPath(new URL('./support/python-spec.ts', import.meta.url)),
      signer: alice,
      netuid: 1 as NetUid,
      genesisHash: `0x${'ab'.repeat(32)}` as Hex,
      clock: systemClock,
      log: createLogger({ name: 'test', level: 'debug', destination: { write: () => {} } }),
      limits: { ...ASK_LIMITS, inFlight: 64, perMiner: 64 },
      isSealed: true,
      proof: 'mac',
      privateAllowed: true,
      speaksBittensor: true,
      sessionMs: 3_600_000 as Ms,
      ...over,
    })
    opened.registered(1 as Block)
    dendrite = opened
    return opened
  }
  const planned = (task: string, request: unknown, version = 10_005_000) => ({
    ...{ hotkey: axon.hotkey, uid: 1 as Uid, registeredAt: 1 as Block },
    ...{ axon: { ip: '127.0.0.1', port: axon.port, version, protocol: 4 } },
    ...{ task, seed: `0x${'00'.repeat(32)}` as Hex, request },
  })
  const wordOf = (answer: Answer): string =>
    answer.kind === 'answered' ? Buffer.from(answer.body).toString() : answer.reason

  it('has a Python axon’s answer, and says that it is not signed', async () => {
    const answer = await open().ask(planned('echo', { text: 'é\u200b"\'', n: -3 }), never)
    if (answer.kind !== 'answered') throw new Error(`${answer.reason}: ${answer.why}`)
    expect(JSON.parse(Buffer.from(answer.body).toString())).toEqual({ reply: 'é\u200b"\'|-3' })
    expect(answer).toMatchObject({ signed: false, timing: { deadlineMs: 10_000 } })
    expect(answer.timing.totalMs).toBeGreaterThan(0)
  })

  it('has 256 answers of 256 questions, 64 at once', async () => {
    const opened = open()
    const asked = Array.from({ length: 256 }, (_, n) => opened.ask(planned('echo', { text: 'oak', n }), never))
    const expected = Array.from({ length: 256 }, (_, n) => `{"reply":"oak|${n}"}`)
    expect((await Promise.all(asked)).map(wordOf)).toEqual(expected)
  })

  it('hands the chunks of a stream on, and has its text as the response', async () => {
    const chunks: string[] = []
    const take = (text: Uint8Array): void => void chunks.push(Buffer.from(text).toString())
    const answer = await open().ask(planned('words', { prompt: 'oak elm' }), never, take)
    expect(wordOf(answer)).toBe('{"completion":"oak elm END"}')
    expect(chunks.join('')).toBe('oak elm END')
  })

  it.each([
    ['slow', 'timeout'],
    ['black', 'refused'],
    ['boom', 'refused'],
  ])('gives one word for %s', async (task, word) => {
    expect(wordOf(await open().ask(planned(task, { x: 1 }), never))).toBe(word)
  })

  it('speaks Arbor’s protocol to those that announce it, and to all without the flag', async () => {
    const request = { text: 'oak', n: 1 }
    expect(wordOf(await open().ask(planned('echo', request, 2), never))).toBe('certificate-missing')
    await dendrite?.close()
    expect(wordOf(await open({ speaksBittensor: false }).ask(planned('echo', request), never))).toBe(
      'certificate-missing',
    )
  })

  it('gives a miner no verdict when the hotkey does not sign', async () => {
    const signer: Signer = {
      ...alice,
      sign: () => Promise.reject(new SubnetError({ code: 'SIGNER_REFUSED', message: 'the policy refuses it' })),
    }
    const answer = await open({ signer }).ask(planned('echo', { text: 'oak', n: 1 }), never)
    expect(answer).toEqual({ kind: 'ours', reason: 'session', why: 'the hotkey did not sign: SIGNER_REFUSED' })
  })
})
