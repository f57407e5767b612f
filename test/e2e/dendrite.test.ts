import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { systemClock } from '@arbor/shared/clock'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { refusalBody } from '@arbor/shared/protocol/refusal'
import type { Session } from '@arbor/shared/protocol/session'
import type { Signer } from '@arbor/shared/signer'
import { type Block, type Hex, type Ms, netUid, type Uid, type UnixMs } from '@arbor/shared/units'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Answer } from '../../validator/src/dendrite/answer.ts'
import { ASK_LIMITS } from '../../validator/src/dendrite/ask.ts'
import { createConnections } from '../../validator/src/dendrite/connections.ts'
import { createSend } from '../../validator/src/dendrite/http.ts'
import { createLagMeter } from '../../validator/src/dendrite/lag.ts'
import { type Dendrite, type DendriteDeps, openDendrite } from '../../validator/src/dendrite/open.ts'
import { type Answering, type Asked, openAnswering } from './support/answering.ts'
import spec from './support/echo-spec.ts'

const validator = keypairFromUri('//Alice')
const miner = keypairFromUri('//Bob')
const netuid = netUid(1)
const genesisHash = `0x${'ab'.repeat(32)}` as Hex
const specifier = fileURLToPath(new URL('./support/echo-spec.ts', import.meta.url))
const minerSince = 7 as Block
const never = new AbortController().signal
const text = (answer: Answer): string =>
  answer.kind === 'answered' ? Buffer.from(answer.body).toString() : answer.kind

type Behave = (asked: Asked) => unknown
const honest: Behave = ({ sign, response }) => reply(response, sign('{"word":"oak"}'))
const reply = (response: ServerResponse, { headers, body }: ReturnType<Asked['sign']>, status = 200): void =>
  void response.writeHead(status, headers).end(body)

let server: Server
let answering: Answering
let behave: Behave
/** Answers before the protocol is looked at; false leaves the request to it. */
let before: (incoming: IncomingMessage, response: ServerResponse) => boolean
let failures: string[]
let logged: Record<string, unknown>[]
const open: Dendrite[] = []
const sockets = new Set<Socket>()

const dendriteOf = (over: Partial<DendriteDeps> = {}): Dendrite => {
  const write = (line: string): void => void logged.push(JSON.parse(line))
  const dendrite = openDendrite({
    spec,
    specifier,
    signer: validator,
    netuid,
    genesisHash,
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'debug', destination: { write } }),
    limits: { ...ASK_LIMITS, inFlight: 8 },
    isSealed: true,
    proof: 'mac',
    privateAllowed: true,
    speaksBittensor: false,
    sessionMs: 3_600_000 as Ms,
    ...over,
  })
  dendrite.registered(5 as Block)
  open.push(dendrite)
  return dendrite
}

