import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Net, startNet } from './support/net.ts'
import { main, type Running } from './support/process.ts'
import { filesBelow, findLeaks, type Place, type Secret } from './support/secrets.ts'

const password = 'correct-horse-battery-staple-41'
const otherPassword = 'another-password-of-the-test-97'
let net: Net
/** A short path for the signer's socket. */
let folder = ''
const secrets: Secret[] = [
  { name: 'password', value: password },
  { name: 'other password', value: otherPassword },
]
/** Everything that was said. */
const places: Place[] = []
/** Files that hold secrets by right: open keyfiles, passwords and tokens. */
const keyfiles = new Set<string>()

const put = (path: string, content: string): string => {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content, { mode: 0o600 })
  chmodSync(path, 0o600)
  keyfiles.add(path)
  return path
}
/** Keeps all that a process says until it ends. */
const keep = (name: string, { child }: Running): void => {
  for (const stream of [child.stdout, child.stderr]) {
    const parts: Buffer[] = []
    stream?.on('data', (part: Buffer) => parts.push(part))
    stream?.on('close', () => places.push({ name, content: Buffer.concat(parts) }))
  }
}
const keyfile = (wallet: string, key = 'hotkeys/default'): string => join(net.wallets, wallet, key)

/** Makes the secrets of an open keyfile known. */
const learn = (wallet: string, key?: string): void => {
  const path = keyfile(wallet, key)
  keyfiles.add(path)
  const { secretPhrase, secretSeed, privateKey } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
  for (const hex of [secretSeed, privateKey])
    secrets.push({ name: `${wallet} ${key} secret`, value: Buffer.from((hex ?? '').slice(2), 'hex') })
  secrets.push({ name: `${wallet} ${key} phrase`, value: secretPhrase ?? '' })
}

/** Runs a command that ends by itself, keeps what it said, and tells its code and the error's. */
const arbor = async (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> => {
  const child = spawn(process.execPath, [main, ...words], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  places.push({ name: words.slice(0, 3).join(' '), content: Buffer.from(out + err) })
  return code === 0 ? 'ok' : (/\b[A-Z]+_[A-Z_]{3,}(?=:)/.exec(err)?.[0] ?? `${code} ${err}`)
}
const wallet = (verb: string, of: string, ...more: readonly string[]): Promise<string> =>
  arbor(['wallet', ...verb.split(' '), '--wallets', net.wallets, '--wallet', of, ...more])
const lines = (of: Net): readonly string[] => ['--wallets', of.wallets, '--network', of.url, '--spec', 'inference-tiny']

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-x-'))
  net = await startNet({ honest: 1, validators: 1, address: 171 })
  keep('chain', net.chain)
  for (const { name } of net.members) {
    learn(name)
    learn(name, 'coldkey')
  }
}, 120_000)
afterAll(async () => {
  await net?.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the search for leaks', () => {
  const seed = Buffer.from('8fb1d0a17f3e6c5d4b9a08172635445362718090a1b2c3d4e5f60718293a4b5c', 'hex')
  const known: readonly Secret[] = [
    { name: 'seed', value: seed },
    { name: 'phrase', value: 'oak leaf river stone cloud amber frost maple tide ember dune fern' },
  ]
  const find = (content: string | Uint8Array) =>
    findLeaks(known, [{ name: 'log', content: Buffer.from(content) }]).map(({ secret }) => secret)

  test('finds a known leak in every spelling', () => {
    for (const { name, value } of known) {
      const bytes = Buffer.from(value)
      const hex = bytes.toString('hex')
      const leaks: readonly (string | Uint8Array)[] = [
        bytes,
        hex,
        `0x${hex}`,
        hex.toUpperCase(),
        bytes.toString('base64'),
        bytes.toString('base64url'),
        hex.slice(0, 16),
        `0x${hex.slice(0, 16)}`,
        bytes.toString('base64').slice(0, 16),
        bytes.subarray(0, 16),
        Buffer.concat([Buffer.from('x'), bytes]).toString('base64'),
        Buffer.concat([Buffer.from('xy'), bytes]).toString('base64url'),
        JSON.stringify([...bytes]),
      ]
      for (const leak of leaks)
        expect(new Set(find(Buffer.concat([Buffer.from('{"a":"'), Buffer.from(leak)])))).toEqual(new Set([name]))
    }
  })

  test('finds nothing where nothing is, and refuses a secret that is too short to be looked for', () => {
    expect(find('oak leaf river, 8fb1d0a17f3e6c5, and so on')).toEqual([])
    expect(() => findLeaks([{ name: 'short', value: 'abc' }], [])).toThrow('too short')
  })

  test('reads every file of a folder but those that may hold secrets', () => {
    mkdirSync(join(folder, 'deep', 'er'), { recursive: true })
    for (const name of ['a', 'deep/b', 'deep/er/c']) writeFileSync(join(folder, name), seed)
    const files = filesBelow(folder, (path) => path.endsWith('b'))
    expect(new Set(findLeaks(known, files).map(({ place }) => place.slice(folder.length)))).toEqual(
      new Set(['/a', '/deep/er/c']),
    )
    for (const name of ['a', 'deep']) rmSync(join(folder, name), { recursive: true })
  })
})

