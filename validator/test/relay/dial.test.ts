import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { FRAME } from '@arbor/shared/dial/frame'
import type { Block, Ms, UnixMs } from '@arbor/shared/units'
import { netUid } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  bob,
  dialAs,
  dialSocket,
  eve,
  genesisHash,
  helloOf,
  registered,
  serveSession,
  stranger,
  testRelay,
  until,
} from './support.ts'

const refusalAfter = async (
  port: number,
  hello: (challenge: Uint8Array) => Uint8Array | Promise<Uint8Array>,
): Promise<string> => {
  const dialler = await dialSocket(port)
  const { payload } = await dialler.next()
  dialler.send(FRAME.hello, 0, await hello(payload))
  const answer = await dialler.next()
  expect(answer.kind).toBe(FRAME.refused)
  expect(await dialler.closed).toBe(1008)
  return Buffer.from(answer.payload).toString()
}

describe('relay that is dialled', () => {
  test('welcomes a registered hotkey that proves its session, and shows its certificate', async () => {
    const relay = await testRelay()
    const session = await serveSession()
    const { welcome } = await dialAs(relay.port, session)
    expect(welcome).toEqual({ windowBytes: 262_144, inFlight: 64, relays: true })
    expect([relay.miners, relay.isConnected(bob.address)]).toEqual([1, true])
    const certificate = await fetch(`http://127.0.0.1:${relay.port}/.arbor/certificate/${bob.address}`)
    expect([certificate.status, await certificate.text()]).toEqual([200, session.certificate.text])
    const other = await fetch(`http://127.0.0.1:${relay.port}/.arbor/certificate/${eve.address}`)
    expect([other.status, (await other.text()).length]).toEqual([404, 64])
  })

  test('refuses a certificate without its key, a replayed hello and one for another host', async () => {
    const relay = await testRelay()
    const host = `127.0.0.1:${relay.port}`
    const stolen = await serveSession()
    const thief = await serveSession(eve)
    const pretender = { ...thief, certificate: stolen.certificate }
    expect(await refusalAfter(relay.port, (challenge) => helloOf(pretender, { challenge, host }))).toBe('RELAY_PROOF')
    const replayed = helloOf(stolen, { challenge: randomBytes(32), host })
    expect(await refusalAfter(relay.port, () => replayed)).toBe('RELAY_PROOF')
    const passedOn = 'evil.example:8095'
    expect(await refusalAfter(relay.port, (challenge) => helloOf(stolen, { challenge, host: passedOn }))).toBe(
      'RELAY_HOST',
    )
    expect(relay.miners).toBe(0)
  })

  test('refuses certificates that a hotkey did not sign, of another chain, subnet, purpose, registration or time', async () => {
    const relay = await testRelay()
    const host = `127.0.0.1:${relay.port}`
    const forged = await serveSession({ ...stranger, address: bob.address, publicKey: bob.publicKey })
    const sessions = [
      [forged, 'RELAY_PROOF'],
      [await serveSession(stranger), 'RELAY_UNREGISTERED'],
      [await serveSession(bob, { registeredAt: 2 as Block }), 'RELAY_UNREGISTERED'],
      [await serveSession(bob, { netuid: netUid(2) }), 'RELAY_CERTIFICATE'],
      [await serveSession(bob, { genesisHash: genesisHash.map((byte) => byte + 1) }), 'RELAY_CERTIFICATE'],
      [await serveSession(bob, { purpose: 'ask' }), 'RELAY_CERTIFICATE'],
      [await serveSession(bob, { issuedAt: 1_000 as UnixMs }), 'RELAY_EXPIRED'],
    ] as const
    for (const [session, code] of sessions)
      expect(await refusalAfter(relay.port, (challenge) => helloOf(session, { challenge, host }))).toBe(code)
    expect(relay.miners).toBe(0)
  })

  test('refuses garbage in place of a hello, and cuts off what is too large', async () => {
    const relay = await testRelay()
    for (const payload of [new Uint8Array(0), randomBytes(500), Buffer.from('{"hello":1}')])
      expect(await refusalAfter(relay.port, () => payload)).toBe('RELAY_HELLO')
    const early = await dialSocket(relay.port)
    await early.next()
    early.send(FRAME.body, 1, randomBytes(10))
    expect(Buffer.from((await early.next()).payload).toString()).toBe('RELAY_HELLO')
    const huge = await dialSocket(relay.port)
    huge.socket.send(Buffer.alloc(1_048_576))
    expect(await huge.closed).toBe(1009)
  })

  test('hangs up on a dialler that says nothing', async () => {
    const relay = await testRelay({ helloMs: 50 })
    const silent = await dialSocket(relay.port)
    await silent.next()
    expect(Buffer.from((await silent.next()).payload).toString()).toBe('RELAY_LATE')
    expect(await silent.closed).toBe(1008)
  })

  test('keeps the newest connection of a hotkey and tells the one before', async () => {
    const relay = await testRelay()
    const old = await dialAs(relay.port, await serveSession())
    const fresh = await dialAs(relay.port, await serveSession())
    const told = await old.next()
    expect([told.kind, Buffer.from(told.payload).toString()]).toEqual([FRAME.refused, 'RELAY_REPLACED'])
    await old.closed
    expect([relay.miners, fresh.socket.readyState]).toEqual([1, WebSocket.OPEN])
  })

  test('takes a renewed certificate on the same connection, of the same hotkey only', async () => {
    const relay = await testRelay()
    const host = `127.0.0.1:${relay.port}`
    const dialler = await dialAs(relay.port, await serveSession())
    const renewed = await serveSession()
    const { challenge } = dialler
    dialler.send(FRAME.hello, 0, helloOf(renewed, { challenge, host }))
    const shown = async () => (await fetch(`http://${host}/.arbor/certificate/${bob.address}`)).text()
    while ((await shown()) !== renewed.certificate.text);
    dialler.send(FRAME.hello, 0, helloOf(await serveSession(eve), { challenge, host }))
    expect(Buffer.from((await dialler.next()).payload).toString()).toBe('RELAY_HELLO')
    await dialler.closed
    expect(relay.miners).toBe(0)
  })

  test('sends a miner away whose registration changed, or whose certificate ran out', async () => {
    const relay = await testRelay()
    const dialler = await dialAs(relay.port, await serveSession())
    relay.update({ ...registered, registeredAt: new Map([[bob.address, 9 as Block]]) })
    expect(Buffer.from((await dialler.next()).payload).toString()).toBe('RELAY_UNREGISTERED')
    expect(relay.miners).toBe(0)
    relay.update(registered)
    const brief = await dialAs(relay.port, await serveSession(bob, { lifetimeMs: 150 as Ms }))
    expect(Buffer.from((await brief.next()).payload).toString()).toBe('RELAY_EXPIRED')
  })

  test('drops a miner that answers no ping, and one that pings without end', async () => {
    const relay = await testRelay({ pingMs: 40 })
    const dead = await dialAs(relay.port, await serveSession())
    dead.socket.pause()
    await until(() => relay.miners === 0)
    dead.socket.terminate()
    const calm = await testRelay()
    const noisy = await dialAs(calm.port, await serveSession())
    for (let count = 0; count < 40; count += 1) noisy.socket.ping()
    expect(Buffer.from((await noisy.next()).payload).toString()).toBe('RELAY_PROTOCOL')
  })

  test('verifies only so many certificates of an address', async () => {
    const relay = await testRelay({ proofsBurst: 2, proofsPerSecond: 0.001 })
    const host = `127.0.0.1:${relay.port}`
    const session = await serveSession()
    await dialAs(relay.port, session)
    await dialAs(relay.port, session)
    expect(await refusalAfter(relay.port, (challenge) => helloOf(session, { challenge, host }))).toBe('RELAY_RATE')
    expect(relay.miners).toBe(1)
  })

  test('holds no more sockets than its bounds when a thousand are opened and idle', async () => {
    const relay = await testRelay({ unproven: 32, unprovenPerAddress: 32, socketsPerAddress: 64, helloMs: 60_000 })
    const session = await serveSession()
    const raw = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const socket = connect(relay.port, '127.0.0.1')
        socket.on('error', () => undefined)
        await new Promise((resolve) => socket.once('close', resolve).once('connect', resolve))
        return socket
      }),
    )
    await until(() => raw.filter((socket) => !socket.closed).length <= 64)
    for (const socket of raw) socket.destroy()
    const dialled = await Promise.all(
      Array.from({ length: 500 }, () => dialSocket(relay.port).catch((error: Error) => error)),
    )
    expect(dialled.filter((each) => !(each instanceof Error)).length).toBeLessThanOrEqual(32)
    for (const each of dialled) if (!(each instanceof Error)) each.socket.terminate()
    await until(() => dialled.every((each) => each instanceof Error || each.socket.readyState === WebSocket.CLOSED))
    await expect
      .poll(async () =>
        dialAs(relay.port, session).then(
          () => relay.miners,
          () => 0,
        ),
      )
      .toBe(1)
  })

  test('turns away whoever dials another path or speaks another protocol', async () => {
    const relay = await testRelay()
    await expect(dialSocket(relay.port, '/elsewhere')).rejects.toThrow('404')
    const other = new WebSocket(`ws://127.0.0.1:${relay.port}/.arbor/dial`, 'arbor.3')
    await expect(new Promise((_resolve, reject) => other.once('error', reject))).rejects.toThrow('400')
  })
})
