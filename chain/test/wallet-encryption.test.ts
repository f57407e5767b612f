import {
  chmodSync,
  lstatSync,
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
import { PassThrough } from 'node:stream'
import { SubnetError } from '@arbor/shared/errors'
import { generateMnemonic } from '@arbor/shared/keys'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import vectors from '../../test/vectors/wallet/keyfiles.json' with { type: 'json' }
import legacy from '../../test/vectors/wallet/legacy.json' with { type: 'json' }
import { type KeyAccess, keyAccess } from '../src/wallet/access.ts'
import { createWallet } from '../src/wallet/create.ts'
import { deriveKey, sealKeyfile } from '../src/wallet/encryption.ts'
import { newSeal } from '../src/wallet/new-password.ts'
import { openColdkey, openHotkey, readHotkeyPub } from '../src/wallet/open.ts'
import type { PasswordSource } from '../src/wallet/password.ts'
import { passwordPrompt } from '../src/wallet/prompt.ts'
import { changePassword, decryptKey, encryptKey, writePublic } from '../src/wallet/recrypt.ts'
import { replaceFile } from '../src/wallet/replace-file.ts'

const { password } = legacy // the keyfiles' too
const COLDKEY = '5EHgWw2Af1pnoc7f1A8bfmM97W3DAYW8xr82RfhLL9oAabAe'
let wallets = ''
beforeEach(() => {
  wallets = mkdtempSync(join(tmpdir(), 'arbor-sealed-'))
})
afterEach(() => rmSync(wallets, { recursive: true, force: true }))

const put = (path: string, content: string | Uint8Array, mode = 0o600): string => {
  const full = join(wallets, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, content)
  chmodSync(full, mode)
  return full
}
const vector = (path: string): Buffer => {
  const found = vectors.files.find((file) => file.path === path)
  return found?.text == null ? Buffer.from(found?.hex ?? '', 'hex') : Buffer.from(found.text)
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
const never = new AbortController().signal

/** A source that gives what a person types, or a file holds. */
const source = (typed: readonly string[], isTyped = typed.length > 1): PasswordSource & { asked: string[] } => {
  const asked: string[] = []
  const left = [...typed]
  const ask = async ({ question }: { readonly question: string }) => {
    asked.push(question)
    const next = left.shift()
    if (next === undefined) throw new Error('asked too often')
    return Buffer.from(next)
  }
  return { name: 'the test', isTyped, ask, asked }
}
const accessOf = (
  of: Partial<KeyAccess> & { readonly source?: PasswordSource | null },
): KeyAccess & { said: string[] } => {
  const said: string[] = []
  return {
    signal: never,
    say: (text) => said.push(text),
    password: () => of.source ?? null,
    freeBytes: () => 2 ** 40,
    randomBytes: (length) => new Uint8Array(length).fill(7),
    said,
    ...of,
  }
}
const hot = { wallet: 'w', hotkey: 'h' }
/** Derives in milliseconds: for what a file goes through, not for what it is encrypted with, which vectors hold. */
const quick = { memoryKiB: 64, randomBytes: (length: number) => new Uint8Array(length).fill(9) }

describe('an encrypted key of bittensor-wallet', () => {
  it('opens with its password, coldkey and hotkey, and this thread goes on meanwhile', async () => {
    put('encw/coldkey', vector('encw/coldkey'))
    put('encw/hotkeys/default', vector('encw/hotkeys/default'))
    const access = accessOf({ source: source([password]) })
    let turns = 0
    let isDone = false
    const opening = openColdkey({ wallets, wallet: 'encw' }, access).finally(() => {
      isDone = true
    })
    while (!isDone) {
      turns += 1
      await new Promise(setImmediate)
    }
    expect((await opening).address).toBe(COLDKEY)
    expect(turns).toBeGreaterThan(1000)
    const hotkey = await openHotkey(
      { wallets, wallet: 'encw', hotkey: 'default' },
      accessOf({ source: source([password]) }),
    )
    expect(hotkey.address).toBe('5EtaiguVmKZ9Vewv7HkS86hWTS8Lf4twTSADg29PH5rM5Wng')
  })

  it('is refused after one wrong password of a file, and without repeating it', async () => {
    const path = put('encw/coldkey', vector('encw/coldkey'))
    const wrong = source(['not-the-password'], false)
    const error = await refusal(() => openColdkey({ wallets, wallet: 'encw' }, accessOf({ ...quick, source: wrong })))
    expect(error).toMatchObject({ code: 'WALLET_PASSWORD', message: expect.stringContaining(path) })
    expect(wrong.asked).toHaveLength(1)
    expect(JSON.stringify([error.message, error.details])).not.toContain('not-the-password')
  })

  it('is refused as cut short before any password is tried', async () => {
    for (const length of [5, 20, 45]) {
      put('encw/coldkey', vector('encw/coldkey').subarray(0, length))
      const open = () => openColdkey({ wallets, wallet: 'encw' }, accessOf({ source: source([password]) }))
      expect((await refusal(open)).code).toBe('WALLET_CORRUPT')
    }
  })

  it('is refused when a byte of it has changed', async () => {
    const path = join(wallets, 'w/hotkeys/h')
    createWallet({ wallets, ...hot, generateMnemonic })
    const access = () => accessOf({ ...quick, source: source([password], false) })
    await encryptKey({ kind: 'hotkey', name: { wallets, ...hot } }, access())
    const sealed = readFileSync(path)
    const open = () => openHotkey({ wallets, ...hot }, access())
    expect((await open()).address).toBe(readHotkeyPub({ wallets, ...hot }).address)
    sealed[300] = (sealed[300] ?? 0) ^ 1
    writeFileSync(path, sealed)
    expect(await refusal(open)).toMatchObject({ code: 'WALLET_PASSWORD', message: expect.stringContaining('damaged') })
  })

  it('is refused with what it takes when memory is short, before it is taken', async () => {
    put('encw/coldkey', vector('encw/coldkey'))
    const access = accessOf({ source: source([password]), freeBytes: () => 100 * 2 ** 20 })
    expect(await refusal(() => openColdkey({ wallets, wallet: 'encw' }, access))).toMatchObject({
      code: 'WALLET_MEMORY',
      message: expect.stringMatching(/takes 512 MiB.*100 MiB are free/),
      retryable: true,
    })
  })

  it('is refused in the same way when the system denies the memory', async () => {
    const huge = { password: Buffer.from(password), memoryKiB: 2 ** 32 - 4, freeBytes: () => Number.MAX_SAFE_INTEGER }
    expect((await refusal(() => deriveKey(huge))).code).toBe('WALLET_MEMORY')
  })

  it('ends at once when the command is stopped while the key is derived', async () => {
    put('encw/coldkey', vector('encw/coldkey'))
    const stop = new AbortController()
    const opening = openColdkey(
      { wallets, wallet: 'encw' },
      accessOf({ source: source([password]), signal: stop.signal }),
    )
    const reason = new Error('stopped')
    setImmediate(() => stop.abort(reason))
    await expect(opening).rejects.toBe(reason)
  })
})

describe('an encrypted key of an old wallet', () => {
  it.each([
    ['bittensor-wallet', legacy.ansible],
    ['ansible-core', legacy.ansibleCore],
  ])('opens when it is an Ansible vault of %s', async (_, vault) => {
    put('w/hotkeys/h', vault)
    const key = await openHotkey({ wallets, ...hot }, accessOf({ source: source([password]) }))
    expect(key.address).toBe(JSON.parse(legacy.plain).ss58Address)
  })

  it('lets a person try three times and then ends', async () => {
    put('w/hotkeys/h', legacy.ansible)
    const third = accessOf({ source: source(['one', 'two', password]) })
    expect((await openHotkey({ wallets, ...hot }, third)).address).toBe(JSON.parse(legacy.plain).ss58Address)
    expect(third.said).toEqual([
      'that password does not open it; 2 tries left',
      'that password does not open it; 1 try left',
    ])
    const never = source(['one', 'two', 'three', password])
    const error = await refusal(() => openHotkey({ wallets, ...hot }, accessOf({ source: never })))
    expect(error.code).toBe('WALLET_PASSWORD')
    expect(never.asked).toHaveLength(3)
  })

  it.each([
    ['nothing follows', '$ANSIBLE_VAULT;1.1;AES256\n'],
    ['its hexadecimal ends early', legacy.ansible.slice(0, 500)],
    ['it is of another kind', legacy.ansible.replace('AES256', 'AES512')],
    ['it is no hexadecimal', legacy.ansible.replace(/\n[0-9]/, '\nx')],
  ])('is refused as corrupt when %s', async (_, text) => {
    put('w/hotkeys/h', text)
    const open = () => openHotkey({ wallets, ...hot }, accessOf({ source: source([password]) }))
    expect((await refusal(open)).code).toMatch(/^WALLET_(CORRUPT|PASSWORD)$/)
  })

  it('is refused by the name of its format when it is a Fernet token', async () => {
    put('w/hotkeys/h', legacy.fernet)
    const asked = source([password])
    expect(await refusal(() => openHotkey({ wallets, ...hot }, accessOf({ source: asked })))).toMatchObject({
      code: 'WALLET_FORMAT',
      message: expect.stringMatching(/Fernet.*regen-hotkey/),
    })
    expect(asked.asked).toEqual([])
  })
})

describe('an encrypted key without a public file', () => {
  it('is told with the command that writes it, and that writes it', async () => {
    put('w/hotkeys/h', legacy.ansible)
    expect(await refusal(() => readHotkeyPub({ wallets, ...hot }))).toMatchObject({
      code: 'WALLET_ENCRYPTED',
      message: expect.stringMatching(/arbor wallet public hotkey .*--wallet w --hotkey h/),
    })
    const key = { kind: 'hotkey', name: { wallets, ...hot } } as const
    const { address } = await writePublic(key, accessOf({ source: source([password]) }))
    expect(readHotkeyPub({ wallets, ...hot }).address).toBe(address)
    expect((await refusal(() => writePublic(key, accessOf({})))).code).toBe('WALLET_STATE')
  })
})

describe('encrypting keys', () => {
  const name = { wallets, ...hot }
  const key = () => ({ kind: 'hotkey', name: { ...name, wallets } }) as const

  it('key is encrypted, gets another password and is decrypted to the file it was', async () => {
    createWallet({ wallets, ...hot, generateMnemonic })
    const path = join(wallets, 'w/hotkeys/h')
    const plain = readFileSync(path)
    const { address } = await encryptKey(key(), accessOf({ ...quick, source: source([password]) }))
    expect(readFileSync(path).subarray(0, 5).toString()).toBe('$NACL')
    expect(readFileSync(path).includes(JSON.parse(plain.toString()).secretSeed)).toBe(false)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect((await refusal(() => encryptKey(key(), accessOf({})))).code).toBe('WALLET_STATE')
    const changed = {
      access: accessOf({ ...quick, source: source([password]) }),
      fresh: source(['another-password'], false),
    }
    expect(await changePassword(key(), changed)).toEqual({ path, address })
    await decryptKey(key(), accessOf({ ...quick, source: source(['another-password'], false) }))
    expect(readFileSync(path)).toEqual(plain)
    expect((await refusal(() => decryptKey(key(), accessOf({})))).code).toBe('WALLET_STATE')
    expect(readdirSync(join(wallets, 'w/hotkeys')).sort()).toEqual(['h', 'hpub.txt'])
  })

  it('old vault is written in the format of today when its password changes', async () => {
    const path = put('w/hotkeys/h', legacy.ansible)
    await changePassword(key(), {
      access: accessOf({ ...quick, source: source([password]) }),
      fresh: source([password], false),
    })
    expect(readFileSync(path).subarray(0, 5).toString()).toBe('$NACL')
  })

  it('wallet is created with an encrypted coldkey, and the coldkey alone', async () => {
    const access = accessOf({ ...quick, source: source([password]) })
    const coldkey = await newSeal({ what: 'coldkey', source: source([password], false), access })
    createWallet({ wallets, ...hot, generateMnemonic, seal: { coldkey: coldkey ?? undefined } })
    expect(readFileSync(join(wallets, 'w/coldkey')).subarray(0, 5).toString()).toBe('$NACL')
    expect((await openHotkey({ wallets, ...hot })).address).toBe(readHotkeyPub({ wallets, ...hot }).address)
  })

  it('key behind a link is written where it lies, and the link stays', async () => {
    const path = put('vault/key', legacy.ansible)
    mkdirSync(join(wallets, 'w/hotkeys'), { recursive: true })
    symlinkSync(path, join(wallets, 'w/hotkeys/h'))
    await decryptKey(key(), accessOf({ ...quick, source: source([password]) }))
    expect(lstatSync(join(wallets, 'w/hotkeys/h')).isSymbolicLink()).toBe(true)
    expect(readFileSync(path, 'utf8')).toBe(legacy.plain)
  })

  it('key in a folder that cannot be written is left as it was', async () => {
    const replace = () =>
      replaceFile({ path: '/proc/key', content: Buffer.from('x'), randomBytes: () => new Uint8Array(8) })
    expect((await refusal(replace)).code).toBe('WALLET_UNREADABLE')
  })

  it('what is no key is not hidden behind a password', async () => {
    put('w/hotkeys/h', '{"publicKey":"0x00"}')
    const asked = source([password])
    expect((await refusal(() => encryptKey(key(), accessOf({ source: asked })))).code).toBe('WALLET_CORRUPT')
    expect(asked.asked).toEqual([])
  })

  it.each([
    ['is missing', null, /is missing; give it with --password-file/],
    ['is short', source(['1234567'], false), /shorter than 8/],
    ['is never typed twice alike', source(['12345678', '1', '12345678', '2', '12345678', '3']), /3 tries/],
    ['is typed too short three times', source(['1', '2', '3']), /3 tries/],
  ])('nothing is changed when the new password %s', async (_, given, message) => {
    createWallet({ wallets, ...hot, generateMnemonic })
    const before = readFileSync(join(wallets, 'w/hotkeys/h'))
    expect(await refusal(() => encryptKey(key(), accessOf({ source: given })))).toMatchObject({
      code: 'WALLET_PASSWORD_NEW',
      message: expect.stringMatching(message),
    })
    expect(readFileSync(join(wallets, 'w/hotkeys/h'))).toEqual(before)
  })

  it('nonces differ, so that two keys of one password share no key stream', () => {
    const of = { content: Buffer.from('same'), key: new Uint8Array(32) }
    const [one, two] = [1, 2].map((byte) => sealKeyfile({ ...of, nonce: new Uint8Array(24).fill(byte) }))
    expect(one).not.toEqual(two)
  })
})

describe('any file at all', () => {
  const names = ['', '$ANSIBLE_VAULT;1.1;AES256\n', 'gAAAAA', '$NACL', '{', '{"cryptoType":1,']
  it('is refused with a code of its own when it is no keyfile', async () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.constantFrom(...names), fc.string({ maxLength: 30 })).map((parts) => Buffer.from(parts.join(''))),
      fc.nat(legacy.ansible.length - 5).map((length) => Buffer.from(legacy.ansible.slice(0, length))),
      fc.json().map((text) => Buffer.from(text)),
    )
    await fc.assert(
      fc.asyncProperty(content, async (bytes) => {
        put('w/hotkeys/h', bytes)
        const open = () => openHotkey({ wallets, ...hot }, accessOf({ ...quick, source: source([password]) }))
        expect((await refusal(open)).code).toMatch(/^WALLET_(CORRUPT|PASSWORD|FORMAT|KEY_TYPE)$/)
      }),
      { seed: 5, numRuns: 300 },
    )
  })
})

