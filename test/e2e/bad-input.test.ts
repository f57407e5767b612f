import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { must, type Net, netuid, startNet, tinyModel } from './support/net.ts'
import { arbor } from './support/real-chain.ts'

/** Reason 1, wrong usage 2. */
const EXIT = { reason: 1, usage: 2 } as const
/** A port on which nothing listens. */
const nobody = 'ws://127.0.0.1:1'
let net: Net
let other: Net
let home = ''
let taken: Server
let takenPort = 0
/** Commands that are sent to a chain that is not there, all at once, since each tries for ten seconds; by their first words. */
const lost = new Map<string, ReturnType<typeof arbor>>()
const CLIENTS = ['faucet', 'register --netuid 1', 'subnet list', 'stake show', 'subnet create']

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'arbor-bad-'))
  net = await startNet({ honest: 1, validators: 1, address: 41 })
  other = await startNet({ honest: 0, validators: 0, address: 41, blockTime: '300ms' })
  taken = createServer().listen(0, '127.0.0.41')
  await once(taken, 'listening')
  takenPort = (taken.address() as AddressInfo).port
  expect((await arbor(home, 'wallet', 'create', '--wallet', 'poor')).code).toBe(0)
  const nowhere = ['--network', nobody]
  for (const role of ['miner', 'validator']) {
    const member = ['--wallets', net.wallets, '--wallet', `${role}-1`, '--spec', 'inference-tiny', '--data', data()]
    lost.set(role, arbor(home, role, ...member, ...nowhere))
  }
  for (const words of CLIENTS) {
    const wallet = words === 'subnet list' ? [] : ['--wallet', 'poor']
    lost.set(words, arbor(home, ...words.split(' '), ...wallet, ...nowhere))
  }
}, 120_000)
afterAll(async () => {
  await Promise.all(lost.values())
  taken?.close()
  await other?.close()
  await net?.close()
  rmSync(home, { recursive: true, force: true })
})

/** Expects a command to say one line on stderr, nothing on stdout, and to fail. */
const refused = async (code: number, says: RegExp, ...words: readonly string[]): Promise<void> =>
  refusedBy(await arbor(home, ...words), code, says)
const refusedBy = ({ out, err, code: exit }: Awaited<ReturnType<typeof arbor>>, code: number, says: RegExp): void => {
  const said = withoutLog(err)
  expect({ exit, out, lines: said.split('\n').length - 1 }, err).toEqual({ exit: code, out: '', lines: 1 })
  expect(said).toMatch(says)
}
/** What a command says besides its log, which has a line of JSON for each endpoint that is away and for each alarm. */
const withoutLog = (err: string): string => err.replace(/^\{"level":"(warn|error)".*\}\n/gm, '')

/** Copies a registered member's wallet to a name of its own, so that its files can be spoilt. */
const copyWallet = (as: string, of = 'validator-1'): string => {
  cpSync(join(net.wallets, of), join(home, '.bittensor', 'wallets', as), { recursive: true })
  return join(home, '.bittensor', 'wallets', as, 'hotkeys', 'default')
}
const roleWords = (role: string): readonly string[] => [role, '--network', net.url, '--spec', 'inference-tiny']
const data = (): string => join(home, 'claimed')
/** No refused command may leave a data folder. */
afterEach(() => expect(existsSync(data())).toBe(false))

