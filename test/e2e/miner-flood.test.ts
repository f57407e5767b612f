import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { systemClock } from '@arbor/shared/clock'
import { readRefusal } from '@arbor/shared/protocol/refusal'
import { readToken, writeToken } from '@arbor/shared/protocol/token'
import type { Ms } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Asker, poor, stranger, write } from '../../miner/test/net.ts'
import {
  echo,
  echoAnew,
  type Flooded,
  headBytes,
  headLines,
  question,
  startFlooded,
  writeEcho,
} from './support/flooded.ts'
import { cpuSeconds, fileLimit, openFiles, residentBytes } from './support/usage.ts'

/** Sockets of the flood where the system lets one process have so many. */
const WANTED = 10_000
/** File descriptors that this process needs for everything else. */
const RESERVED = 512
/**
 * Sockets of the flood. Node raises its own soft limit of open files to the hard one (`ulimit -Hn`), which is what /proc says; a
 * machine whose hard limit is under 10 512 takes all that it may, and the test's name says how many: `docker run --ulimit
 * nofile=20000` or the shell's `ulimit -n 20000` as root raise it.
 */
const SOCKETS = Math.min(WANTED, fileLimit('self') - RESERVED)
/** Connections that the miner keeps, whoever opens them; docs/serving.md. */
const KEPT = 1_024
/** What a flood may leave behind in memory: a heap that has grown once is kept by its process. 16 KB kept of each socket were 160 MB. */
const MEMORY_BYTES = 128 << 20

let flooded: Flooded
let honest: Asker
let hostile: Asker
beforeAll(async () => {
  flooded = await startFlooded(20) // the default of `arbor miner`
  honest = await flooded.meet()
  hostile = await flooded.meet(poor)
})
afterAll(() => flooded?.stop())

const never = new AbortController().signal
const rest = (ms: number): Promise<void> => systemClock.sleep(ms as Ms, never)

/** An address of this machine for each number below 2 500. */
const addressOf = (index: number): string =>
  `127.${16 + (index % 10)}.${1 + (index % 25)}.${1 + Math.floor(index / 10)}`

/** What a socket of the flood does once it is open. */
type Play = (socket: Socket) => void

/** Sends a byte at a time, for as long as the other side takes them. */
const drips = new Set<() => void>()
const drip = (socket: Socket, bytes: Uint8Array): void => {
  let at = 0
  const step = (): void => {
    if (!socket.writable) return void drips.delete(step)
    socket.write(bytes.subarray(at % bytes.length, (at % bytes.length) + 1))
    at += 1
  }
  drips.add(step)
}
const dripping = setInterval(() => {
  for (const step of drips) step()
}, 250)
afterAll(() => clearInterval(dripping))

/** A head with an envelope and, where there is one, a certificate. */
const head = (envelope: string, certificate: string | null, length = 0): Buffer =>
  headBytes([
    'POST /echo HTTP/1.1',
    'host: miner',
    `content-length: ${length}`,
    `arbor-envelope: ${envelope}`,
    ...(certificate === null ? [] : [`arbor-certificate: ${certificate}`]),
  ])

/** Certificates of the hotkey with a permit that it never signed: the costliest thing that a stranger can have checked. */
const forgeries = async (): Promise<readonly Buffer[]> =>
  Promise.all(
    Array.from({ length: 60 }, async () => {
      const asker = await flooded.meet(poor)
      const token = readToken(asker.session.certificate.text)
      if (token === null) throw new Error('the test misses a certificate')
      const proof = Uint8Array.from(token.proof, (byte, index) => (index === 5 ? byte ^ 1 : byte))
      const { envelope } = write(asker, { now: systemClock.now(), body: new Uint8Array(0), path: '/echo' })
      return head(envelope, writeToken(token.payload, proof))
    }),
  )

/** All that the flood's sockets do, by name; the codes are those that its answers may say. */
const plays = async (): Promise<
  readonly { name: string; codes: readonly string[]; play: (index: number) => Play }[]