// One story: each step says things, and in the end all of it is searched.
describe('no secret is said or written', { timeout: 120_000 }, () => {
  test('by miner, validator and signer that work, at their most talkative', async () => {
    const secret = put(join(folder, 'password'), password)
    expect(await wallet('encrypt hotkey', 'miner-1', '--password-file', secret)).toBe('ok')
    keyfiles.delete(keyfile('miner-1')) // it holds no secret any more
    const socket = join(folder, 's', 's')
    const wide = ['--log-level', 'debug', '--json']
    const signer = net.run(
      ['signer', '--wallets', net.wallets, '--wallet', 'validator-1', '--network', net.url, '--socket', socket].concat(
        ['--for', 'validator'],
        wide,
      ),
    )
    keep('signer', signer)
    await signer.event('signer.ready')
    keyfiles.add(`${socket}.token`)
    const token = readFileSync(`${socket}.token`, 'utf8').trim()
    secrets.push({ name: 'token', value: token }, { name: 'token bytes', value: Buffer.from(token, 'hex') })

    const miner = net.start('miner-1', '--password-file', secret, '--log-level', 'debug')
    keep('miner', miner)
    await miner.event('miner.ready')
    const words = ['validator', '--network', net.url, '--signer', socket, '--spec', 'inference-tiny']
    const validator = net.run([...words, '--data', join(net.folder, 'validator-1'), '--log-level', 'debug'])
    keep('validator', validator)
    await validator.event('round.done', ({ verdicts }) => JSON.stringify(verdicts).includes('"ok"'))
    await signer.event('signer.signed', ({ kind }) => kind === 'certificate')

    const stranger = put(join(folder, 'other.token'), 'ab'.repeat(32))
    expect(await arbor(['signer', 'status', '--socket', socket, '--token-file', stranger])).toBe('SIGNER_TOKEN')
    const broken = put(join(folder, 'broken.token'), token.slice(0, 40))
    expect(await arbor(['signer', 'status', '--socket', socket, '--token-file', broken])).toBe('SIGNER_TOKEN')
    expect(await arbor(['signer', 'status', '--socket', socket, '--json'])).toBe('ok')

    for (const { pid } of [miner, validator, signer, net.chain])
      for (const name of ['cmdline', 'environ'])
        places.push({ name: `${name} of ${pid}`, content: readFileSync(`/proc/${pid}/${name}`) })
    expect(await Promise.all([validator, miner, signer].map((running) => running.stop()))).toEqual([0, 0, 0])
  })

  test('by commands that make, encrypt and open wallets, with right and wrong passwords', async () => {
    const right = put(join(folder, 'password'), password)
    const wrong = put(join(folder, 'wrong'), otherPassword)
    expect(await wallet('create', 'sealed', '--encrypt', '--password-file', right, '--json')).toBe('ok')
    learn('sealed')
    const mining = ['miner', ...lines(net), '--wallet', 'miner-1', '--password-file', wrong, '--log-level', 'debug']
    const opened = [arbor(mining), wallet('decrypt coldkey', 'sealed', '--password-file', right)]
    expect(await Promise.all(opened)).toEqual(['WALLET_PASSWORD', 'ok'])
    learn('sealed', 'coldkey')
    expect(await arbor(['wallet', 'list', '--wallets', net.wallets])).toBe('ok')
    expect(await wallet('show', 'sealed', '--json')).toBe('ok')
  })

  test('by commands that meet damaged keyfiles', async () => {
    const whole = readFileSync(keyfile('validator-1'), 'utf8')
    const fields = JSON.parse(whole) as Record<string, string>
    const phrase = fields.secretPhrase ?? ''
    const damaged: Readonly<Record<string, string>> = {
      cut: whole.slice(0, -20),
      phrase,
      'odd-seed': JSON.stringify({ ...fields, secretSeed: `${fields.secretSeed?.slice(0, 60)}zzzz` }),
      'other-phrase': JSON.stringify({ secretPhrase: phrase.replace(/\w+$/, 'oakk') }),
      'other-public': JSON.stringify({
        ...fields,
        publicKey: `0x${'11'.repeat(32)}`,
        accountId: `0x${'11'.repeat(32)}`,
      }),
      list: JSON.stringify([fields.secretSeed, phrase]),
    }
    const codes = new Set<string>()
    for (const [name, content] of Object.entries(damaged)) {
      cpSync(join(net.wallets, 'validator-1'), join(net.wallets, name), { recursive: true })
      keyfiles.add(keyfile(name, 'coldkey'))
      put(keyfile(name), content)
    }
    const opened = Object.keys(damaged).map((name) =>
      arbor(['validator', ...lines(net), '--wallet', name, '--model', join(folder, 'none'), '--log-level', 'debug']),
    )
    const sealing = wallet('encrypt hotkey', 'cut', '--password-file', join(folder, 'password'))
    for (const code of await Promise.all([...opened, sealing])) codes.add(code)
    // whose seed is damaged and whose private key is not is opened by that, and misses its model then
    expect([...codes].filter((code) => !['WALLET_CORRUPT', 'MODEL_MISSING'].includes(code))).toEqual([])
    expect(codes).toContain('WALLET_CORRUPT')
  })

  test('by commands that find a secret in their environment or among their words', async () => {
    const phrase = String(secrets.find(({ name }) => name.endsWith('phrase'))?.value)
    const seed = JSON.parse(readFileSync(keyfile('validator-1'), 'utf8')).secretSeed as string
    const commands: readonly (readonly string[])[] = [
      ['miner', ...lines(net), '--wallet', 'validator-1'],
      ['signer', '--wallets', net.wallets, '--network', net.url, '--for', 'miner', '--socket', join(folder, 'e', 's')],
      ['wallet', 'encrypt', 'hotkey', '--wallets', net.wallets, '--wallet', 'validator-1'],
    ]
    const refused = commands.map((words) => arbor(words, { ARBOR_MNEMONIC: phrase }))
    for (const code of await Promise.all(refused)) expect(code).toBe('WALLET_SECRET_IN_ENVIRONMENT')
    const others = { HOTKEY_PHRASE: phrase, COLDKEY_SEED: seed, BT_PW_HOTKEY: password }
    const words = ['wallet', 'public', 'hotkey', '--wallets', net.wallets, '--wallet', 'validator-1']
    expect(await arbor(words, others)).toBe('WALLET_STATE') // there is a public file
    expect(Buffer.from(places.at(-1)?.content ?? []).toString()).toContain('HOTKEY_PHRASE')
    for (const words of [
      ['wallet', 'create', '--mnemonic', phrase],
      ['wallet', 'encrypt', 'hotkey', '--password', password],
      ['register', '--netuid', '1', '--seed', seed],
    ])
      expect(await arbor(words)).toContain('unknown option')
  })

  test('nor anywhere else', async () => {
    expect(await net.chain.stop()).toBe(0)
    const files = [net.folder, folder].flatMap((each) => filesBelow(each, (path) => keyfiles.has(path)))
    const names = [...places, ...files].map(({ name }) => name)
    for (const name of ['chain', 'miner', 'validator', 'signer', 'wallet encrypt hotkey']) expect(names).toContain(name)
    for (const name of ['ledger.sqlite', 'sessions.sqlite', 'miner-1/hotkeys/default'])
      expect(names.filter((each) => each.endsWith(name))).not.toEqual([])
    expect(secrets.length).toBeGreaterThan(15)
    expect(findLeaks(secrets, [...places, ...files])).toEqual([])
    // the search would have found them: the open keyfiles hold them
    const open = [keyfile('sealed'), keyfile('validator-1')].map((name) => ({ name, content: readFileSync(name) }))
    expect(new Set(findLeaks(secrets, open).map(({ place }) => place)).size).toBe(2)
  })
})