// A refused command takes one core, and nothing of another one's: several at once take no longer than the slowest.
describe.concurrent.each(['miner', 'validator'])('arbor %s', (role) => {
  const member = role === 'miner' ? 'miner-1' : 'validator-1'
  const run = (...more: readonly string[]): readonly string[] => [...roleWords(role), '--data', data(), ...more]
  const asMember = (...more: readonly string[]): readonly string[] =>
    run('--wallets', net.wallets, '--wallet', member, ...more)

  test('names the missing keyfile and the command that makes it', () =>
    refused(
      EXIT.reason,
      /^WALLET_NOT_FOUND: there is no key at \S+absent\/hotkeys\/default; .*arbor wallet create .*--wallet absent/,
      ...run('--wallet', 'absent'),
    ))

  test.each<[string, RegExp, (file: string) => void]>([
    ['no JSON', /^WALLET_CORRUPT: \S+ is no keyfile .*it is no JSON/, (file) => writeFileSync(file, '{"secretSeed": ')],
    [
      'a secret of another key',
      /^WALLET_CORRUPT: \S+ .*does not belong to its public key/,
      (file) => writeFileSync(file, readFileSync(file, 'utf8').replace(/"secretSeed":"0x..../, '"secretSeed":"0x1234')),
    ],
    ['open to others', /^WALLET_PERMISSIONS: \S+ .*mode 0644.*chmod 600 /, (file) => chmodSync(file, 0o644)],
    ['encrypted', /^WALLET_ENCRYPTED: \S+ is encrypted/, (file) => writeFileSync(file, '$NACL'.padEnd(200, 'x'))],
  ])('refuses a keyfile that is %s', async (what, says, spoil) => {
    const name = `${role}-${what.replaceAll(' ', '-')}`
    spoil(copyWallet(name, member))
    await refused(EXIT.reason, says, ...run('--wallet', name))
  })

  test('names an unknown model folder', () =>
    refused(
      EXIT.reason,
      /^MODEL_MISSING: There is no model nowhere: looked for .*\/nowhere; add it with arbor model add/,
      ...asMember('--model', 'nowhere'),
    ))

  test('refuses a model folder with a flipped byte', async () => {
    const folder = join(home, `model-${role}`)
    cpSync(tinyModel, folder, { recursive: true })
    const graph = readFileSync(join(folder, 'model.onnx'))
    const middle = graph.length >> 1
    graph[middle] = (graph[middle] ?? 0) ^ 1
    writeFileSync(join(folder, 'model.onnx'), graph)
    await refused(
      EXIT.reason,
      /^MODEL_MISMATCH: The files of \S+ have hash 0x\w+, its card says 0x\w+; restore/,
      ...asMember('--model', folder),
    )
  })

  test('gives up on a chain that is not there, and names it', async () =>
    refusedBy(
      await must(lost.get(role)),
      EXIT.reason,
      /^CHAIN_UNREACHABLE: no chain answers at ws:\/\/127\.0\.0\.1:1 \(tried for 10 s.*--network/,
    ))

  test('refuses what is no address of a chain', () =>
    refused(
      EXIT.usage,
      /^error: option '--network <url,...>' argument 'nonsense' is invalid\. "nonsense" is no WebSocket address; give one as ws:/,
      ...asMember('--network', 'nonsense'),
    ))

  test('names the command that registers an unregistered hotkey, and it is the right one', async () => {
    const says =
      /^(?:MINER|VALIDATOR)_UNREGISTERED: [Hh]otkey 5\w+ is not registered in subnet 1.*; run: (arbor register .*)\n$/
    await refused(EXIT.reason, says, ...run('--wallet', 'poor'))
    const { err } = await arbor(home, ...run('--wallet', 'poor'))
    const words = (says.exec(withoutLog(err))?.[1] ?? '').split(' ').map((word) => word.replaceAll('"', ''))
    await refused(EXIT.reason, /^BALANCE_TOO_LOW: registering in subnet 1 takes/, ...words.slice(1))
  })

  test('names a subnet that does not exist', () =>
    refused(EXIT.reason, /^CHAIN_NO_SUBNET: .*999/, ...asMember('--netuid', '999')))

  test('names an unknown spec, and the nearest known one', () =>
    refused(
      EXIT.reason,
      /^SPEC_UNKNOWN: No subnet spec "inferense"; did you mean "inference"\?/,
      ...asMember('--spec', 'inferense'),
    ))

  test('names an unknown flag, and the nearest known one', () =>
    refused(
      EXIT.usage,
      /^error: unknown option '--walet' \(Did you mean --wallet\?\); see --help/,
      role,
      '--walet',
      'x',
    ))

  test('refuses data of another chain and leaves them as they were', async () => {
    const folder = join(home, `data-${role}`)
    const words = [...asMember(), '--data', folder, ...(role === 'miner' ? ['--ip', '127.0.0.42', '--port', '0'] : [])]
    const first = net.run(words)
    await first.event(`${role}.ready`)
    await first.stop()
    // the same hotkey, registered there too
    const wallet = ['--wallets', net.wallets, '--wallet', member, '--network', other.url]
    expect((await arbor(home, 'faucet', ...wallet)).code).toBe(0)
    const registered = await arbor(home, 'register', '--netuid', '1', ...wallet)
    expect(registered.code, registered.err).toBe(0)
    await refused(
      EXIT.reason,
      /^STORE_OTHER_CHAIN: the (session store|ledger) \S+ belongs to the chain with genesis 0x\w+, not 0x\w+; name another --data folder/,
      ...words.map((word) => (word === net.url ? other.url : word)),
    )
    const again = net.run(words)
    await again.event(`${role}.ready`)
    await again.stop()
  }, 240_000)
})

test('validator refuses a model that its spec does not judge by', () =>
  refused(
    EXIT.reason,
    /^VALIDATOR_MODEL: \S+ holds the model \S+ 0x\w+, the subnet inference-tiny judges by arbor-tiny 0x\w+; .*--model/,
    ...roleWords('validator'),
    ...['--wallets', net.wallets, '--wallet', 'validator-1', '--data', data(), '--model', `${tinyModel}-int8`],
  ))

test('miner names a port that is in use', () =>
  refused(
    EXIT.reason,
    new RegExp(`^MINER_PORT_IN_USE: Port ${takenPort} on 127.0.0.41 is in use; choose another with --port`),
    ...roleWords('miner'),
    ...[
      '--wallets',
      net.wallets,
      '--wallet',
      'miner-1',
      '--data',
      data(),
      '--ip',
      '127.0.0.41',
      '--port',
      `${takenPort}`,
    ],
  ))

describe.concurrent('arbor chain run', () => {
  test('names a port that is in use, and claims no folder', () =>
    refused(
      EXIT.reason,
      new RegExp(`^RPC_PORT_IN_USE: Port ${takenPort} on 127.0.0.41 is in use; .*--port`),
      ...['chain', 'run', '--dev', '--host', '127.0.0.41', '--port', `${takenPort}`, '--data', data()],
    ))

  test('refuses a folder that holds another genesis, and one that is in use', async () => {
    const folder = join(net.folder, 'chain')
    await refused(EXIT.reason, /^CHAIN_FOLDER_IN_USE: .*stop it, or/, 'chain', 'run', '--data', folder, '--port', '0')
    const mine = join(home, 'chain')
    const first = net.run(['chain', 'run', '--json', '--port', '0', '--data', mine, '--block-time', '300ms'])
    await first.event('chain.ready')
    await first.stop()
    await refused(
      EXIT.reason,
      /^CHAIN_OTHER_GENESIS: The folder holds the chain with genesis 0x\w+, made with .*, but the settings given are .*; use/,
      ...['chain', 'run', '--json', '--port', '0', '--data', mine, '--block-time', '400ms'],
    )
  })

  test('names an unknown key of a genesis patch', async () => {
    mkdirSync(join(home, 'patches'), { recursive: true })
    const file = join(home, 'patches', 'patch.json')
    writeFileSync(file, '{"balances": {"balanses": []}}')
    await refused(
      EXIT.reason,
      /^CHAIN_\w+: .*balanses/,
      ...['chain', 'run', '--port', '0', '--patch', file, '--data', data()],
    )
  })
})

describe.concurrent('arbor', () => {
  test.each<[string, number, RegExp, readonly string[]]>([
    [
      'an unknown command',
      EXIT.usage,
      /^error: unknown command 'minner' \(Did you mean miner\?\); see --help/,
      ['minner'],
    ],
    [
      'an unknown flag',
      EXIT.usage,
      /^error: unknown option '--epocs' \(Did you mean --epochs\?\)/,
      ['up', '--epocs', '3'],
    ],
    ['--json without --epochs', EXIT.usage, /^--json needs --epochs/, ['up', '--json']],
    [
      'a bad number',
      EXIT.usage,
      /^error: option '--epochs <n>' argument 'many' is invalid/,
      ['up', '--epochs', 'many'],
    ],
    [
      'an amount with ten places',
      EXIT.usage,
      /argument '1\.0000000001' is invalid/,
      ['faucet', '--amount', '1.0000000001'],
    ],
    ['a negative amount', EXIT.usage, /argument '-5' is invalid/, ['faucet', '--amount', '-5']],
    ['a subnet beyond all', EXIT.usage, /argument '65536' is invalid/, ['register', '--netuid', '65536']],
    [
      'a missing flag',
      EXIT.usage,
      /^error: required option '--netuid <n>' not specified/,
      ['stake', 'add', '--amount', '1'],
    ],
    ['a spec that does not exist', EXIT.reason, /^SPEC_NOT_FOUND: .*nowhere\.ts/, ['up', '--spec', './nowhere.ts']],
  ])('says what is wrong in one line when it is given %s', (_, code, says, words) => refused(code, says, ...words))

  test('makes and removes nothing when up is refused', async () => {
    const folder = join(home, 'net')
    await refused(EXIT.reason, /^SPEC_UNKNOWN: /, 'up', '--spec', 'nope', '--data', folder)
    expect(existsSync(folder)).toBe(false)
    mkdirSync(folder)
    writeFileSync(join(folder, 'letters.txt'), 'mine')
    await refused(EXIT.reason, /^SPEC_UNKNOWN: /, 'up', '--spec', 'nope', '--fresh', '--data', folder)
    expect(readFileSync(join(folder, 'letters.txt'), 'utf8')).toBe('mine')
  })

  test('registers and stakes nothing without the money, and says how much is missing', async () => {
    const online = ['--network', net.url, '--wallet', 'poor']
    const before = (await net.client.metagraph(netuid)).neurons.length
    await refused(
      EXIT.reason,
      /^BALANCE_TOO_LOW: registering in subnet 1 takes [\d.]+ TAO .* has 0; .*arbor faucet --wallet poor --amount [\d.]+/,
      'register',
      '--netuid',
      '1',
      ...online,
    )
    expect((await net.client.metagraph(netuid)).neurons.length).toBe(before)
    await refused(
      EXIT.reason,
      /^BALANCE_TOO_LOW: creating a subnet takes [\d.]+ TAO .* has 0; .*arbor faucet/,
      ...['subnet', 'create', ...online],
    )
    const member = ['--network', net.url, '--wallets', net.wallets, '--wallet', 'validator-1']
    await refused(
      EXIT.reason,
      /^BALANCE_TOO_LOW: staking 5000 TAO takes 5000 TAO .* has [\d.]+; send it [\d.]+ TAO more/,
      ...['stake', 'add', '--netuid', '1', '--amount', '5000', ...member],
    )
    await refused(EXIT.reason, /^CHAIN_NO_SUBNET: .*77/, 'register', '--netuid', '77', ...online)
  })

  test.each(CLIENTS)('gives up on a chain that is not there when it runs %s', async (words) =>
    refusedBy(
      await must(lost.get(words)),
      EXIT.reason,
      /^CHAIN_UNREACHABLE: no chain answers at ws:\/\/127\.0\.0\.1:1 /,
    ))
})
