import { createManualClock } from '@arbor/shared/manual-clock'
import pino from 'pino'
import { beforeAll, describe, expect, test } from 'vitest'
import { initHashes } from '../src/embedded/hash.ts'
import type { Signed } from '../src/embedded/runtime/signature.ts'
import { createSignatureChecks } from '../src/embedded/runtime/verified.ts'
import { createVerifyThread, type StartThread } from '../src/embedded/runtime/verify-thread.ts'
import { ALICE, BOB, createSigner, startTestChain } from './support/embedded.ts'

beforeAll(initHashes)

const log = pino({ level: 'silent' })
const signedBy = (text: string): Signed => {
  const message = new TextEncoder().encode(text)
  return { kind: 'sr25519', publicKey: ALICE.publicKey, message, signature: ALICE.sign(message) }
}
const wrong = (signed: Signed): Signed => ({ ...signed, publicKey: BOB.publicKey })

describe('signature thread', () => {
  test('right signatures are told from wrong and malformed ones', async () => {
    const thread = createVerifyThread({ log })
    const good = signedBy('a')
    const asked = [
      good,
      wrong(good),
      { ...good, signature: new Uint8Array(64) },
      { ...good, publicKey: new Uint8Array(3) },
    ]
    expect(await Promise.all([...asked, { ...good, kind: 'ed25519' as const }].map(thread.verify))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
    await thread.close()
  })

  test('every question is answered when threads die, and the main thread takes over after the third', async () => {
    let started = 0
    const start: StartThread = ({ onDeath }) => {
      started += 1
      return { post: () => queueMicrotask(() => onDeath(new Error('it died'))), stop: async () => undefined }
    }
    const thread = createVerifyThread({ log, start })
    for (let round = 0; round < 5; round += 1) {
      const signed = Array.from({ length: 20 }, (_, index) => signedBy(`${round} ${index}`))
      const asked = signed.flatMap((one) => [one, wrong(one)])
      expect(await Promise.all(asked.map(thread.verify))).toEqual(signed.flatMap(() => [true, false]))
    }
    expect(started).toBe(3)
    await thread.close()
  })

  test('a real thread that is ended is started again', async () => {
    const { Worker } = await import('node:worker_threads')
    const workers: InstanceType<typeof Worker>[] = []
    const start: StartThread = ({ onAnswers, onDeath }) => {
      const worker = new Worker(new URL('../src/embedded/runtime/verify-worker.ts', import.meta.url))
      workers.push(worker)
      worker.on('message', onAnswers)
      worker.once('exit', () => onDeath(new Error('it ended')))
      return { post: (batch) => worker.postMessage(batch), stop: () => worker.terminate() }
    }
    const thread = createVerifyThread({ log, start })
    expect(await thread.verify(signedBy('a'))).toBe(true)
    const asked = Promise.all(Array.from({ length: 100 }, (_, index) => thread.verify(signedBy(String(index)))))
    await workers[0]?.terminate()
    expect((await asked).every(Boolean)).toBe(true)
    expect(await thread.verify(wrong(signedBy('b')))).toBe(false)
    expect(workers).toHaveLength(2)
    await thread.close()
  })

  test('questions above the bound are refused, and those within it are answered', async () => {
    const thread = createVerifyThread({ log, most: 3 })
    const asked = await Promise.allSettled(
      Array.from({ length: 5 }, (_, index) => thread.verify(signedBy(String(index)))),
    )
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
    expect(asked[4]).toMatchObject({ reason: { code: 'CHAIN_CHECKS_FULL', retryable: true } })
    expect(await thread.verify(signedBy('again'))).toBe(true)
    await thread.close()
  })

  test('closing answers what waits', async () => {
    const start: StartThread = () => ({ post: () => undefined, stop: async () => undefined })
    const thread = createVerifyThread({ log, start })
    const asked = thread.verify(signedBy('a'))
    await thread.close()
    expect(await asked).toBe(true)
  })
})

describe('signature checks', () => {
  test('a signature is asked of the thread once, and a wrong one each time', async () => {
    const asked: Signed[] = []
    const thread = {
      verify: async (signed: Signed) => asked.push(signed) > 0 && signed.publicKey === ALICE.publicKey,
      close: async () => undefined,
      warm: () => undefined,
    }
    const checks = createSignatureChecks({ thread })
    const [good, bad] = [signedBy('a'), wrong(signedBy('b'))]
    const run = (signed: Signed) => checks.postpone(() => checks.verify(signed)).areRight()
    expect([await run(good), await run(good), await run(bad), await run(bad)]).toEqual([true, true, false, false])
    expect(asked).toEqual([good, bad, bad])
    expect([checks.verify(good), checks.verify(bad)]).toEqual([true, false])
  })

  test('long messages are remembered by all of their bytes', () => {
    const checks = createSignatureChecks({ thread: null })
    const signed = signedBy('x'.repeat(5_000))
    expect(checks.verify(signed)).toBe(true)
    const other = Uint8Array.from(signed.message)
    other[4_999] = 0
    expect(checks.verify({ ...signed, message: other })).toBe(false)
  })

  test('chain tells a wrong signature as the runtime does, and takes what is right', async () => {
    const { chain } = await startTestChain({ clock: createManualClock() })
    const { sign } = createSigner(chain)
    const forged = sign(ALICE, 0, 'system', 'remark', '0x01')
    forged[forged.length - 1] = 2
    expect(await chain.check(forged)).toEqual(chain.validate(forged))
    const fine = sign(ALICE, 0, 'system', 'remark', '0x01')
    expect(await chain.check(fine)).toMatchObject({ valid: true })
    expect(await chain.check(fine)).toEqual(chain.validate(fine))
    await expect(chain.check(Uint8Array.of(0x10, 0xff))).rejects.toMatchObject({ code: 'CHAIN_RUNTIME_TRAP' })
    await chain.close()
  })
})
