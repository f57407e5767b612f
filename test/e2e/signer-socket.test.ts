import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { openSigner } from '@arbor/chain/signer/client'
import { createCounts } from '@arbor/chain/signer/counts'
import type { Desk } from '@arbor/chain/signer/desk'
import { writeFrame } from '@arbor/chain/signer/frames'
import { HELLO } from '@arbor/chain/signer/messages'
import { openFolder, openToken, readToken, takePlace } from '@arbor/chain/signer/place'
import { listenSigner } from '@arbor/chain/signer/server'
import { systemClock } from '@arbor/shared/clock'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Ms } from '@arbor/shared/units'
import { afterAll, describe, expect, test } from 'vitest'

const alice = keypairFromUri('//Alice')
const folder = mkdtempSync('/tmp/arbor-ss-')
const log = createLogger({ name: 'test', level: 'silent' })
const stop = new AbortController()
afterAll(() => {
  stop.abort()
  rmSync(folder, { recursive: true, force: true })
})
let next = 0

/** A signer that signs all it is asked for, when it is let. */
const start = async (gate: Promise<unknown> = Promise.resolve()) => {
  next += 1
  const path = join(folder, `s${next}`)
  const token = randomBytes(32)
  const counts = createCounts()
  const clock = createManualClock()
  const desk: Desk = async (asked) => {
    if (asked.is !== 'sign') return { is: 'keys', id: asked.id, publicKeys: [alice.publicKey] }
    await gate
    return { is: 'signature', id: asked.id, signature: alice.sign(asked.bytes) }
  }
  const server = await listenSigner({ desk, token, counts, clock, log, signal: stop.signal }, path)
  const open = (deadlineMs = 5_000) =>
    openSigner({
      socket: path,
      token: () => token,
      clock: systemClock,
      log,
      signal: stop.signal,
      deadlineMs: deadlineMs as Ms,
    })
  return { path, token, counts, clock, server, open }
}
const message = new Uint8Array(40).fill(7)
const certificate = { kind: 'certificate' } as const

describe('the socket of a signer', () => {
  test('carries many requests at once, each with its own answer, and refuses the 65th in flight', async () => {
    const gate = Promise.withResolvers<void>()
    const { open, server, counts } = await start(gate.promise)
    const signer = await open()
    const asked = Array.from({ length: 70 }, (_, index) => signer.sign(new Uint8Array(33).fill(index + 1), certificate))
    const late = await Promise.allSettled(asked.slice(64))
    expect(late.map((each) => each.status === 'rejected' && each.reason.details.rule)).toEqual(Array(6).fill('busy'))
    gate.resolve()
    const signatures = await Promise.all(asked.slice(0, 64)) // each is verified over its own message by the client
    expect(new Set(signatures).size).toBe(64)
    expect(counts.refused.busy).toBe(6)
    await server.close()
  })

  test('cuts off who says nothing, who stops within a message, and who speaks before the hello', async () => {
    const { path, token, counts, clock, server } = await start()
    const silent = createConnection(path)
    const slow = createConnection(path)
    const early = createConnection(path)
    for (const socket of [silent, slow, early]) socket.resume()
    slow.write(Buffer.concat([writeFrame([HELLO, token]), Buffer.of(0, 0)]))
    early.write(writeFrame(['keys', 1]))
    await once(early, 'close')
    expect(counts.connections.garbage).toBe(1)
    await expect.poll(() => counts.connections).toMatchObject({ taken: 1, open: 2 })
    const gone = Promise.all([once(silent, 'close'), once(slow, 'close')])
    await expect.poll(() => clock.sleeping()).toBe(2)
    await clock.advance(5_000)
    await gone
    expect(counts.connections.late).toBe(2)
    await server.close()
  })

  test('keeps a quiet client that has said its hello, and takes no more connections than it has places', async () => {
    const { path, open, clock, counts, server } = await start()
    const signer = await open()
    await clock.advance(3_600_000)
    expect(await signer.sign(message, certificate)).toHaveLength(64)
    const crowd = Array.from({ length: 40 }, () => createConnection(path))
    await Promise.all(crowd.slice(31).map((socket) => once(socket.resume(), 'close')))
    await expect.poll(() => counts.connections.open).toBe(32)
    expect(await signer.sign(message, certificate)).toHaveLength(64)
    for (const socket of crowd) socket.destroy()
    await server.close()
  })

  test('fails what is under way when it goes, and serves again at the same place', async () => {
    const path = join(folder, 'again')
    const token = randomBytes(32)
    const counts = createCounts()
    let answers = false
    const desk: Desk = (asked) =>
      asked.is === 'sign' && !answers
        ? new Promise(() => undefined)
        : Promise.resolve(
            asked.is === 'sign'
              ? { is: 'signature', id: asked.id, signature: alice.sign(asked.bytes) }
              : { is: 'keys', id: asked.id, publicKeys: [alice.publicKey] },
          )
    const deps = { desk, token, counts, clock: createManualClock(), log, signal: stop.signal }
    const first = await listenSigner(deps, path)
    const signer = await openSigner({ socket: path, token: () => token, clock: systemClock, log, signal: stop.signal })
    const asked = signer.sign(message, certificate)
    const failed = expect(asked).rejects.toMatchObject({ code: 'SIGNER_AWAY', retryable: true })
    await first.close()
    await failed
    answers = true
    const waiting = signer.sign(message, certificate) // tried until somebody listens
    const second = await listenSigner(deps, path)
    expect(await waiting).toHaveLength(64)
    signer.close()
    await expect(Promise.resolve(signer.sign(message, certificate))).rejects.toMatchObject({ code: 'SIGNER_AWAY' })
    await second.close()
  })

  test('is not believed when it signs with another key, or speaks something else', async () => {
    const path = join(folder, 'other')
    const token = randomBytes(32)
    const bob = keypairFromUri('//Bob')
    const desk: Desk = async (asked) =>
      asked.is === 'sign'
        ? { is: 'signature', id: asked.id, signature: bob.sign(asked.bytes) }
        : { is: 'keys', id: asked.id, publicKeys: [alice.publicKey] }
    const deps = { desk, token, counts: createCounts(), clock: createManualClock(), log, signal: stop.signal }
    const server = await listenSigner(deps, path)
    const options = { token: () => token, clock: systemClock, log, signal: stop.signal }
    const signer = await openSigner({ ...options, socket: path })
    await expect(Promise.resolve(signer.sign(message, certificate))).rejects.toMatchObject({ code: 'SIGNER_PROTOCOL' })
    await expect(openSigner({ ...options, socket: path, hotkey: bob.address })).rejects.toMatchObject({
      code: 'SIGNER_KEY',
    })
    await server.close()
    const http = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const place = join(folder, 'http')
    await once(http.listen(place), 'listening')
    await expect(openSigner({ ...options, socket: place })).rejects.toMatchObject({ code: 'SIGNER_PROTOCOL' })
    http.close()
  })
})

