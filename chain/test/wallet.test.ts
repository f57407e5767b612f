import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import { generateMnemonic, keypairFromMnemonic } from '@arbor/shared/keys'
import { verifySignature } from '@arbor/shared/verify-signature'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import vectors from '../../test/vectors/wallet/keyfiles.json' with { type: 'json' }
import { createWallet } from '../src/wallet/create.ts'
import { keyfilesOf } from '../src/wallet/keyfile.ts'
import { listWallets, openColdkey, openHotkey, readColdkeyPub, readHotkeyPub } from '../src/wallet/open.ts'

const PHRASE = 'legal winner thank year wave sausage worth useful legal winner thank yellow'
let wallets = ''
beforeEach(() => {
  wallets = mkdtempSync(join(tmpdir(), 'arbor-wallets-'))
})
afterEach(() => rmSync(wallets, { recursive: true, force: true }))

const put = (path: string, content: string | Uint8Array, mode = 0o600): string => {
  const full = join(wallets, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, content)
  chmodSync(full, mode)
  return full
}
const putVectors = (): void => {
  for (const { path, text, hex } of vectors.files) put(path, text ?? Buffer.from(hex ?? '', 'hex'))
}
const refusal = async (work: () => unknown): Promise<SubnetError> => {
  try {
    await work()
  } catch (error) {
    if (error instanceof SubnetError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('wallets of bittensor-wallet 4.1.0', () => {
  it('keys open as their files state when they are unencrypted', async () => {
    putVectors()
    const opened = await Promise.all([
      openColdkey({ wallets, wallet: 'plainw' }),
      openHotkey({ wallets, wallet: 'plainw', hotkey: 'hk1' }),
      openColdkey({ wallets, wallet: 'uriw' }),
      openHotkey({ wallets, wallet: 'uriw', hotkey: 'alice' }),
    ])
    expect(opened.map(({ address }) => address)).toEqual([
      '5EHgWw2Af1pnoc7f1A8bfmM97W3DAYW8xr82RfhLL9oAabAe',
      '5EtaiguVmKZ9Vewv7HkS86hWTS8Lf4twTSADg29PH5rM5Wng',
      '5CkeHpxmUkLByMZ9WGMSSSoeGHTnWXZBZehr6gwvDq2d2NAX',
      '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
    ])
    const message = Uint8Array.of(1, 2, 3)
    for (const pair of opened) expect(verifySignature(pair.publicKey, message, pair.sign(message))).toBe(true)
  })

  it('keyfile holds the same fields and values when we write it', () => {
    const theirs = JSON.parse(vectors.files.find(({ path }) => path === 'plainw/coldkey')?.text ?? '')
    const pub = JSON.parse(vectors.files.find(({ path }) => path === 'plainw/coldkeypub.txt')?.text ?? '')
    const ours = keyfilesOf(PHRASE)
    expect(JSON.parse(ours.secret)).toEqual(theirs)
    expect(JSON.parse(ours.pub)).toEqual(pub)
  })

  it('encrypted key is refused with what to do when no password can come', async () => {
    putVectors()
    for (const open of [
      () => openColdkey({ wallets, wallet: 'encw' }),
      () => openHotkey({ wallets, wallet: 'encw', hotkey: 'default' }),
    ]) {
      expect(await refusal(open)).toMatchObject({
        code: 'WALLET_ENCRYPTED',
        message: expect.stringContaining('--password-file'),
      })
    }
    expect(readColdkeyPub({ wallets, wallet: 'encw' }).address).toBe('5EHgWw2Af1pnoc7f1A8bfmM97W3DAYW8xr82RfhLL9oAabAe')
  })

  it('wallets and hotkeys are listed by name without their public files', () => {
    putVectors()
    put('uriw/hotkeys/.hidden', '')
    expect(listWallets(wallets)).toEqual([
      { wallet: 'encw', hotkeys: ['default'] },
      { wallet: 'plainw', hotkeys: ['hk1'] },
      { wallet: 'uriw', hotkeys: ['alice'] },
    ])
    expect(listWallets(join(wallets, 'absent'))).toEqual([])
  })
})

describe('a keyfile', () => {
  const theirs = JSON.parse(vectors.files.find(({ path }) => path === 'plainw/hotkeys/hk1')?.text ?? '') as Record<
    string,
    unknown
  >
  const open = (fields: Record<string, unknown>) => {
    const path = put('w/hotkeys/h', JSON.stringify(fields))
    return { path, key: () => openHotkey({ wallets, wallet: 'w', hotkey: 'h' }) }
  }
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(theirs).filter(([name]) => !names.includes(name)))

  it.each([
    ['phrase', without('secretSeed', 'privateKey')],
    ['seed', without('secretPhrase', 'privateKey')],
    ['private key', without('secretPhrase', 'secretSeed')],
    ['private key alone', without('secretPhrase', 'secretSeed', 'publicKey', 'accountId', 'ss58Address')],
    ['everything but cryptoType', without('cryptoType')],
  ])('opens the same key when it holds the %s', async (_, fields) => {
    expect((await open(fields).key()).address).toBe(theirs.ss58Address)
  })

  it.each([
    ['nothing secret', without('secretSeed', 'secretPhrase', 'privateKey')],
    ['a foreign seed', { ...theirs, secretSeed: `0x${'11'.repeat(32)}` }],
    ['a foreign private key', { ...without('secretSeed'), privateKey: `0x${'08'.repeat(64)}` }],
    ['a short seed', { ...theirs, secretSeed: '0x11' }],
    ['a wrong phrase', { ...without('secretSeed', 'privateKey'), secretPhrase: 'legal winner' }],
    ['a foreign address', { ...theirs, ss58Address: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY' }],
  ])('is refused by path and without its secrets when it holds %s', async (_, fields) => {
    const { path, key } = open(fields)
    const error = await refusal(key)
    expect(error.code).toBe('WALLET_CORRUPT')
    expect(error.message).toContain(path)
    for (const secret of ['secretSeed', 'privateKey', 'secretPhrase']) {
      if (typeof fields[secret] === 'string')
        expect(JSON.stringify([error.message, error.details])).not.toContain(fields[secret])
    }
  })

  it.each([
    [0, /ed25519/],
    [7, /unknown kind/],
  ])('is refused by the kind of its key when its cryptoType is %i', async (cryptoType, what) => {
    expect(await refusal(open({ ...theirs, cryptoType }).key)).toMatchObject({
      code: 'WALLET_KEY_TYPE',
      message: expect.stringMatching(what),
    })
  })

  it.each(['', '{', 'null', '[]', '7', '\u0000\u0001'])('is refused as corrupt when it is %j', async (text) => {
    put('w/hotkeys/h', text)
    expect((await refusal(() => openHotkey({ wallets, wallet: 'w', hotkey: 'h' }))).code).toBe('WALLET_CORRUPT')
  })

  it('is refused with the chmod that mends it when others can read it', async () => {
    const path = put('w/hotkeys/h', JSON.stringify(theirs), 0o644)
    expect(await refusal(() => openHotkey({ wallets, wallet: 'w', hotkey: 'h' }))).toMatchObject({
      code: 'WALLET_PERMISSIONS',
      message: expect.stringContaining(`chmod 600 "${path}"`),
    })
  })

  it('is named with the command that makes it when it is missing', async () => {
    expect(await refusal(() => openHotkey({ wallets, wallet: 'w', hotkey: 'h' }))).toMatchObject({
      code: 'WALLET_NOT_FOUND',
      message: expect.stringMatching(/hotkeys\/h; make it with: arbor wallet create .*--wallet w --hotkey h/),
    })
  })

  it('is refused when it is a folder or too large', async () => {
    mkdirSync(join(wallets, 'w/hotkeys/h'), { recursive: true })
    expect((await refusal(() => openHotkey({ wallets, wallet: 'w', hotkey: 'h' }))).code).toBe('WALLET_CORRUPT')
    put('w/hotkeys/big', ' '.repeat(70_000))
    expect((await refusal(() => openHotkey({ wallets, wallet: 'w', hotkey: 'big' }))).code).toBe('WALLET_CORRUPT')
  })

  it.each([
    '',
    '..',
    '../x',
    'a/b',
    '.hidden',
    'x'.repeat(65),
    'a\u0000b',
  ])('name %j is refused before any file is touched', async (name) => {
    expect((await refusal(() => openHotkey({ wallets, wallet: name, hotkey: 'h' }))).code).toBe('WALLET_NAME')
    expect((await refusal(() => openHotkey({ wallets, wallet: 'w', hotkey: name }))).code).toBe('WALLET_NAME')
  })
})

describe('createWallet', () => {
  it('wallet opens as created, in private files and folders', async () => {
    const created = createWallet({ wallets, wallet: 'w', hotkey: 'h', generateMnemonic })
    expect((await openColdkey({ wallets, wallet: 'w' })).address).toBe(created.coldkey)
    expect((await openHotkey({ wallets, wallet: 'w', hotkey: 'h' })).address).toBe(created.hotkey)
    expect(readColdkeyPub({ wallets, wallet: 'w' }).address).toBe(created.coldkey)
    expect(readHotkeyPub({ wallets, wallet: 'w', hotkey: 'h' }).address).toBe(created.hotkey)
    const modes = ['w', 'w/hotkeys', 'w/coldkey', 'w/coldkeypub.txt', 'w/hotkeys/h', 'w/hotkeys/hpub.txt'].map(
      (path) => statSync(join(wallets, path)).mode & 0o777,
    )
    expect(modes).toEqual([0o700, 0o700, 0o600, 0o600, 0o600, 0o600])
    const { secretPhrase } = JSON.parse(readFileSync(join(wallets, 'w/hotkeys/h'), 'utf8'))
    expect(secretPhrase.split(' ')).toHaveLength(12)
    expect(keypairFromMnemonic(secretPhrase).address).toBe(created.hotkey)
  })

  it('second hotkey is added without touching the coldkey', () => {
    createWallet({ wallets, wallet: 'w', hotkey: 'h', generateMnemonic })
    const before = readFileSync(join(wallets, 'w/coldkey'), 'utf8')
    expect(createWallet({ wallets, wallet: 'w', hotkey: 'h2', generateMnemonic }).coldkey).toBeNull()
    expect(readFileSync(join(wallets, 'w/coldkey'), 'utf8')).toBe(before)
  })

  it('existing hotkey is refused and kept, and nothing else is written', async () => {
    put('w/hotkeys/h', 'mine')
    expect((await refusal(() => createWallet({ wallets, wallet: 'w', hotkey: 'h', generateMnemonic }))).code).toBe(
      'WALLET_EXISTS',
    )
    expect(readFileSync(join(wallets, 'w/hotkeys/h'), 'utf8')).toBe('mine')
    expect(readdirSync(join(wallets, 'w'))).toEqual(['hotkeys'])
  })

  it('no file is left when a later one cannot be written', async () => {
    mkdirSync(join(wallets, 'w'))
    symlinkSync(join(wallets, 'nowhere', 'deeper'), join(wallets, 'w', 'hotkeys'))
    expect((await refusal(() => createWallet({ wallets, wallet: 'w', hotkey: 'h', generateMnemonic }))).code).toMatch(
      /^WALLET_/,
    )
    expect(readdirSync(join(wallets, 'w'))).toEqual(['hotkeys'])
  })
})