describe('where a password comes from', () => {
  const context = (env: Record<string, string> = {}, stdin?: PassThrough & { isTTY?: boolean }) => {
    const said: string[] = []
    const output = { write: (text: string) => said.push(text) }
    return { signal: never, env, stdout: output, stderr: output, cwd: wallets, homedir: wallets, stdin, said }
  }
  const ask = async (of: ReturnType<typeof context>, options: { passwordFile?: string } = {}) =>
    Buffer.from(
      (await keyAccess(of, options).password('hotkey')?.ask({ question: 'Password', signal: never })) ?? [],
    ).toString()

  it('file comes before the credential, and the credential before the terminal', async () => {
    put('password', 'of the file\n')
    put('credentials/arbor-hotkey-password', 'of systemd', 0o440)
    const terminal = Object.assign(new PassThrough(), { isTTY: true })
    terminal.write('of the person\r')
    const env = { CREDENTIALS_DIRECTORY: join(wallets, 'credentials') }
    expect(await ask(context(env, terminal), { passwordFile: 'password' })).toBe('of the file')
    expect(await ask(context(env, terminal))).toBe('of systemd')
    const asked = context({}, terminal)
    expect(await ask(asked)).toBe('of the person')
    expect(asked.said).toEqual(['Password: ', '\n'])
    expect(keyAccess(context(), {}).password('hotkey')).toBeNull()
    expect(keyAccess(context(env), {}).password('coldkey')).toBeNull()
  })

  it.each([
    ['one newline', 'p\n', 'p'],
    ['a newline of Windows', 'p\r\n', 'p'],
    ['none', 'p', 'p'],
    ['two', 'p\n\n', 'p\n'],
    ['a blank before it', 'p \n', 'p '],
  ])('file that ends with %s gives the password without the last one', async (_, text, expected) => {
    put('password', text)
    expect(await ask(context(), { passwordFile: 'password' })).toBe(expected)
  })

  it.each([
    ['can be read by others', 'secret', 0o640, /chmod 600/],
    ['is empty', '\n', 0o600, /empty/],
    ['is no password', 'x'.repeat(5000), 0o600, /longer than 1024/],
  ])('file that %s is refused', async (_, text, mode, message) => {
    put('password', text, mode)
    const error = await refusal(() => ask(context(), { passwordFile: 'password' }))
    expect(error).toMatchObject({ code: 'WALLET_PASSWORD_FILE', message: expect.stringMatching(message) })
    expect(error.message).not.toContain('secret')
  })

  it('file that is missing or a folder is refused, and nothing else is tried', async () => {
    put('credentials/arbor-hotkey-password', 'of systemd')
    const env = { CREDENTIALS_DIRECTORY: join(wallets, 'credentials') }
    for (const passwordFile of ['absent', 'credentials'])
      expect((await refusal(() => ask(context(env), { passwordFile }))).code).toBe('WALLET_PASSWORD_FILE')
  })

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('question ends when the person types %s', async (_, key) => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true })
    stdin.write(`half${key}`)
    const asking = () => passwordPrompt(context({}, stdin))?.ask({ question: 'Password', signal: never })
    stdin.write(key === '\u0004' ? '\u0015\u0004' : '') // Ctrl-D ends an empty line only
    expect((await refusal(asking)).code).toBe('WALLET_PROMPT_ENDED')
  })

  it('question ends when the command is stopped', async () => {
    const stop = new AbortController()
    const stdin = Object.assign(new PassThrough(), { isTTY: true })
    const asking = passwordPrompt(context({}, stdin))?.ask({ question: 'Password', signal: stop.signal })
    const reason = new Error('stopped')
    stop.abort(reason)
    await expect(asking).rejects.toBe(reason)
  })

  it.each([
    'ARBOR_MNEMONIC',
    'ARBOR_HOTKEY_SEED',
    'ARBOR_PASSWORD',
    'ARBOR_COLDKEY_PRIVATE_KEY',
  ])('secret in %s is refused by name, without its value', async (name) => {
    const error = await refusal(() => keyAccess(context({ [name]: 'hunter2-hunter2' }), {}))
    expect(error).toMatchObject({ code: 'WALLET_SECRET_IN_ENVIRONMENT', message: expect.stringContaining(name) })
    expect(JSON.stringify([error.message, error.details])).not.toContain('hunter2')
  })

  it.each([
    ['HOTKEY_PHRASE', 'legal winner thank year wave sausage worth useful legal winner thank yellow', true],
    ['MINER_SEED', `0x${'ab'.repeat(32)}`, true],
    ['BT_PW_X', 'anything', true],
    ['RANDOM_SEED', '42', false],
    ['GREETING_PHRASE', 'hello there', false],
    ['COMMIT', 'ab'.repeat(32), false],
  ])('variable %s is warned of by name when it looks like a secret', (name, value, isWarned) => {
    const of = context({ [name]: value })
    keyAccess(of, {})
    expect(of.said.join('').includes(name)).toBe(isWarned)
    expect(of.said.join('')).not.toContain(value)
  })
})
