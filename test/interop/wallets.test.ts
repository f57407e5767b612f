import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyAccess } from '@arbor/chain/wallet/access'
import { openColdkey, openHotkey, readColdkeyPub, readHotkeyPub } from '@arbor/chain/wallet/open'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex } from '@arbor/shared/hex'
import { verifySignature } from '@arbor/shared/verify-signature'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { arbor } from '../e2e/support/real-chain.ts'
import { type Driver, startDriver } from './support/driver.ts'
import { describeWith } from './support/pythons.ts'

const PASSWORD = 'Corr3ct-horse-battery! ü '
const MESSAGE = 'a message'

describeWith('bittensor-wallet', "wallets of bittensor-wallet 4.1.1 and Arbor's, both ways", ({ python }) => {
  let home = ''
  let driver: Driver
  const folder = () => join(home, '.bittensor', 'wallets')
  const words = (name: string, ...more: string[]) => [
    ...more,
    '--wallet',
    name,
    '--password-file',
    join(home, 'password'),
  ]
  const access = (passwordFile?: string) =>
    keyAccess(
      {
        signal: new AbortController().signal,
        env: {},
        stdout: { write: () => true },
        stderr: { write: () => true },
        cwd: home,
        homedir: home,
      },
      passwordFile === undefined ? {} : { passwordFile },
    )
  const ours = async (...command: string[]): Promise<Record<string, string>> => {
    const { out, err, code } = await arbor(home, 'wallet', ...command, '--json')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    return JSON.parse(out)
  }
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'arbor-wallets-'))
    writeFileSync(join(home, 'password'), `${PASSWORD}\n`, { mode: 0o600 })
    driver = startDriver({ python, script: 'wallets.py', words: [folder()], home })
  })
  afterAll(async () => {
    await driver?.close()
    rmSync(home, { recursive: true, force: true })
  })

  it('package is the version that its vectors are for', async () => {
    expect(await driver.call('version')).toBe('4.1.1')
  })

  it.each([
    ['plain', [], []],
    ['with an encrypted coldkey', ['--encrypt'], ['coldkey']],
    ['with both keys encrypted', ['--encrypt', '--encrypt-hotkey'], ['coldkey', 'hotkey']],
  ] as const)('wallet of ours opens in theirs when it is %s', async (_, flags, encrypted) => {
    const name = `ours-${flags.length}`
    const created = await ours(...(flags.length > 0 ? words(name, 'create', ...flags) : ['create', '--wallet', name]))
    const opened = await driver.call<Opened>('open_wallet', {
      name,
      hotkey: 'default',
      message: MESSAGE,
      ...(flags.length > 0 ? { password: PASSWORD } : {}),
      ...(flags.length > 1 ? { hotkey_password: PASSWORD } : {}),
    })
    const { coldkey, hotkey } = created
    expect(opened).toMatchObject({ coldkey, hotkey, cryptoType: 1, public: { coldkey, hotkey } })
    expect(opened.encrypted).toEqual({
      coldkey: (encrypted as readonly string[]).includes('coldkey'),
      hotkey: (encrypted as readonly string[]).includes('hotkey'),
    })
    const keys = [readColdkeyPub({ wallets: folder(), wallet: name }), readHotkeyPub(named(name))]
    for (const [i, { publicKey }] of keys.entries())
      expect(verifySignature(publicKey, Buffer.from(MESSAGE), fromHex(opened.signatures[i] ?? ''))).toBe(true)
    if (flags.length > 1)
      expect(await driver.call('decrypt_fails', { name, hotkey: 'default', password: PASSWORD.trim() })).toBe(true)
  })

  it.each([
    ['plain', {}],
    ['with both keys encrypted', { password: PASSWORD, hotkey_password: PASSWORD }],
  ])('wallet of theirs opens in ours when it is %s', async (title, passwords) => {
    const name = `theirs-${title.split(' ').at(-1)}`
    const addresses = await driver.call<Addresses>('create', { name, hotkey: 'default', ...passwords })
    const open = access('password' in passwords ? join(home, 'password') : undefined)
    expect((await openColdkey({ wallets: folder(), wallet: name }, open)).address).toBe(addresses.coldkey)
    expect((await openHotkey(named(name), open)).address).toBe(addresses.hotkey)
    expect(readHotkeyPub(named(name)).address).toBe(addresses.hotkey)
  })

  it.each([
    ['with its public file', true],
    ['without it', false],
  ])('wallet of a URI, which has no phrase and no seed, opens in ours %s', async (_, hasPublic) => {
    const name = `uri-${hasPublic}`
    const address = await driver.call('create_from_uri', { name, hotkey: 'default', uri: '//Bob', public: hasPublic })
    expect(existsSync(join(folder(), name, 'hotkeys', 'defaultpub.txt'))).toBe(hasPublic)
    expect((await openHotkey(named(name))).address).toBe(address)
    expect(readHotkeyPub(named(name)).address).toBe('5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty')
  })

  it('key of theirs is encrypted, re-keyed and decrypted by ours, and theirs again', async () => {
    const addresses = await driver.call<Addresses>('create', { name: 'turns', hotkey: 'default' })
    const path = join(folder(), 'turns', 'hotkeys', 'default')
    const plain = readFileSync(path)
    await ours(...words('turns', 'encrypt', 'hotkey'))
    const opened = await driver.call<Opened>('open_wallet', {
      name: 'turns',
      hotkey: 'default',
      message: MESSAGE,
      hotkey_password: PASSWORD,
    })
    expect(opened).toMatchObject({ hotkey: addresses.hotkey, encrypted: { hotkey: true } })
    await ours(...words('turns', 'decrypt', 'hotkey'))
    expect(readFileSync(path)).toEqual(plain)
  })

  it('vault of an older wallet opens in ours', async () => {
    const addresses = await driver.call<Addresses>('create', { name: 'old', hotkey: 'default' })
    await driver.call('legacy', { name: 'old', hotkey: 'default', password: PASSWORD })
    expect((await openHotkey(named('old'), access(join(home, 'password')))).address).toBe(addresses.hotkey)
  })

  it('ed25519 key of theirs is refused by the name of its kind', async () => {
    await driver.call('create', { name: 'edwards', hotkey: 'default', crypto_type: 0 })
    const error = await openHotkey(named('edwards')).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SubnetError)
    expect(error).toMatchObject({ code: 'WALLET_KEY_TYPE', message: expect.stringContaining('ed25519') })
  })

  const named = (wallet: string) => ({ wallets: folder(), wallet, hotkey: 'default' })
})

interface Addresses {
  readonly coldkey: string
  readonly hotkey: string
}
interface Opened extends Addresses {
  readonly encrypted: { readonly coldkey: boolean; readonly hotkey: boolean }
  readonly cryptoType: number
  readonly signatures: readonly string[]
  readonly public: Addresses
}