describe('the place of a signer', () => {
  test('is a folder of its own: others may not enter it, and a link to one is none', () => {
    openFolder(join(folder, 'a', 'b'))
    expect(lstatSync(join(folder, 'a', 'b')).mode & 0o777).toBe(0o700)
    chmodSync(join(folder, 'a', 'b'), 0o710)
    expect(() => openFolder(join(folder, 'a', 'b'))).toThrow(expect.objectContaining({ code: 'SIGNER_FOLDER' }))
    mkdirSync(join(folder, 'real'), { mode: 0o700 })
    symlinkSync(join(folder, 'real'), join(folder, 'link'))
    expect(() => openFolder(join(folder, 'link'))).toThrow(/no folder/)
  })

  test('has one signer: a living one stays, what a dead one left is taken over, and a file is left alone', async () => {
    const path = join(folder, 'real', 's')
    const held = await takePlace(path)
    await expect(takePlace(path)).rejects.toMatchObject({ code: 'SIGNER_IN_USE' })
    held[Symbol.dispose]()
    writeFileSync(path, 'mine')
    await expect(takePlace(path)).rejects.toMatchObject({ code: 'SIGNER_FOLDER' })
  })

  test('has a token that is made once, and read only from a file of its owner alone', () => {
    const path = join(folder, 'token')
    const token = openToken(path)
    expect([token.length, lstatSync(path).mode & 0o777]).toEqual([32, 0o600])
    expect(Buffer.from(openToken(path))).toEqual(token)
    chmodSync(path, 0o640)
    expect(() => readToken(path)).toThrow(expect.objectContaining({ code: 'SIGNER_TOKEN' }))
    chmodSync(path, 0o600)
    writeFileSync(path, `${Buffer.from(token).toString('hex')}00`)
    let said = ''
    try {
      readToken(path)
    } catch (error) {
      said = String(error)
    }
    expect(said).toContain('64 hexadecimal')
    expect(said).not.toContain(Buffer.from(token).toString('hex'))
  })

  test('fits into a path of 107 bytes', async () => {
    const socket = `/tmp/${'x'.repeat(103)}`
    const options = { token: () => new Uint8Array(32), clock: systemClock, log, signal: stop.signal }
    await expect(openSigner({ ...options, socket })).rejects.toMatchObject({ code: 'SIGNER_PATH' })
  })
})
