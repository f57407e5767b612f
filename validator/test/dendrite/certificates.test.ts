import { createHash } from 'node:crypto'
import { keypairFromUri } from '@arbor/shared/keys'
import { createManualClock } from '@arbor/shared/manual-clock'
import { refusalBody } from '@arbor/shared/protocol/refusal'
import { openSession } from '@arbor/shared/protocol/session'
import { encodeSs58 } from '@arbor/shared/ss58'
import type { Block, Ms, NetUid, UnixMs } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { createCertificates } from '../../src/dendrite/certificates.ts'
import type { HttpReply } from '../../src/dendrite/http.ts'

const miner = keypairFromUri('//Bob')
const reader = keypairFromUri('//Alice').publicKey
const genesisHash = new Uint8Array(32).fill(1)
const never = new AbortController().signal
const timing = { totalMs: 7, firstByteMs: 5, connectMs: 1, lagMs: 0 }
const whose = { hotkey: miner.address, registeredAt: 7 as Block, address: { ip: '8.8.8.8', port: 1 } }

let turn = 0
const randomBytes = (length: number): Uint8Array =>
  createHash('shake256', { outputLength: length }).update(`seed ${turn++}`).digest()

const setUp = async (capacity = 10) => {
  const clock = createManualClock()
  const open = (over: object = {}) =>
    openSession({
      signer: miner,
      purpose: 'serve',
      genesisHash,
      netuid: 1 as NetUid,
      registeredAt: 7 as Block,
      audience: null,
      issuedAt: clock.now(),
      lifetimeMs: 3_600_000 as Ms,
      randomBytes,
      ...over,
    })
  let served = (await open()).certificate.text
  let status = 200
  const paths: string[] = []
  const certificates = createCertificates({
    send: async ({ path }): Promise<HttpReply> => {
      paths.push(path)
      return { ok: true, status, headers: {}, rawHeaders: [], body: Buffer.from(served), timing }
    },
    clock,
    genesisHash,
    netuid: 1 as NetUid,
    reader,
    capacity,
    timeoutMs: 1_000,
  })
  const serve = (text: string, as = 200): void => {
    served = text
    status = as
  }
  return { clock, certificates, paths, open, serve }
}

describe('certificates', () => {
  test('are fetched once, and used until shortly before they end', async () => {
    const { certificates, paths, clock, open, serve } = await setUp()
    const found = await certificates.get(whose, never)
    expect(await certificates.get(whose, never)).toEqual(found)
    expect(paths).toEqual([`/.arbor/certificate/${miner.address}`])
    await clock.advance(3_600_000 - 70_001)
    await certificates.get(whose, never)
    expect(paths).toHaveLength(1)
    await clock.advance(1)
    const next = (await open()).certificate
    serve(next.text)
    expect(await certificates.get(whose, never)).toMatchObject({ ok: true, certificate: { text: next.text } })
    expect(paths).toHaveLength(2)
  })

  test('are fetched once for two who ask at the same time', async () => {
    const { certificates, paths } = await setUp()
    const [first, second] = await Promise.all([certificates.get(whose, never), certificates.get(whose, never)])
    expect([first, paths.length]).toEqual([second, 1])
  })

  test('are fetched again once forgotten, or for another registration', async () => {
    const { certificates, paths, open, serve } = await setUp()
    const found = await certificates.get(whose, never)
    if (!found.ok) throw new Error(found.why)
    certificates.forget(found.certificate)
    await certificates.get(whose, never)
    serve((await open({ registeredAt: 8 })).certificate.text)
    expect(await certificates.get({ ...whose, registeredAt: 8 as Block }, never)).toMatchObject({ ok: true })
    expect(paths).toHaveLength(3)
  })

  test('are forgotten, the one asked least recently first, when there are too many', async () => {
    const { certificates, paths, open, serve } = await setUp(1)
    await certificates.get(whose, never)
    const other = keypairFromUri('//Charlie')
    serve((await open({ signer: other })).certificate.text)
    await certificates.get({ ...whose, hotkey: other.address }, never)
    serve((await open()).certificate.text)
    await certificates.get(whose, never)
    expect(paths).toHaveLength(3)
  })

  const mallory = keypairFromUri('//Mallory')
  const forged = { address: miner.address, publicKey: miner.publicKey, sign: mallory.sign }
  test.each<[string, object]>([
    ['certificate-stolen', { signer: mallory }],
    ['certificate-wrong', { genesisHash: new Uint8Array(32) }],
    ['certificate-wrong', { netuid: 2 }],
    ['certificate-wrong', { purpose: 'ask' }],
    ['certificate-wrong', { audience: encodeSs58(mallory.publicKey) }],
    ['certificate-wrong', { registeredAt: 6 }],
    ['certificate-wrong', { signer: forged }],
  ])('are refused as %s with %j', async (reason, over) => {
    const { certificates, open, serve } = await setUp()
    serve((await open(over)).certificate.text)
    expect(await certificates.get(whose, never)).toMatchObject({ ok: false, reason })
  })

  test('are refused when they are not of this time', async () => {
    const { certificates, open, serve, clock } = await setUp()
    const early = await open({ issuedAt: (clock.now() + 5_001) as UnixMs })
    serve(early.certificate.text)
    expect(await certificates.get(whose, never)).toMatchObject({ ok: false, reason: 'certificate-expired' })
    await clock.advance(1)
    expect(await certificates.get(whose, never)).toMatchObject({ ok: true })
  })

  test.each<[string, string | Buffer, number]>([
    ['certificate-malformed', 'x.y', 200],
    ['certificate-malformed', '', 200],
    ['certificate-missing', '', 404],
    ['certificate-missing', '', 500],
    ['rejected', '', 429],
    ['unreachable', refusalBody('RELAY_NO_MINER'), 503],
    ['timeout', refusalBody('RELAY_LATE'), 504],
  ])('are missed as %s when %j comes with HTTP %i', async (reason, text, status) => {
    const { certificates, serve } = await setUp()
    serve(String(text), status)
    expect(await certificates.get(whose, never)).toMatchObject({ ok: false, reason })
  })
})