> => {
  const forged = await forgeries()
  const unknown = (await flooded.meet(stranger)).session
  const used = writeEcho(hostile, 'once', { timeoutMs: 60_000 })
  const replayed = Buffer.concat([headBytes(headLines(hostile, used)), used.body])
  const first = await fetch(`${flooded.url}/echo`, {
    method: 'POST',
    headers: { 'arbor-envelope': used.envelope, 'arbor-certificate': hostile.session.certificate.text },
    body: new Uint8Array(used.body),
  })
  expect(first.status).toBe(200)
  await first.arrayBuffer()
  const garbage = [
    Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
    Buffer.from('\0'.repeat(64)),
    randomBytes(512),
  ]
  return [
    { name: 'idle', codes: [], play: () => () => undefined },
    { name: 'half a head', codes: [], play: () => (socket) => socket.write('POST /echo HTTP/1.1\r\nhost: mi') },
    {
      name: 'a head that drips',
      codes: [],
      play: () => (socket) => {
        socket.write('POST /echo HTTP/1.1\r\nhost: miner\r\nx-a: ')
        drip(socket, Buffer.from('abcdefgh'))
      },
    },
    {
      name: 'a stranger whose body drips',
      codes: ['WIRE_HEADERS'],
      play: () => (socket) => {
        socket.write('POST /echo HTTP/1.1\r\nhost: miner\r\ncontent-length: 1000\r\n\r\n')
        drip(socket, Buffer.from('x'))
      },
    },
    {
      name: 'a caller whose body drips',
      codes: ['MINER_RATE', 'MINER_BUSY', 'MINER_LATE'],
      play: () => (socket) => {
        const { envelope, body } = writeEcho(hostile, 'slow'.repeat(400), { timeoutMs: 4_000 })
        socket.write(head(envelope, hostile.session.certificate.text, body.length))
        drip(socket, body)
      },
    },
    { name: 'garbage', codes: [], play: (index) => (socket) => socket.write(garbage[index % 3] ?? '') },
    {
      name: 'an unknown session',
      codes: ['WIRE_SESSION'],
      play: () => (socket) => {
        const { envelope } = writeEcho({ ...hostile, session: unknown }, '')
        socket.write(head(envelope, null, question('').length + 16))
      },
    },
    { name: 'a replay', codes: ['WIRE_REPLAY'], play: () => (socket) => socket.write(replayed) },
    {
      name: 'a forged certificate',
      codes: ['WIRE_CERTIFICATE', 'MINER_RATE'],
      play: (index) => (socket) => socket.write(forged[index % forged.length] ?? ''),
    },
    {
      name: 'bare questions in a row',
      codes: ['MINER_NO_TASK'],
      play: () => (socket) =>
        socket.write('GET /nothing HTTP/1.1\r\nhost: miner\r\ncontent-length: 0\r\n\r\n'.repeat(20)),
    },
  ]
}

/** Opens a socket from an address; resolves once it is open or refused. */
const open = (sockets: Set<Socket>, localAddress: string, play: Play, onData?: (part: Buffer) => void): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: flooded.port, localAddress })
    sockets.add(socket)
    socket.on('connect', () => {
      play(socket)
      resolve()
    })
    socket.on('data', (part: Buffer) => onData?.(part))
    socket.on('error', () => undefined) // who is one too many is cut off
    socket.on('close', resolve)
  })

const closeAll = (sockets: Set<Socket>): void => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
}

/** Asks until told to stop: each second question over a new connection. Fewer a second than one caller may. */
const keepAsking = async (until: AbortSignal): Promise<number> => {
  for (let count = 0; ; count += 1) {
    if (until.aborted) return count
    const text = `question ${count}`
    const answer = count % 2 === 0 ? echo(flooded.url, honest, text) : echoAnew(flooded.port, honest, text)
    expect(await answer).toBe(text)
    await rest(60)
  }
}

