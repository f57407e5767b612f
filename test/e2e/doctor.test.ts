import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { systemClock } from '@arbor/shared/clock'
import { fromHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { openSession } from '@arbor/shared/protocol/session'
import { type Block, type Ms, netUid, type UnixMs } from '@arbor/shared/units'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Dialled, dialMiner } from '../../cli/src/doctor/dial.ts'
import { askOutside } from '../../cli/src/doctor/outside.ts'
import { type Relay, startRelay } from '../../validator/src/relay/relay.ts'
import { must, type Net, netuid, startNet } from './support/net.ts'
import type { Running } from './support/process.ts'
import { arbor } from './support/real-chain.ts'

const bob = keypairFromUri('//Bob')
const genesisHash = new Uint8Array(32).fill(7)
const registeredAt = 12 as Block
const wanted = { kind: 'miner' as const, hotkey: bob.address, netuid: netUid(1), genesisHash, registeredAt }
const stop = new AbortController()
const { signal } = stop
const log = createLogger({ name: 'relay', level: 'error', destination: process.stderr })

const servers: Server[] = []
const children: ChildProcess[] = []
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const server of servers.splice(0)) server.close()
})
afterAll(() => stop.abort())

const listen = async (server: Server, ip = '127.0.0.71'): Promise<{ ip: string; port: number }> => {
  servers.push(server)
  server.listen(0, ip)
  await once(server, 'listening')
  const address = server.address()
  return { ip, port: typeof address === 'object' ? (address?.port ?? 0) : 0 }
}
const http = (answer: RequestListener) => listen(createHttp(answer))
const dial = (at: { ip: string; port: number }, timeoutMs = 4_000): Promise<Dialled> =>
  dialMiner(at, { wanted, clock: systemClock, signal, timeoutMs: timeoutMs as Ms })
const session = (of: Partial<Parameters<typeof openSession>[0]> = {}) =>
  openSession({
    signer: bob,
    purpose: 'serve',
    genesisHash,
    netuid: netUid(1),
    registeredAt,
    audience: null,
    issuedAt: systemClock.now(),
    randomBytes,
    ...of,
  })
const serving = async (of: Parameters<typeof session>[0] = {}) => {
  const { certificate } = await session(of)
  return http((_, response) => response.end(certificate.text))
}

