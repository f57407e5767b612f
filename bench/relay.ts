// What a relay spends on a question and its answer, beside a bare HTTP proxy: node bench/relay.ts [runs].
// This process asks, and plays the miner; the relay and the proxy are processes of their own, and only they are measured.
import { type ChildProcess, fork } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import {
  decodeFrame,
  decodeWindow,
  encodeFrame,
  FRAME,
  type FrameKind,
  MAX_PIECE_BYTES,
} from '../shared/src/dial/frame.ts'
import { decodeRequest, encodeHead, encodeHello } from '../shared/src/dial/messages.ts'
import { DIAL_PATH, DIAL_PROTOCOL, dialStatement } from '../shared/src/dial/statement.ts'
import { keypairFromUri } from '../shared/src/keys.ts'
import { requestBytes } from '../shared/src/protocol/request.ts'
import { openSession } from '../shared/src/protocol/session.ts'
import { writeToken } from '../shared/src/protocol/token.ts'
import { type Block, type Ms, netUid, type UnixMs } from '../shared/src/units.ts'
import { writeResult } from './write.ts'

const runs = Number(process.argv[2] ?? 5)
const worker = fileURLToPath(new URL('./workers/relay.ts', import.meta.url))
const bob = keypairFromUri('//Bob')
const CONCURRENCY = 16

interface Usage {
  readonly cpuMs: number
  readonly rss: number
}

async function start(...args: readonly string[]): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = fork(worker, args)
  const [{ port }] = await once(child, 'message')
  return { child, port }
}

async function usage(child: ChildProcess): Promise<Usage> {
  child.send('usage')
  const [used] = await once(child, 'message')
  return used
}

/** Plays a miner that answers with the question's own bytes, as fast as its window lets it. */
async function playMiner(port: number): Promise<WebSocket> {
  const session = await openSession({
    signer: bob,
    purpose: 'serve',
    genesisHash: new Uint8Array(32),
    netuid: netUid(1),
    registeredAt: 1 as Block,
    audience: null,
    issuedAt: Date.now() as UnixMs,
    randomBytes,
  })
  const host = `127.0.0.1:${port}`
  const socket = new WebSocket(`ws://${host}${DIAL_PATH}`, DIAL_PROTOCOL)
  const widen = new Map<number, (bytes: number) => void>()
  const send = (kind: FrameKind, id: number, payload: Uint8Array = new Uint8Array(0)): void =>
    socket.send(encodeFrame({ kind, id, payload }))
  const head = encodeHead({
    status: 200,
    contentType: 'application/arbor-sealed',
    envelope: null,
    certificate: null,
    retryAfterS: null,
  })
  const answer = async (id: number, body: Uint8Array): Promise<void> => {
    let window = 262_144
    let wake = (): void => undefined
    widen.set(id, (bytes) => {
      window += bytes
      wake()
    })
    send(FRAME.head, id, head)
    for (let at = 0; at < body.length; ) {
      if (window === 0)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      const size = Math.min(MAX_PIECE_BYTES, window, body.length - at)
      window -= size
      send(FRAME.body, id, body.subarray(at, at + size))
      at += size
    }
    widen.delete(id)
    send(FRAME.end, id)
  }
  await new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      const frame = decodeFrame(data)
      if (frame === null) throw new Error('the relay sent no frame')
      const { kind, id, payload } = frame
      if (kind === FRAME.welcome) resolve()
      if (kind === FRAME.window) widen.get(id)?.(decodeWindow(payload) ?? 0)
      if (kind === FRAME.request) void answer(id, decodeRequest(payload)?.body ?? new Uint8Array(0))
      if (kind !== FRAME.challenge) return
      const signature = session.sign(dialStatement({ challenge: payload, host }))
      const certificate = session.certificate.text
      send(FRAME.hello, 0, encodeHello({ certificate, host, signature, inFlight: 64, bodyBytes: 8_388_608 }))
    })
  })
  return socket
}

const envelopeOf = (body: Uint8Array): string =>
  writeToken(
    requestBytes({
      session: randomBytes(16),
      with: randomBytes(16),
      counter: 1,
      receiver: bob.publicKey,
      netuid: netUid(1),
      method: 'POST',
      path: '/echo',
      contentType: 'application/arbor-sealed',
      accept: 'whole',
      sentAt: Date.now() as UnixMs,
      timeoutMs: 60_000 as Ms,
      bodyLength: body.length,
      bodyHash: createHash('sha256').update(body).digest(),
    }),
    randomBytes(32),
  )

const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })

function ask(port: number, body: Uint8Array, envelope: string): Promise<void> {
  const headers = { 'content-length': String(body.length), 'arbor-envelope': envelope }
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/echo', method: 'POST', agent, headers }, (answer) => {
      let got = 0
      answer.on('data', (piece: Buffer) => {
        got += piece.length
      })
      answer.on('error', reject)
      answer.on('end', () => {
        if (answer.statusCode === 200 && got === body.length) resolve()
        else reject(new Error(`${answer.statusCode} with ${got} bytes`))
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

async function askMany(port: number, body: Uint8Array, count: number): Promise<void> {
  const envelope = envelopeOf(body)
  let left = count
  const loop = async (): Promise<void> => {
    while (left-- > 0) await ask(port, body, envelope)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, loop))
}

const echo = createServer((asked, response) => {
  response.writeHead(200)
  asked.pipe(response)
})
await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
const relay = await start('relay')
const proxy = await start('proxy', String((echo.address() as AddressInfo).port))
const miner = await playMiner(relay.port)
const arms = { relay, 'bare proxy': proxy }

const rows = new Map<string, { what: string; unit: string; runs: Record<string, number[]> }>()
const note = (what: string, unit: string, arm: string, value: number): void => {
  const row = rows.get(what) ?? { what, unit, runs: {} }
  rows.set(what, row)
  row.runs[arm] = [...(row.runs[arm] ?? []), Number(value.toPrecision(3))]
}

for (let run = 0; run <= runs; run += 1) {
  for (const [kilobytes, count] of [
    [1, 3_000],
    [64, 1_000],
    [1_024, 100],
  ] as const) {
    const body = randomBytes(kilobytes * 1_024)
    for (const [arm, { child, port }] of Object.entries(arms)) {
      const before = await usage(child)
      await askMany(port, body, count)
      const after = await usage(child)
      if (run > 0)
        note(`${kilobytes} KB there and back`, 'CPU ms a question', arm, (after.cpuMs - before.cpuMs) / count) // the first warms up
    }
  }
}
const growth = async (child: ChildProcess, port: number): Promise<number> => {
  const before = (await usage(child)).rss
  await askMany(port, randomBytes(1_024), 20_000)
  return ((await usage(child)).rss - before) / 2 ** 20
}
for (const [arm, { child, port }] of Object.entries(arms))
  note('memory that 20 000 more questions of 1 KB take', 'MiB', arm, await growth(child, port))
writeResult('relay', [...rows.values()])
miner.terminate()
for (const { child } of Object.values(arms)) child.kill()
process.exit(0)