beforeEach(async () => {
  answering = await openAnswering({ hotkey: miner, genesisHash, netuid, registeredAt: minerSince })
  behave = honest
  before = () => false
  failures = []
  logged = []
  server = createServer((incoming, response) => {
    if (before(incoming, response)) return
    answering
      .take(incoming, response, (asked) => behave(asked))
      .catch((error: Error) => {
        failures.push(error.message)
        response.destroy()
      })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(async () => {
  await Promise.all(open.splice(0).map((dendrite) => dendrite.close()))
  for (const socket of sockets) socket.destroy()
  server.close()
  expect(failures).toEqual([])
})

const portOf = (of: Server = server): number => (of.address() as AddressInfo).port
const ask = (
  dendrite: Dendrite,
  over: { readonly ip?: string; readonly port?: number; readonly signal?: AbortSignal } = {},
  onChunk?: (chunk: Uint8Array) => void,
): Promise<Answer> => {
  const { ip = '127.0.0.1', port = portOf(), signal = never } = over
  const axon = { ip, port, version: 2, protocol: 4 }
  const identity = { hotkey: miner.address, uid: 3 as Uid, registeredAt: minerSince }
  return dendrite.ask({ ...identity, axon, task: 'echo', seed: '0x00', request: { word: 'oak' } }, signal, onChunk)
}

describe('dendrite', () => {
  test.each<[string, Partial<DendriteDeps>, Partial<Asked>]>([
    ['sealed and with a MAC', {}, { isSealed: true, proof: 'mac' }],
    ['open, with a MAC', { isSealed: false }, { isSealed: false, proof: 'mac' }],
    ['sealed and signed', { proof: 'signature' }, { isSealed: true, proof: 'signature' }],
    ['open and signed', { isSealed: false, proof: 'signature' }, { isSealed: false, proof: 'signature' }],
  ])('asks %s, and hands over what its miner signed', async (_, over, expected) => {
    const seen: Asked[] = []
    behave = (asked) => {
      seen.push(asked)
      honest(asked)
    }
    const answer = await ask(dendriteOf(over))
    expect(text(answer)).toBe('{"word":"oak"}')
    expect(seen[0]).toMatchObject({ ...expected, request: { word: 'oak' }, counter: 1, accept: 'whole' })
    expect(answer).toMatchObject({ signed: true, timing: { deadlineMs: 1_000 } })
  })

  test('sends its certificate once, and counts each request to a miner up', async () => {
    const seen: [number, boolean][] = []
    behave = (asked) => {
      seen.push([asked.counter, asked.hasCertificate])
      honest(asked)
    }
    const dendrite = dendriteOf()
    for (let turn = 0; turn < 3; turn += 1) expect((await ask(dendrite)).kind).toBe('answered')
    expect(seen).toEqual([
      [1, true],
      [2, false],
      [3, false],
    ])
  })

  test('uses one connection for questions that follow each other', async () => {
    const dendrite = dendriteOf()
    const ports = new Set<number | undefined>()
    behave = (asked) => {
      ports.add(asked.incoming.socket.remotePort)
      honest(asked)
    }
    const first = await ask(dendrite)
    const second = await ask(dendrite)
    expect(ports.size).toBe(1)
    expect(second).toMatchObject({ timing: { connectMs: 0 } })
    expect(first.kind).toBe('answered')
  })

  test('asks over IPv6', async () => {
    const six = createServer((incoming, response) => void answering.take(incoming, response, honest))
    six.listen(0, '::1')
    await once(six, 'listening')
    expect((await ask(dendriteOf(), { ip: '::1', port: portOf(six) })).kind).toBe('answered')
    six.closeAllConnections()
    six.close()
  })
})

/** How a miner fails, and the word for it. */
const faults: [string, string, Behave][] = [
  ['unsigned', 'answers without a signature', ({ response }) => response.writeHead(200).end('{"word":"oak"}')],
  ['unsigned', 'fails', ({ response }) => response.writeHead(500).end('oops')],
  [
    'forged',
    'signs another answer',
    ({ sign, response }) => response.writeHead(200, sign('{"word":"oak"}').headers).end('{"word":"elm"}'),
  ],
  [
    'forged',
    'signs another status',
    ({ sign, response }) => reply(response, sign('{"word":"oak"}', { status: 418 }), 200),
  ],
  [
    'forged',
    'sends a broken envelope',
    ({ response }) => response.writeHead(200, { 'arbor-envelope': 'a.b' }).end('{}'),
  ],
  [
    'forged',
    'signs with a session that is nobody’s',
    async ({ sign, response }) => {
      const session = await answering.open({ signer: keypairFromUri('//Mallory') })
      reply(response, sign('{"word":"oak"}', { session }))
    },
  ],
  [
    'wrong-request',
    'answers another request',
    ({ sign, response }) => reply(response, sign('{"word":"oak"}', { requestHash: new Uint8Array(32) })),
  ],
  [
    'unsealed',
    'answers a sealed question openly',
    ({ sign, response }) => reply(response, sign('{"word":"oak"}', { unsealed: true })),
  ],
  [
    'content-type',
    'answers with a page',
    ({ sign, response }) => reply(response, sign('<p>', { unsealed: true, contentType: 'text/html' })),
  ],
  ['malformed', 'sends no JSON', ({ sign, response }) => reply(response, sign('oak'))],
  ['malformed', 'sends invalid UTF-8', ({ sign, response }) => reply(response, sign(Uint8Array.of(0x22, 0xff, 0x22)))],
  ['schema', 'sends what does not fit the schema', ({ sign, response }) => reply(response, sign('{"word":7}'))],
  [
    'oversized',
    'announces a gigabyte',
    ({ response }) => response.writeHead(200, { 'content-length': String(2 ** 30) }).write('{'),
  ],
  ['oversized', 'pours without end', ({ response }) => pour(response)],
  ['oversized', 'sends endless headers', ({ incoming }) => floodHeaders(incoming.socket)],
  [
    'compressed',
    'sends a compressed bomb',
    ({ response }) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(2 ** 24))),
  ],
  [
    'redirect',
    'sends the caller elsewhere',
    ({ response }) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  ],
  ['timeout', 'says nothing', () => undefined],
  ['timeout', 'sends nothing but news that an answer will come', ({ response }) => response.writeProcessing()],
  [
    'oversized',
    'sends news without end',
    ({ response }) => {
      for (let sent = 0; sent < 1_000; sent += 1) response.writeProcessing()
    },
  ],
  ['trickle', 'drips', ({ response }) => drip(response)],
  ['early-close', 'hangs up', ({ incoming }) => incoming.socket.destroy()],
  [
    'early-close',
    'hangs up in the middle',
    ({ response, incoming }) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"word":')
      setTimeout(() => incoming.socket.destroy(), 20)
    },
  ],
  ['no-http', 'speaks no HTTP', ({ incoming }) => incoming.socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
  [
    'busy',
    'has no room',
    ({ sign, response }) => reply(response, sign(refusalBody('MINER_BUSY'), { status: 503 }), 503),
  ],
  [
    'rate',
    'finds us too many',
    ({ sign, response }) => reply(response, sign(refusalBody('MINER_RATE'), { status: 429 }), 429),
  ],
  [
    'refused',
    'does not want us',
    ({ sign, response }) => reply(response, sign(refusalBody('MINER_DENIED'), { status: 403 }), 403),
  ],
  ['refused', 'fails and says so', ({ sign, response }) => reply(response, sign('{}', { status: 500 }), 500)],
  ['rejected', 'refuses unsigned', ({ response }) => response.writeHead(503).end(refusalBody('MINER_BUSY'))],
  [
    'rejected',
    'forgets our session again and again',
    ({ response }) => response.writeHead(401).end(refusalBody('WIRE_SESSION')),
  ],
  [
    'rejected',
    'has another session again and again',
    ({ response }) => response.writeHead(409).end(refusalBody('WIRE_KEYS')),
  ],
  [
    'rejected',
    'finds every session old',
    ({ response }) => response.writeHead(401).end(refusalBody('WIRE_SESSION_OLD')),
  ],
]

describe('verdict', () => {
  test.each(faults)('is %s when a miner %s', async (reason, _, behaviour) => {
    behave = behaviour
    const answer = await ask(dendriteOf())
    expect(answer).toMatchObject({ kind: 'fault', reason })
  })

  test('is connect-refused when nobody listens, and unreachable once that has been so often', async () => {
    const dendrite = dendriteOf()
    const words: unknown[] = []
    for (let turn = 0; turn < 5; turn += 1) words.push(await ask(dendrite, { port: 1 }))
    expect(words.map((word) => (word as { reason: string }).reason)).toEqual([
      'connect-refused',
      'connect-refused',
      'connect-refused',
      'unreachable',
      'unreachable',
    ])
    expect((await ask(dendrite)).kind).toBe('answered') // its new address accepts connections
  })

  test('is connect-timeout when the address swallows what is sent to it', async () => {
    const dendrite = dendriteOf({ limits: { ...ASK_LIMITS, inFlight: 8, connectMs: 150 } })
    // a thread that listens and never accepts: the kernel takes two connections for it and drops the others
    const deaf = new Worker(
      `const { parentPort } = require('node:worker_threads')
       const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
         parentPort.postMessage(server.address().port)
         setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
       })`,
      { eval: true },
    )
    const [port] = (await once(deaf, 'message')) as [number]
    await systemClock.sleep(50 as Ms, never)
    const fill = [1, 2, 3, 4].map(() => connect({ host: '127.0.0.1', port }).on('error', () => undefined))
    await systemClock.sleep(50 as Ms, never)
    expect(await ask(dendrite, { port })).toMatchObject({ kind: 'fault', reason: 'connect-timeout' })
    for (const socket of fill) socket.destroy()
    await deaf.terminate()
  })

  test.each<[string, () => Promise<Session | undefined>, ((response: ServerResponse) => unknown) | null]>([
    ['certificate-missing', async () => undefined, (response: ServerResponse) => response.writeHead(404).end()],
    ['certificate-malformed', async () => undefined, (response: ServerResponse) => response.writeHead(200).end('x.y')],
    ['certificate-stolen', () => answering.open({ signer: keypairFromUri('//Mallory') }), null],
    ['certificate-wrong', () => answering.open({ netuid: netUid(2) }), null],
    ['certificate-wrong', () => answering.open({ signer: forger }), null],
    [
      'certificate-expired',
      () => answering.open({ issuedAt: (systemClock.now() - 9_000) as UnixMs, lifetimeMs: 5_000 as Ms }),
      null,
    ],
    ['certificate-expired', () => answering.open({ issuedAt: (systemClock.now() + 60_000) as UnixMs }), null],
  ])('is %s when the certificate is so', async (reason, session, answer) => {
    answering.session = (await session()) ?? answering.session
    if (answer !== null) {
      before = (_, response) => {
        answer(response)
        return true
      }
    }
    expect(await ask(dendriteOf())).toMatchObject({ kind: 'fault', reason })
  })

  test.each<[string, Behave]>([
    [
      'a signed refusal',
      ({ sign, response }) => {
        const answeredAt = (systemClock.now() + 3_600_000) as UnixMs
        reply(response, sign(refusalBody('WIRE_EXPIRED'), { status: 401, answeredAt }), 401)
      },
    ],
    [
      'the Date of an unsigned one',
      ({ response }) => {
        const date = new Date(systemClock.now() + 3_600_000).toUTCString()
        response.writeHead(401, { date }).end(refusalBody('WIRE_SESSION_EXPIRED'))
      },
    ],
  ])('is clock when times do not fit, and the log says how far the miner is off by %s', async (_, behaviour) => {
    behave = behaviour
    expect(await ask(dendriteOf())).toMatchObject({ kind: 'fault', reason: 'clock' })
    expect(logged.filter(({ event }) => event === 'ask.clock')[0]?.['msg']).toMatch(/it is 3(600|599) s ahead/)
  })

  test('is address, and nobody is dialled, when the address is none of the public internet', async () => {
    const dendrite = dendriteOf({ privateAllowed: false })
    let connections = 0
    server.on('connection', () => {
      connections += 1
    })
    for (const ip of ['127.0.0.1', '::ffff:127.0.0.1', '10.0.0.1', '169.254.169.254', '::1'])
      expect(await ask(dendrite, { ip })).toMatchObject({ kind: 'fault', reason: 'address' })
    expect(connections).toBe(0)
  })
})

/** Bob's public key with another's signature. */
const forger: Signer = {
  address: miner.address,
  publicKey: miner.publicKey,
  sign: (m) => keypairFromUri('//Mallory').sign(m),
}

describe('a miner that restarted', () => {
  test('gets our certificate again when it does not know the session', async () => {
    const dendrite = dendriteOf()
    await ask(dendrite)
    answering.askers.clear()
    expect((await ask(dendrite)).kind).toBe('answered')
  })

  test('gets a new session when it takes the old one for one of before', async () => {
    const dendrite = dendriteOf()
    await ask(dendrite)
    const [before] = [...answering.askers.values()]
    answering.askers.clear()
    answering.floor = before?.issuedAt ?? 0
    expect((await ask(dendrite)).kind).toBe('answered')
    expect([...answering.askers.values()][0]?.issuedAt).toBeGreaterThan(before?.issuedAt ?? 0)
  })

  test('gains no time by refusing what a second question mends: the first one counts too', async () => {
    const dendrite = dendriteOf()
    const restMs = 150
    await ask(dendrite)
    behave = async ({ response }) => {
      behave = honest
      await systemClock.sleep(restMs as Ms, new AbortController().signal)
      reply(response, { headers: {}, body: refusalBody('WIRE_KEYS') }, 409)
    }
    const answer = await ask(dendrite)
    if (answer.kind !== 'answered') throw new Error(answer.why)
    expect(answer.timing.totalMs).toBeGreaterThan(restMs - 10)
  })

  test('is asked with its new session', async () => {
    const dendrite = dendriteOf()
    await ask(dendrite)
    answering.session = await answering.open()
    expect((await ask(dendrite)).kind).toBe('answered')
  })

  test('is asked for all of that at once', async () => {
    const dendrite = dendriteOf()
    await ask(dendrite)
    const [before] = [...answering.askers.values()]
    answering.askers.clear()
    answering.floor = before?.issuedAt ?? 0
    answering.session = await answering.open()
    expect((await ask(dendrite)).kind).toBe('answered')
  })

  test('is believed when it renewed its session while it worked', async () => {
    const dendrite = dendriteOf()
    await ask(dendrite)
    behave = async ({ sign, response }) => {
      answering.session = await answering.open()
      reply(response, sign('{"word":"elm"}', { session: answering.session }))
    }
    expect(text(await ask(dendrite))).toBe('{"word":"elm"}')
  })

  test('loses no answer to a connection that it closed meanwhile', async () => {
    const dendrite = dendriteOf()
    await ask(dendrite)
    let hung = 0
    server.on('connection', () => undefined)
    behave = (asked) => {
      hung += 1
      if (hung === 1) asked.incoming.socket.destroy()
      else honest(asked)
    }
    expect((await ask(dendrite)).kind).toBe('answered')
    expect(hung).toBe(2)
  })
})

describe('stream', () => {
  const frames =
    (write: (writer: ReturnType<Asked['stream']>) => Iterable<Uint8Array>): Behave =>
    ({ stream, response }) => {
      response.writeHead(200, { 'content-type': 'application/arbor-stream' })
      for (const frame of write(stream())) response.write(frame)
      response.end()
    }
  const word = (of: string): Uint8Array => Buffer.from(of)
  const end = { status: 200, code: '', answeredAt: systemClock.now() }
  const whole = function* (writer: ReturnType<Asked['stream']>) {
    yield writer.chunk(word('o'))
    yield writer.chunk(word('ak'))
    yield writer.chunk(word(''))
    yield writer.chunk(word('{"word":'))
    yield writer.chunk(word('"oak"}'))
    yield writer.end(end)
  }
  const collect = async (behaviour: Behave, over: Partial<DendriteDeps> = {}): Promise<[string[], Answer]> => {
    behave = behaviour
    const heard: string[] = []
    const answer = await ask(dendriteOf(over), {}, (chunk) => void heard.push(Buffer.from(chunk).toString()))
    return [heard, answer]
  }

  test.each([
    true,
    false,
  ])('is handed on as it comes, and ends in a whole answer, when sealed is %s', async (isSealed) => {
    const [heard, answer] = await collect(frames(whole), { isSealed })
    expect(heard).toEqual(['o', 'ak'])
    expect(text(answer)).toBe('{"word":"oak"}')
  })

  test('may be declined: a whole answer is one as well', async () => {
    const [heard, answer] = await collect(honest)
    expect([heard, text(answer)]).toEqual([[], '{"word":"oak"}'])
  })

  test.each<[string, string, Behave]>([
    ['stream-cut', 'has no end', frames((writer) => [writer.chunk(word('o'))])],
    [
      'stream-trailing',
      'goes on after its end',
      frames(function* (writer) {
        yield* whole(writer)
        yield Uint8Array.of(1, 0, 0, 0, 0)
      }),
    ],
    ['malformed', 'has frames of no kind', frames(() => [Uint8Array.of(9, 0, 0, 0, 0)])],
    ['malformed', 'has no response', frames((writer) => [writer.chunk(word('o')), writer.end(end)])],
    [
      'forged',
      'lost a chunk',
      frames((writer) => {
        const [first, , ...rest] = [...whole(writer)]
        return first === undefined ? rest : [first, ...rest.slice(-1)]
      }),
    ],
    [
      'wrong-request',
      'ends another request',
      ({ stream, response }) => {
        const other = stream({ requestHash: new Uint8Array(32) })
        response.writeHead(200, { 'content-type': 'application/arbor-stream' })
        for (const frame of whole(other)) response.write(frame)
        response.end()
      },
    ],
    [
      'oversized',
      'never ends',
      frames(function* (writer) {
        for (let turn = 0; turn < 10; turn += 1) yield writer.chunk(Buffer.alloc(1_000, 'a'))
      }),
    ],
    [
      'refused',
      'ends in a refusal',
      frames((writer) => [writer.chunk(word('o')), writer.end({ ...end, status: 500, code: 'MINER_FAILED' })]),
    ],
    [
      'early-close',
      'is torn off',
      ({ stream, response, incoming }) => {
        response.writeHead(200, { 'content-type': 'application/arbor-stream' })
        response.write(stream().chunk(word('o')))
        setTimeout(() => incoming.socket.destroy(), 20)
      },
    ],
  ])('has the verdict %s when it %s', async (reason, _, behaviour) => {
    const [, answer] = await collect(behaviour)
    expect(answer).toMatchObject({ kind: 'fault', reason })
  })
})

describe('bounds', () => {
  test('let the others be answered when one miner hangs', async () => {
    let hung = 0
    behave = (asked) => {
      hung += 1
      if (hung > 1) honest(asked)
    }
    const dendrite = dendriteOf()
    const answers = await Promise.all([ask(dendrite), ask(dendrite), ask(dendrite), ask(dendrite)])
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['answered', 'answered', 'answered', 'fault'])
  })

  test('give no verdict to a miner whose question waited in our line for too long', async () => {
    behave = () => undefined
    const dendrite = dendriteOf({ limits: { ...ASK_LIMITS, inFlight: 1, withinMs: 4_100 } })
    const answers = await Promise.all([ask(dendrite), ask(dendrite)])
    expect(answers[0]).toMatchObject({ kind: 'fault', reason: 'timeout' })
    expect(answers[1]).toMatchObject({ kind: 'ours', reason: 'line-wait' })
  })

  test('let go at once when the signal aborts', async () => {
    behave = () => undefined
    const dendrite = dendriteOf({ limits: { ...ASK_LIMITS, inFlight: 2 } })
    const stop = new AbortController()
    const asking = Array.from({ length: 4 }, () =>
      ask(dendrite, { signal: stop.signal }).catch((error: unknown) => error),
    )
    stop.abort(new Error('stop'))
    for (const outcome of await Promise.all(asking)) expect(outcome).toMatchObject({ message: 'stop' })
  })

  test('give no verdict when the hotkey’s holder does not sign', async () => {
    const signer: Signer = { ...validator, sign: () => Promise.reject(new Error('locked')) }
    expect(await ask(dendriteOf({ signer }))).toMatchObject({ kind: 'ours', reason: 'session' })
  })
})

describe('a thread that dies', () => {
  test('costs what is in flight, without a verdict, and ends the validator when it happens again and again', async () => {
    const dendrite = dendriteOf({ specifier: '/nowhere/spec.ts' })
    expect(await ask(dendrite)).toMatchObject({ kind: 'ours', reason: 'thread' })
    const outcomes: string[] = []
    while (outcomes.at(-1) !== 'DENDRITE_DEAD' && outcomes.length < 20)
      outcomes.push(
        await ask(dendrite).then(
          ({ kind }) => kind,
          (error: { code: string }) => error.code,
        ),
      )
    expect([...new Set(outcomes)]).toEqual(['ours', 'DENDRITE_DEAD'])
    expect(logged.filter(({ event }) => event === 'dendrite.crashed')).toHaveLength(6)
  })
})

test('latency is free of the main loop: it does not grow while that is blocked for 300 ms', async () => {
  // The miner answers from a process of its own, since this one's loop is what is blocked.
  const { fork } = await import('node:child_process')
  const child = fork(fileURLToPath(new URL('./support/answering-child.ts', import.meta.url)), [], {
    serialization: 'advanced',
    execArgv: [],
  })
  try {
    const [port] = (await once(child, 'message')) as [number]
    const dendrite = dendriteOf()
    await ask(dendrite, { port })
    const asking = [ask(dendrite, { port }), ask(dendrite, { port })]
    await systemClock.sleep(40 as Ms, never) // the questions are out; the answers come 100 ms after they were read
    const from = performance.now()
    while (performance.now() - from < 300);
    for (const answer of await Promise.all(asking)) {
      if (answer.kind !== 'answered') throw new Error(`no answer: ${JSON.stringify(answer)}`)
      const { totalMs, firstByteMs, lagged, lagMs } = answer.timing
      // a machine that starves the thread itself says so; then the timing is marked, and worth nothing here
      if (!lagged) expect(totalMs).toBeLessThan(250)
      expect(totalMs).toBeGreaterThan(95)
      expect(firstByteMs).toBeLessThanOrEqual(totalMs)
      expect(lagMs).toBeLessThan(300)
    }
  } finally {
    child.kill('SIGKILL')
  }
})

test('an answer that came in time is taken though the loop that asked was late, and is marked', async () => {
  const slow = new Worker(
    `const { parentPort } = require('node:worker_threads')
     const server = require('node:http').createServer((_, response) => void setTimeout(() => response.end('ok'), 100))
     server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`,
    { eval: true },
  )
  const [port] = (await once(slow, 'message')) as [number]
  const connections = createConnections({ maxIdle: 1, connectMs: 1_000, clock: systemClock })
  const send = createSend({ connections, clock: systemClock, lag: createLagMeter({ clock: systemClock }) })
  const asking = send(
    {
      address: { ip: '127.0.0.1', port },
      method: 'GET',
      path: '/',
      headers: {},
      body: null,
      timeoutMs: 900,
      maxBytes: 9,
    },
    never,
  )
  await systemClock.sleep(40 as Ms, never)
  await new Promise((resolve) => setImmediate(resolve)) // after which timers come first
  const from = performance.now()
  while (performance.now() - from < 1_200); // the answer comes, and then its time is up
  const reply = await asking
  expect(reply).toMatchObject({ ok: true, status: 200 })
  expect(reply.timing?.lagMs).toBeGreaterThan(1_000)
  await connections.close()
  await slow.terminate()
})

function pour(response: ServerResponse): void {
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