describe('what doctor net meets at an address', () => {
  test("hotkey's own miner", async () => {
    expect(await dial(await serving())).toMatchObject({ met: 'right' })
  })

  test.each([
    ['of another hotkey', { signer: keypairFromUri('//Eve') }, /it is 5HGj/],
    ['of an older registration', { registeredAt: 3 as Block }, /block 3, the chain's of 12/],
    ['of another subnet', { netuid: netUid(2) }, /serves subnet 2/],
    ['of another chain', { genesisHash: new Uint8Array(32) }, /another chain/],
    ['of one who asks', { purpose: 'ask' as const }, /asks/],
    ['that has ended', { issuedAt: 1_700_000_000_000 as UnixMs }, /out of date/],
    ['that the hotkey never signed', { signer: { ...bob, sign: () => new Uint8Array(64) } }, /signature/],
  ])('certificate %s', async (_, of, detail) => {
    expect(await dial(await serving(of))).toMatchObject({
      met: 'other-hotkey',
      detail: expect.stringMatching(detail),
    })
  })

  test('process of Arbor that does not know the hotkey', async () => {
    const at = await http((_, response) => response.writeHead(404).end('{"code":"MINER_NO_TASK"}'.padEnd(64)))
    expect(await dial(at)).toMatchObject({ met: 'other-hotkey', detail: 'it answers MINER_NO_TASK' })
  })

  test.each([
    ['with a page', 200, 'hello'],
    ['without one', 404, 'Not Found'],
    ['without end', 200, 'x'.repeat(10_000_000)],
  ])("somebody else's web server %s", async (_, status, body) => {
    expect(await dial(await http((_request, response) => response.writeHead(status).end(body)))).toMatchObject({
      met: 'stranger',
    })
  })

  test('program that speaks no HTTP, one that hangs up, and one that says nothing', async () => {
    const talks = await listen(createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-x\r\n')))
    const hangsUp = await listen(createServer((socket) => socket.destroy()))
    const open: Socket[] = []
    const says = await listen(createServer((socket) => open.push(socket.on('error', () => {}))))
    expect(await dial(talks)).toMatchObject({ met: 'silent' })
    expect(await dial(hangsUp)).toMatchObject({ met: 'silent' })
    expect(await dial(says, 200)).toMatchObject({ met: 'silent', detail: 'connected, and no answer came' })
    for (const socket of open) socket.destroy()
  })

  test('port on which nothing listens', async () => {
    const at = await http((_, response) => response.end())
    servers.pop()?.close()
    expect(await dial(at)).toMatchObject({ met: 'refused', detail: 'ECONNREFUSED' })
  })

  test('port whose packets are dropped, as a firewall does', async () => {
    // A stopped listener whose queue is full: the kernel drops what else would connect.
    const code = `require('net').createServer().listen({port:0,host:'127.0.0.72',backlog:1},function(){console.log(this.address().port)})`
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    const [line] = await once(child.stdout, 'data')
    const port = Number(String(line))
    child.kill('SIGSTOP')
    const waiting: Socket[] = []
    for (let i = 0; i < 8; i += 1) waiting.push(connect({ host: '127.0.0.72', port }).on('error', () => {}))
    await once(must(waiting[1]), 'connect')
    expect(await dial({ ip: '127.0.0.72', port }, 500)).toMatchObject({
      met: 'dropped',
      detail: 'no answer to the attempt to connect',
    })
    for (const socket of waiting) socket.destroy()
  })

  test('command is stopped at once', async () => {
    const gone = new AbortController()
    const at = await listen(createServer((socket) => socket.on('error', () => {})))
    const dialling = dialMiner(at, { wanted, clock: systemClock, signal: gone.signal })
    const reason = new Error('stopped')
    gone.abort(reason)
    await expect(dialling).rejects.toBe(reason)
  })
})

describe('dialling back, by a relay', () => {
  let relay: Relay
  const from = () => new URL(`http://127.0.0.1:${relay.port}`)
  beforeAll(async () => {
    relay = await startRelay({
      place: { host: '127.0.0.1', port: 0 },
      names: [],
      isOpen: true,
      probes: true,
      genesisHash,
      netuid: netUid(1),
      self: new Uint8Array(32),
      registrations: { block: 20 as Block, registeredAt: new Map([[bob.address, registeredAt]]) },
      randomBytes,
      clock: systemClock,
      log,
    })
  })
  afterAll(() => relay.close())
  const ask = async (of: {
    port: number
    source?: string | null
    from?: URL
    session?: Parameters<typeof session>[0]
  }) =>
    askOutside({
      from: of.from ?? from(),
      port: of.port,
      source: of.source ?? null,
      session: await session(of.session),
      clock: systemClock,
      signal,
    })

  test('reaches the miner at the address that the question comes from', async () => {
    const { ip, port } = await serving()
    expect(await ask({ port, source: ip })).toMatchObject({
      seen: { address: ip, port, connected: true, certificate: 'right' },
    })
    expect(await ask({ port })).toMatchObject({ seen: { address: '127.0.0.1', connected: false, why: 'ECONNREFUSED' } })
  })

  test('source that cannot be used is left to the system', async () => {
    const { port } = await serving()
    expect(await ask({ port, source: '203.0.113.9' })).toMatchObject({ seen: { address: '127.0.0.1' } })
  })

  test('says why it could not be tried', async () => {
    const eve = { signer: keypairFromUri('//Eve') }
    expect(await ask({ port: 8091, session: eve })).toMatchObject({
      seen: null,
      why: expect.stringContaining('registered'),
    })
    const web = await http((_, response) => response.writeHead(404).end('no'))
    expect(await ask({ port: 8091, from: new URL(`http://127.0.0.71:${web.port}`) })).toMatchObject({
      seen: null,
      why: 'it offers no probe (status 404)',
    })
    expect(await ask({ port: 8091, from: new URL('http://127.0.0.71:1') })).toMatchObject({
      seen: null,
      why: expect.stringContaining('ECONNREFUSED'),
    })
  })
})

// One story: each step needs the ones before it.
describe('arbor doctor net on a real chain', { timeout: 180_000 }, () => {
  let net: Net
  let miner: Running
  let url: URL
  beforeAll(async () => {
    net = await startNet({ honest: 2, validators: 1, address: 73, others: ['somebody'] })
    miner = net.start('miner-1', '--json')
    url = new URL(String((await miner.event('miner.ready')).url))
    await net.until((metagraph) => net.neuron(net.member('miner-1').hotkey, metagraph).axon ?? undefined)
  }, 180_000)
  afterAll(() => net?.close())

  const doctor = async (wallet: string, ...more: string[]) => {
    const words = ['doctor', 'net', '--network', net.url, '--wallets', net.wallets, '--wallet', wallet]
    const { out, err, code } = await arbor(net.folder, ...words, '--port', url.port, '--json', ...more)
    const value = JSON.parse(out) as {
      reachable: boolean
      announced: string | null
      findings: { level: string; message: string; remedies: string[] }[]
    }
    return {
      ...value,
      err,
      code,
      text: value.findings.map((one) => `${one.level} ${one.message} → ${one.remedies.join(' | ')}`).join('\n'),
    }
  }

  test('miner that serves is reachable, here and as a relay sees it', async () => {
    const { hotkey } = net.member('miner-1')
    const metagraph = await net.client.metagraph(netuid)
    const relay = await startRelay({
      place: { host: '127.0.0.1', port: 0 },
      names: [],
      isOpen: true,
      probes: true,
      genesisHash: fromHex(net.client.genesisHash),
      netuid,
      self: new Uint8Array(32),
      registrations: {
        block: metagraph.block.number,
        registeredAt: new Map(metagraph.neurons.map((each) => [each.hotkey, each.registeredAt])),
      },
      randomBytes,
      clock: systemClock,
      log,
    })
    const plain = await doctor('miner-1')
    expect(plain).toMatchObject({ code: 0, err: '', reachable: true, announced: url.host, provenFromOutside: false })
    const proven = await doctor('miner-1', '--from', `http://127.0.0.1:${relay.port}`)
    expect(proven).toMatchObject({ code: 0, err: '', reachable: true, provenFromOutside: true, hotkey })
    const socket = join(net.folder, 'signer', 's')
    const keys = ['--network', net.url, '--wallets', net.wallets, '--wallet', 'miner-1']
    const signer = net.run(['signer', ...keys, '--for', 'miner', '--socket', socket, '--json'])
    await signer.event('signer.ready')
    const words = ['--network', net.url, '--signer', socket, '--port', url.port, '--json']
    const signed = await arbor(net.folder, 'doctor', 'net', ...words, '--from', `http://127.0.0.1:${relay.port}`)
    expect(signed).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(signed.out)).toMatchObject({ provenFromOutside: true, hotkey })
    await Promise.all([signer.stop(), relay.close()])
  })

  test("another hotkey at the same place is told to be another's", async () => {
    const { code, err, text } = await doctor('somebody', '--external-ip', url.hostname)
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^NET_UNREACHABLE: /) })
    expect(text).toContain('but not the miner of this hotkey')
  })

  test('hotkey that announces nothing is told what to run', async () => {
    expect(await doctor('somebody')).toMatchObject({
      code: 1,
      announced: null,
      text: expect.stringContaining('--dial'),
    })
  })

  test('miner that has gone is unreachable, and its port free or held by a program that is named as such', async () => {
    await miner.kill9()
    const gone = await doctor('miner-1')
    expect(gone).toMatchObject({ code: 1, reachable: false, announced: url.host })
    expect(gone.text).toMatch(/nothing listens on this machine/)
    const squatter = createHttp((_, response) => response.end('mine'))
    squatter.listen(Number(url.port), url.hostname)
    await once(squatter, 'listening')
    servers.push(squatter)
    const held = await doctor('miner-1')
    expect(held.code).toBe(1)
    expect(held.text).toMatch(/another program holds port \d+ .*ss -ltnp/)
  })

  test('validator that listens is reachable, and so is the miner that dials it', async () => {
    const listener = net.start('validator-1', '--listen', '127.0.0.79:0')
    await listener.event('listener.announced')
    const dialling = ['--dial', 'validators', '--data', join(net.folder, 'dialling'), '--spec', 'inference-tiny']
    const words = ['--network', net.url, '--wallets', net.wallets, '--wallet', 'miner-2', '--json']
    const out = net.run(['miner', ...words, ...dialling])
    await out.event('miner.dialled')
    const { port } = await listener.event('listener.ready')
    const door = await doctor('validator-1', '--port', String(port))
    expect(door).toMatchObject({ code: 0, reachable: true, announced: `127.0.0.79:${port}` })
    expect(door.text).toContain('a validator that listens answers')
    const held = await doctor('miner-2')
    expect(held).toMatchObject({ code: 0, reachable: true, announced: null })
    expect(held.text).toContain('1 of 1 validators that listen hold a connection of this miner')
    await Promise.all([listener.stop(), out.stop()])
    expect(await doctor('miner-2')).toMatchObject({
      code: 1,
      text: expect.stringContaining('none of the 1 validators that listen holds a connection'),
    })
  })

  test('hotkey that is not registered is told how to be', async () => {
    await arbor(net.folder, ...['wallet', 'create', '--wallets', net.wallets, '--wallet', 'new', '--no-encrypt'])
    const words = ['doctor', 'net', '--network', net.url, '--wallets', net.wallets, '--wallet', 'new']
    expect(await arbor(net.folder, ...words)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^HOTKEY_UNREGISTERED: .*arbor register/),
    })
  })
})
