import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { adminSet, batchAll, setWeights, transferKeepAlive } from '@arbor/chain/client/calls'
import type { Call } from '@arbor/chain/client/types'
import { openSigner, type RemoteSigner } from '@arbor/chain/signer/client'
import { readToken } from '@arbor/chain/signer/place'
import { systemClock } from '@arbor/shared/clock'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { netUid, type Rao, type Uid } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Net, netuid, startNet } from './support/net.ts'
import type { Running, Said } from './support/process.ts'
import { arbor } from './support/real-chain.ts'

/** Names of the members, and where their signers listen. */
const members = ['miner-1', 'validator-1'] as const
type Name = (typeof members)[number]
let net: Net
/** A short path outside the net's folder: a socket's has at most 107 bytes. */
let place = ''
/** Home of miner and validator: it has no wallets. */
let home = ''
const signers = new Map<Name, Running>()
let miner: Running
let validator: Running

const socketOf = (name: Name): string => join(place, name, 's')
const tokenOf = (name: Name): string => `${socketOf(name)}.token`
const roleOf = (name: Name): string => name.slice(0, name.indexOf('-'))

const startSigner = async (name: Name): Promise<Running> => {
  const wallet = ['--wallets', net.wallets, '--wallet', name]
  const words = ['signer', ...wallet, '--network', net.url, '--socket', socketOf(name), '--for', roleOf(name), '--json']
  const running = net.run(words)
  signers.set(name, running)
  await running.event('signer.ready')
  return running
}
const startNeuron = (name: Name, ...more: readonly string[]): Running => {
  const words = [roleOf(name), '--network', net.url, '--signer', socketOf(name), '--spec', 'inference-tiny']
  return net.run([...words, '--data', join(net.folder, name), ...more], home)
}
const status = async (name: Name) => {
  const { out, err, code } = await arbor(home, 'signer', 'status', '--socket', socketOf(name), '--json')
  expect({ err, code }).toEqual({ err: '', code: 0 })
  return JSON.parse(out) as {
    readonly signed: Record<string, number>
    readonly refused: Record<string, number>
    readonly connections: Record<string, number>
  }
}
const isOk = ({ verdicts }: Said): boolean =>
  (verdicts as readonly { reason: string }[]).some(({ reason }) => reason === 'ok')

beforeAll(async () => {
  net = await startNet({ honest: 1, validators: 1, address: 131 })
  place = mkdtempSync('/tmp/arbor-s-')
  home = join(net.folder, 'home')
  mkdirSync(home)
  for (const name of members) rmSync(join(net.wallets, name, 'coldkey')) // whoever wanted it would fail
  await Promise.all(members.map(startSigner))
  miner = startNeuron('miner-1', '--ip', '127.0.0.131', '--port', '0')
  await miner.event('miner.ready')
  validator = startNeuron('validator-1')
}, 180_000)
afterAll(async () => {
  await net?.close()
  rmSync(place, { recursive: true, force: true })
})

/** Opens a validator's or miner's hotkey as they do. */
const open = (name: Name, tokenFile = tokenOf(name)): Promise<RemoteSigner> =>
  openSigner({
    socket: socketOf(name),
    token: () => readToken(tokenFile),
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'silent' }),
    signal: net.signal,
  })