/** Codes that a flood's answers said, by what the sockets did. */
type Told = Map<string, Map<string, number>>
const tell = (told: Told, name: string, part: Buffer): void => {
  const codes = told.get(name) ?? new Map<string, number>()
  told.set(name, codes)
  for (const [text] of part.toString('latin1').matchAll(/\{"code":"[A-Z_]+"\} */g)) {
    const code = readRefusal(Buffer.from(text)) ?? `other size: ${text.length}`
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  if (part.includes(' 200 OK')) codes.set('200', (codes.get('200') ?? 0) + 1)
}

describe('miner in a flood', { timeout: 100_000 }, () => {
  test('may hold the files that its bound of connections needs', () => {
    expect(fileLimit(flooded.pid)).toBeGreaterThan(2 * KEPT + RESERVED)
  })

  test(`answers every honest question while ${SOCKETS} hostile sockets come, and is afterwards as before`, async () => {
    expect(SOCKETS).toBeGreaterThan(KEPT) // or it is no flood
    for (let index = 0; index < 30; index += 1) await echo(flooded.url, honest, 'warm')
    const before = { files: openFiles(flooded.pid), bytes: residentBytes(flooded.pid) }
    const kinds = await plays()
    await rest(1_500) // the warm-up's share of the rate comes back

    const stop = new AbortController()
    const asking = keepAsking(stop.signal)
    const sockets = new Set<Socket>()
    const told: Told = new Map()
    let most = 0
    for (let from = 0; from < SOCKETS; from += 200) {
      const wave = Array.from({ length: Math.min(200, SOCKETS - from) }, (_, nth) => {
        const index = from + nth
        const kind = kinds[index % kinds.length]
        if (kind === undefined) throw new Error('the test misses a kind')
        return open(sockets, addressOf(index % 2_500), kind.play(index), (part) => tell(told, kind.name, part))
      })
      await Promise.race([Promise.all(wave), asking]) // an answer that is missed ends the test
      most = Math.max(most, openFiles(flooded.pid))
    }
    await Promise.race([rest(5_000), asking]) // the drips go on, and the deadlines of dripping bodies pass
    stop.abort()
    const answered = await asking
    expect(answered).toBeGreaterThan(20)
    expect(most).toBeLessThan(2 * KEPT + RESERVED)
    for (const { name, codes } of kinds) {
      const said = [...(told.get(name)?.keys() ?? [])]
      expect(codes, `${name} was told ${said}`).toEqual(expect.arrayContaining(said))
      if (codes.length > 0) expect(said.length, `${name} was told nothing`).toBeGreaterThan(0)
    }

    closeAll(sockets)
    await expect.poll(() => openFiles(flooded.pid), { timeout: 20_000 }).toBeLessThan(before.files + 32)
    await expect.poll(() => residentBytes(flooded.pid) - before.bytes, { timeout: 10_000 }).toBeLessThan(MEMORY_BYTES)
    expect(await echo(flooded.url, honest, 'after')).toBe('after')
  })

  test('computes next to nothing while only idle sockets are held', async () => {
    const sockets = new Set<Socket>()
    const waiting = Array.from({ length: KEPT - 24 }, (_, index) => open(sockets, addressOf(index), () => undefined))
    await Promise.all(waiting)
    await expect.poll(() => openFiles(flooded.pid)).toBeGreaterThan(KEPT - 24)
    await rest(500)
    const [cpu, wall] = [cpuSeconds(flooded.pid), performance.now()]
    await rest(5_000)
    const share = (cpuSeconds(flooded.pid) - cpu) / ((performance.now() - wall) / 1_000)
    expect(openFiles(flooded.pid)).toBeGreaterThan(KEPT - 24) // they were held all the time
    expect(cpu).toBeGreaterThan(1) // the flood was counted
    expect(share).toBeLessThan(0.2)
    expect(await echo(flooded.url, honest, 'meanwhile')).toBe('meanwhile')
    closeAll(sockets)
    await expect.poll(() => openFiles(flooded.pid), { timeout: 20_000 }).toBeLessThan(100)
  })

  test('has said nothing and not crashed', async () => {
    expect(flooded.child.exitCode).toBeNull()
    expect(await flooded.stop()).toBe('')
    expect(flooded.child.exitCode).toBe(0)
  })
})
