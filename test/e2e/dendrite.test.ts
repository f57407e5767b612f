import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { systemClock } from '@arbor/shared/clock'
import { sha256 } from '@arbor/shared/hashing'
import { keypairFromUri } from '@arbor/shared/keys'
import { type Block, type Hex, type Ms, netUid, type Uid } from '@arbor/shared/units'
import { requestBytes } from '@arbor/shared/wire/envelope'
import { verifyHead } from '@arbor/shared/wire/request'
import { signResponse } from '@arbor/shared/wire/response'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Answer, type Dendrite, openDendrite } from '../../validator/src/dendrite.ts'

const validator = keypairFromUri('//Alice')
const miner = keypairFromUri('//Bob')
const netuid = netUid(1)

const echo = {
  request: z.object({ word: z.string() }),
  response: z.strictObject({ word: z.string().max(1_000) }),
  deadlineMs: 400,
  maxRequestBytes: 1_000,
  maxResponseBytes: 4_096,
  plan: () => ({ word: 'oak' }),
  solve: async () => ({ word: 'oak' }),
  score: async () => ({ reason: 'ok', value: 1, sigma: 0 }),
}
const spec: SubnetSpec = {
  name: 'echo',
  version: 1,
  model: { name: 'none', hash: '0x' as Hex },
  roundsPerEpoch: 1,
  tasks: { echo },
  pick: () => 'echo',
  reward: (average) => average,
  halfLifeRounds: 8,
}

type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  signed: Record<string, string>,
  body: Uint8Array,
) => void

let server: Server
let dendrite: Dendrite
let handler: Handler
const sockets = new Set<Socket>()
const answer = new TextEncoder().encode('{"word":"oak"}')

beforeEach(async () => {
  server = createServer((request, response) => {
    const head = verifyHead({
      rawHeaders: request.rawHeaders,
      method: request.method ?? '',
      path: request.url ?? '',
      context: { now: systemClock.now(), receiver: miner.address, netuid },
    })
    if (!head.ok) throw new Error(`the dendrite sent what a miner refuses: ${head.code}`)
    const signed = signResponse({
      signer: miner,
      requestHash: sha256(requestBytes(head.envelope)),
      status: 200,
      body: answer,
      receiver: validator.address,
    })
    handler(request, response, signed, answer)
  })
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  dendrite = openDendrite({ spec, hotkey: validator, netuid, clock: systemClock, randomBytes, maxInFlight: 2 })
})

afterEach(async () => {
  await dendrite.close()
  for (const socket of sockets) socket.destroy()
  server.close()
})

const ask = (port = (server.address() as AddressInfo).port, signal = new AbortController().signal): Promise<Answer> => {
  const axon = { ip: '127.0.0.1', port, version: 1, protocol: 4 }
  const identity = { hotkey: miner.address, uid: 3 as Uid, registeredAt: 1 as Block }
  return dendrite.ask({ ...identity, axon, task: 'echo', seed: '0x00', request: { word: 'oak' } }, signal)
}

describe('dendrite', () => {
  test('hands over an answer that its miner signed', async () => {
    handler = (_, response, signed) => response.writeHead(200, signed).end(answer)
    expect(await ask()).toMatchObject({ kind: 'answered', response: { word: 'oak' } })
  })

  test.each<[string, string, Handler]>([
    ['unsigned', 'answers without a signature', (_, response) => response.writeHead(200).end(answer)],
    [
      'unsigned',
      'signs another answer',
      (_, response, signed) => response.writeHead(200, signed).end('{"word":"elm"}'),
    ],
    ['malformed', 'sends what does not fit the schema', (_, response) => sendSigned(response, '{"word":7}')],
    ['malformed', 'sends no JSON', (_, response) => sendSigned(response, 'oak')],
    ['malformed', 'sends invalid UTF-8', (_, response) => sendSigned(response, Uint8Array.of(0x22, 0xff, 0x22))],
    [
      'oversized',
      'announces a gigabyte',
      (_, response) => response.writeHead(200, { 'content-length': String(2 ** 30) }).write('{'),
    ],
    ['oversized', 'streams without end', (_, response) => flood(response)],
    [
      'refused',
      'answers with a redirect',
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    ['refused', 'fails', (_, response) => response.writeHead(500).end()],
    ['busy', 'has no room', (_, response) => response.writeHead(503).end()],
    ['timeout', 'says nothing', () => undefined],
    ['timeout', 'drips', (_, response) => drip(response)],
    ['unreachable', 'hangs up', (request) => request.socket.destroy()],
    ['malformed', 'speaks no HTTP', (request) => request.socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
    ['oversized', 'sends endless headers', (request) => floodHeaders(request.socket)],
  ])('gives the verdict %s when a miner %s', async (reason, _, behave) => {
    handler = behave
    expect(await ask()).toMatchObject({ kind: 'fault', reason })
  })

  test('gives the verdict unreachable when nobody listens', async () => {
    handler = () => undefined
    expect(await ask(1)).toMatchObject({ kind: 'fault', reason: 'unreachable' })
  })

  test('lets the others be answered when one miner hangs', async () => {
    let hung = 0
    handler = (_, response, signed) => {
      hung += 1
      if (hung > 1) response.writeHead(200, signed).end(answer)
    }
    const answers = await Promise.all([ask(), ask(), ask(), ask()])
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['answered', 'answered', 'answered', 'fault'])
  })

  test('leaves the line when the signal aborts', async () => {
    handler = () => undefined
    const stop = new AbortController()
    const asking = Array.from({ length: 4 }, () => ask(undefined, stop.signal).catch((error: unknown) => error))
    stop.abort(new Error('stop'))
    for (const outcome of await Promise.all(asking)) expect(outcome).toMatchObject({ message: 'stop' })
  })
})

function sendSigned(response: ServerResponse, text: string | Uint8Array): void {
  const body = typeof text === 'string' ? new TextEncoder().encode(text) : text
  const rawHeaders = response.req.rawHeaders
  const head = verifyHead({
    rawHeaders,
    method: 'POST',
    path: response.req.url ?? '',
    context: { now: systemClock.now(), receiver: miner.address, netuid },
  })
  if (!head.ok) throw new Error(head.code)
  const requestHash = sha256(requestBytes(head.envelope))
  response
    .writeHead(200, signResponse({ signer: miner, requestHash, status: 200, body, receiver: validator.address }))
    .end(body)
}

function flood(response: ServerResponse): void {
  response.writeHead(200)
  const chunk = new Uint8Array(65_536)
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}

function drip(response: ServerResponse): void {
  response.writeHead(200)
  const stop = new AbortController()
  response.on('close', () => stop.abort())
  void (async () => {
    for (;;) {
      response.write(' ')
      await systemClock.sleep(50 as Ms, stop.signal)
    }
  })().catch(() => undefined)
}

function floodHeaders(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\n')
  for (let i = 0; i < 2_000 && socket.writable; i += 1) socket.write(`x-${i}: ${'y'.repeat(100)}\r\n`)
}