// One story: the later steps kill what the earlier ones have shown to work.
describe('a subnet whose hotkeys are held by signers', { timeout: 240_000 }, () => {
  test('sets weights that read back, with no keyfile in the home of miner and validator', async () => {
    const confirmed = await validator.event('weights.confirmed')
    const { hotkey } = net.member('miner-1')
    const { neurons } = await net.client.metagraph(netuid)
    const paid = neurons.find((neuron) => neuron.hotkey === hotkey)?.uid
    expect(confirmed.row).toContainEqual([paid, 65_535])
    expect(existsSync(join(home, '.bittensor'))).toBe(false)
    const [atMiner, atValidator] = await Promise.all(members.map(status))
    expect(atMiner?.signed).toMatchObject({ certificate: 1, extrinsic: 1, synapse: 0 })
    expect(atValidator?.signed).toMatchObject({ certificate: 1, synapse: 0 })
    expect(atValidator?.signed.extrinsic).toBeGreaterThan(0)
    expect([atMiner?.refused, atValidator?.refused]).toEqual([{}, {}])
    const ofWeights = ({ call }: Readonly<Record<string, unknown>>): boolean => call === 'SubtensorModule.set_weights'
    const line = await signers.get('validator-1')?.event('signer.signed', ofWeights)
    expect(line).toMatchObject({ kind: 'extrinsic', netuids: [1] })
    expect(await signers.get('validator-1')?.event('signer.signed', ({ kind }) => kind === 'head')).toMatchObject({
      netuids: [1],
    })
  })

  test('signs no other call, subnet or purpose than its role needs', async () => {
    const signer = await open('validator-1')
    const bob = keypairFromUri('//Bob').address
    const pay = transferKeepAlive({ to: bob, amount: 1n as Rao })
    const row = [[0 as Uid, 65_535]] as const
    const cases: readonly (readonly [Call, string])[] = [
      [pay, 'call'],
      [batchAll([pay]), 'nested'],
      [adminSet('tempo', { netuid, tempo: 7 }), 'call'],
      [setWeights({ netuid: netUid(2), row, version: 0 }), 'netuid'],
    ]
    for (const [call, rule] of cases) {
      const submitted = net.client.submit(call, { signer, signal: net.signal })
      await expect(submitted).rejects.toMatchObject({ code: 'SIGNER_REFUSED', details: { rule } })
    }
    const raw = new TextEncoder().encode('give me a signature')
    for (const kind of ['certificate', 'synapse'] as const)
      await expect(signer.sign(raw, { kind })).rejects.toMatchObject({ code: 'SIGNER_REFUSED' })
    const { refused } = await status('validator-1')
    expect(refused).toEqual({ call: 2, nested: 1, netuid: 1, bytes: 1, purpose: 1 })
    signer.close()
  })

  test('turns away other tokens, other users, and another signer at its place', async () => {
    const other = join(place, 'other.token')
    writeFileSync(other, `${'ab'.repeat(32)}\n`, { mode: 0o600 })
    await expect(open('miner-1', other)).rejects.toMatchObject({ code: 'SIGNER_TOKEN' })
    chmodSync(other, 0o644)
    await expect(open('miner-1', other)).rejects.toMatchObject({ code: 'SIGNER_TOKEN' })
    expect((await status('miner-1')).connections).toMatchObject({ wrongToken: 1, garbage: 0 })

    const second = ['signer', '--wallets', net.wallets, '--wallet', 'miner-1', '--network', net.url, '--for', 'miner']
    expect(await arbor(home, ...second, '--socket', socketOf('miner-1'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('SIGNER_IN_USE'),
    })
    const open755 = join(place, 'open')
    mkdirSync(open755)
    chmodSync(open755, 0o755)
    expect(await arbor(home, ...second, '--socket', join(open755, 's'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('chmod 700'),
    })
  })

  test.runIf(process.getuid?.() === 0)('lets no other user reach the socket', async () => {
    chmodSync(place, 0o755) // so that the signer's own folder is what stops them
    const script = `require('node:net').connect(${JSON.stringify(socketOf('miner-1'))}).on('error', ({ code }) => process.exit(code === 'EACCES' ? 7 : 1)).on('connect', () => process.exit(0))`
    const [code] = await once(spawn('node', ['-e', script], { uid: 65_534, gid: 65_534, cwd: '/' }), 'exit')
    expect(code).toBe(7)
  })

  test('cuts off what is no message and goes on', async () => {
    const socket = createConnection(socketOf('miner-1'))
    socket.write('GET / HTTP/1.1\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
    expect((await status('miner-1')).connections.garbage).toBe(1)
  })

  test('when the signers are killed the miner serves on, and weights are set once they are back', async () => {
    await Promise.all(members.map((name) => signers.get(name)?.kill9()))
    const failed = await validator.event('weights.failed', ({ error }) => String(error).startsWith('SIGNER_AWAY'))
    expect(failed.retryable).toBe(true)
    await validator.event('signer.lost')
    await miner.event('signer.lost')
    const round = Number(validator.events.findLast(({ event }) => event === 'round.done')?.round)
    await validator.event('round.done', (said) => Number(said.round) > round && isOk(said))
    const before = Number(validator.events.findLast(({ event }) => event === 'weights.confirmed')?.block)

    await Promise.all(members.map(startSigner)) // at the sockets that the dead ones have left
    await validator.event('weights.confirmed', ({ block }) => Number(block) > before)
    expect(validator.events.some(({ event }) => event === 'signer.found')).toBe(true)
    expect([miner.child.exitCode, validator.child.exitCode]).toEqual([null, null])
  })

  test('no process has said a secret', async () => {
    const said = [miner, validator, ...signers.values()].map((running) => JSON.stringify(running.events)).join('\n')
    for (const name of members) {
      const keyfile = JSON.parse(readFileSync(join(net.wallets, name, 'hotkeys', 'default'), 'utf8'))
      const secrets = [
        keyfile.secretSeed,
        keyfile.privateKey,
        keyfile.secretPhrase,
        readFileSync(tokenOf(name), 'utf8'),
      ]
      for (const secret of secrets.map((each: string) => each.trim().replace(/^0x/, ''))) {
        expect(secret.length).toBeGreaterThan(60)
        expect(said.includes(secret)).toBe(false)
      }
    }
    const codes = await Promise.all([miner, validator, ...signers.values()].map((running) => running.stop()))
    expect(codes).toEqual([0, 0, 0, 0])
    expect(members.map((name) => existsSync(socketOf(name)))).toEqual([false, false])
  })
})
