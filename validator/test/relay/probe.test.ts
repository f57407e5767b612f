import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '@arbor/shared/clock'
import { probeStatement } from '@arbor/shared/dial/statement'
import { encodeCanonical } from '@arbor/shared/protocol/canonical'
import type { Session } from '@arbor/shared/protocol/session'
import type { UnixMs } from '@arbor/shared/units'
import { afterAll, describe, expect, test } from 'vitest'
import { bob, eve, serveSession, stranger, testRelay } from './support.ts'

const servers: Server[] = []
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections()
})

/** Serves a text at every path. */
const serve = async (status: number, text: string): Promise<number> => {
  const server = createServer((_request, response) => response.writeHead(status).end(text))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const bodyOf = (
  session: Session,
  of: { readonly host: string; readonly port: number; readonly sentAt?: number; readonly certificate?: string },
): Buffer => {
  const sentAt = (of.sentAt ?? systemClock.now()) as UnixMs
  const signature = session.sign(probeStatement({ host: of.host, port: of.port, sentAt }))
  return Buffer.from(encodeCanonical([of.certificate ?? session.certificate.text, of.host, of.port, sentAt, signature]))
}

const probe = async (relayPort: number, body: Buffer, headers: Record<string, string> = {}) => {
  const response = await fetch(`http://127.0.0.1:${relayPort}/.arbor/probe`, {
    method: 'POST',
    body: Uint8Array.from(body),
    headers,
  })
  return { status: response.status, ...Object(await response.json()) }
}

describe('relay that is asked to dial back', () => {
  test('says whether it reached the port, and whose certificate it found', async () => {
    const relay = await testRelay()
    const session = await serveSession()
    const host = `127.0.0.1:${relay.port}`
    const seen = (port: number) => probe(relay.port, bodyOf(session, { host, port }))
    const right = await serve(200, (await serveSession()).certificate.text)
    expect(await seen(right)).toMatchObject({
      status: 200,
      address: '127.0.0.1',
      port: right,
      connected: true,
      certificate: 'right',
      why: null,
    })
    const other = await serve(200, (await serveSession(eve)).certificate.text)
    expect(await seen(other)).toMatchObject({ connected: true, certificate: 'other' })
    const none = await serve(404, 'nothing here')
    expect(await seen(none)).toMatchObject({ connected: true, certificate: 'none' })
    const endless = await serve(200, 'x'.repeat(1_000_000))
    expect(await seen(endless)).toMatchObject({ connected: true, certificate: 'none' })
    expect(await seen(1)).toMatchObject({ connected: false, why: 'ECONNREFUSED', certificate: null, ms: null })
  })

  test('dials nobody for those who are not registered, prove nothing, or repeat an old request', async () => {
    const relay = await testRelay()
    const host = `127.0.0.1:${relay.port}`
    const session = await serveSession()
    const thief = await serveSession(eve)
    const old = systemClock.now() - 6_000
    const unregistered = await serveSession(stranger)
    const closed = (at: string) => ({ host: at, port: 1 })
    const stolen = session.certificate.text
    for (const bodyAt of [
      () => Buffer.from('garbage'),
      () => Buffer.alloc(5_000),
      (at: string) => bodyOf(unregistered, closed(at)),
      (at: string) => bodyOf(thief, { ...closed(at), certificate: stolen }),
      (at: string) => bodyOf(session, { ...closed(at), sentAt: old }),
      () => bodyOf(session, closed('elsewhere:1')),
    ]) {
      const { port } = await testRelay()
      expect(await probe(port, bodyAt(`127.0.0.1:${port}`))).toMatchObject({ status: 400, code: 'RELAY_PROBE' })
    }
    const proxied = { 'x-forwarded-for': '192.0.2.1' }
    expect(await probe(relay.port, bodyOf(session, closed(host)), proxied)).toMatchObject({
      status: 400,
      code: 'RELAY_PROBE_PROXIED',
    })
  })

  test('gives up on a port that says nothing, and dials an address only so often', async () => {
    const relay = await testRelay({ probeMs: 50, probesPerMinute: 2 })
    const silent = createServer(() => undefined)
    servers.push(silent)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const host = `127.0.0.1:${relay.port}`
    const session = await serveSession(bob)
    expect(await probe(relay.port, bodyOf(session, { host, port }))).toMatchObject({ connected: false, why: 'timeout' })
    await probe(relay.port, bodyOf(session, { host, port }))
    expect(await probe(relay.port, bodyOf(session, { host, port }))).toMatchObject({ status: 429, code: 'RELAY_RATE' })
  })

  test('offers none where its operator said so', async () => {
    const relay = await testRelay({}, { probes: false })
    expect(await probe(relay.port, Buffer.from('x'))).toMatchObject({ status: 404, code: 'RELAY_NO_PATH' })
  })
})
