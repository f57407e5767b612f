import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import legacy from '../vectors/wallet/legacy.json' with { type: 'json' }
import { main } from './support/process.ts'
import { arbor } from './support/real-chain.ts'

const { password } = legacy
let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'arbor-password-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const put = (path: string, text: string): string => {
  const full = join(home, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, text)
  chmodSync(full, 0o600)
  return full
}
const folder = () => join(home, '.bittensor', 'wallets')
const hotkeyFile = 'w/hotkeys/default'
/** A hotkey whose vault opens in an instant. */
const putHotkey = (): string => put(join('.bittensor', 'wallets', hotkeyFile), legacy.ansible)

/** A command at a terminal of its own: what it shows, and what is typed when it asks. */
const atTerminal = (words: readonly string[]) => {
  const line = [process.execPath, main, ...words].map((word) => `'${word}'`).join(' ')
  const child: ChildProcessWithoutNullStreams = spawn('script', ['-qefc', line, '/dev/null'], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, TERM: 'dumb' },
  })
  let shown = ''
  const waiting = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    shown += piece
    for (const wake of waiting) wake()
  })
  const ended = once(child, 'close')
  return {
    /** Waits for a question and types an answer. */
    answer: async (question: RegExp, typed: string): Promise<void> => {
      while (!question.test(shown)) {
        const { promise, resolve } = Promise.withResolvers<void>()
        waiting.add(resolve)
        await Promise.race([promise, ended.then(() => Promise.reject(new Error(`it ended:\n${shown}`)))])
        waiting.delete(resolve)
      }
      shown = shown.replace(question, '')
      child.stdin.write(typed)
    },
    end: async (): Promise<{ readonly code: number | null; readonly shown: string }> => {
      const [code] = await ended
      return { code: code as number | null, shown }
    },
  }
}

describe('a password at a terminal', () => {
  test('is not shown, and a mistyped one may be typed again', async () => {
    putHotkey()
    const terminal = atTerminal(['wallet', 'public', 'hotkey', '--wallet', 'w'])
    await terminal.answer(/Password of .*default: /, 'wrong-password\r')
    await terminal.answer(/2 tries left[\s\S]*Password of .*default: /, `${password}\r`)
    const { code, shown } = await terminal.end()
    expect(code).toBe(0)
    expect(shown).toContain('defaultpub.txt is written')
    expect(shown).not.toContain(password)
    expect(shown).not.toContain('wrong-password')
  })

  test('is asked three times and no more', async () => {
    putHotkey()
    const terminal = atTerminal(['wallet', 'public', 'hotkey', '--wallet', 'w'])
    for (let i = 0; i < 3; i += 1) await terminal.answer(/Password of .*default: /, 'wrong\r')
    const { code, shown } = await terminal.end()
    expect({ code, shown }).toEqual({ code: 1, shown: expect.stringMatching(/WALLET_PASSWORD: the password typed/) })
  })

  test('question is ended by Ctrl-C, with the key as it was', async () => {
    const path = putHotkey()
    const terminal = atTerminal(['wallet', 'decrypt', 'hotkey', '--wallet', 'w'])
    await terminal.answer(/Password of .*default: /, 'half\u0003')
    expect(await terminal.end()).toEqual({ code: 1, shown: expect.stringContaining('WALLET_PROMPT_ENDED') })
    expect(readFileSync(path, 'utf8')).toBe(legacy.ansible)
  })

  test('new one is typed twice, and nothing leaves a new wallet open', async () => {
    const terminal = atTerminal(['wallet', 'create', '--wallet', 'new'])
    await terminal.answer(/New password of the coldkey, or nothing.*: /, '\r')
    expect(await terminal.end()).toEqual({ code: 0, shown: expect.stringContaining('lies open') })
    const second = atTerminal(['wallet', 'encrypt', 'hotkey', '--wallet', 'new'])
    await second.answer(/New password of the hotkey: /, 'one-password\r')
    await second.answer(/The same again: /, 'two-passwords\r')
    await second.answer(/the two differ[\s\S]*New password of the hotkey: /, 'one-password\r')
    await second.answer(/The same again: /, 'one-password\r')
    expect(await second.end()).toEqual({ code: 0, shown: expect.stringContaining('is encrypted now') })
    expect(readFileSync(join(folder(), 'new/hotkeys/default')).subarray(0, 5).toString()).toBe('$NACL')
  })
})

describe('a password without a terminal', () => {
  test('is refused with what to do when none comes, and opens the key from a file or a credential', async () => {
    putHotkey()
    const words = ['wallet', 'public', 'hotkey', '--wallet', 'w']
    expect(await arbor(home, ...words)).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^WALLET_ENCRYPTED: .*--password-file, or the systemd credential arbor-hotkey-password/,
      ),
    })
    const file = put('password', `${password}\n`)
    expect(await arbor(home, ...words, '--password-file', file)).toMatchObject({ code: 0, err: '' })
    put('credentials/arbor-hotkey-password', password)
    const env = { PATH: process.env.PATH, HOME: home, CREDENTIALS_DIRECTORY: join(home, 'credentials') }
    const child = spawn(
      process.execPath,
      [main, 'wallet', 'passwd', 'hotkey', '--wallet', 'w', '--new-password-file', file],
      {
        env,
        stdio: 'ignore',
      },
    )
    expect(await once(child, 'close')).toEqual([0, null])
    expect(readFileSync(join(folder(), hotkeyFile)).subarray(0, 5).toString()).toBe('$NACL')
  })

  test.each([
    'miner',
    'validator',
  ])('%s opens the encrypted hotkey, and refuses a secret in its environment', async (role) => {
    putHotkey()
    const file = put('password', password)
    const words = [role, '--wallet', 'w', '--spec', 'inference-tiny', '--network', 'ws://127.0.0.1:1', '--model']
    const model = fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url))
    expect((await arbor(home, ...words, model)).err).toMatch(/WALLET_ENCRYPTED: /)
    // It goes on to what comes after the key: a model that is not there.
    expect((await arbor(home, ...words, join(home, 'none'), '--password-file', file)).err).toMatch(/MODEL_MISSING: /)
    for (const keys of [words, [role, '--signer', join(home, 'nowhere'), ...words.slice(3)]]) {
      const child = spawn(process.execPath, [main, ...keys, model], {
        env: {
          PATH: process.env.PATH,
          HOME: home,
          NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
          ARBOR_MNEMONIC: legacy.password,
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let said = ''
      child.stderr.on('data', (piece) => {
        said += String(piece)
      })
      expect(await once(child, 'close')).toEqual([1, null])
      expect(said).toMatch(/WALLET_SECRET_IN_ENVIRONMENT: the environment variable ARBOR_MNEMONIC is set/)
      expect(said).not.toContain(legacy.password)
    }
  })
})

describe('a keyfile that is written anew', () => {
  test('is the old one or the new one, whole, whenever the process is killed', async () => {
    const SIZE = 2_000_000 // much more than a key, so that a file written in place would be caught half written
    const path = put('key', 'a'.repeat(SIZE))
    const module = fileURLToPath(new URL('../../chain/src/wallet/replace-file.ts', import.meta.url))
    const code = `import { replaceFile } from ${JSON.stringify(module)}
      import { randomBytes } from 'node:crypto'
      console.log('ready')
      for (let i = 0; ; i += 1) replaceFile({ path: ${JSON.stringify(path)}, content: Buffer.alloc(${SIZE}, i % 2 ? 'a' : 'b'), randomBytes })`
    for (let i = 0; i < 12; i += 1) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout, 'data')
      for (let spin = 0; spin < i * 3; spin += 1) await new Promise(setImmediate)
      child.kill('SIGKILL')
      await once(child, 'close')
      const content = readFileSync(path)
      expect(content.equals(Buffer.alloc(SIZE, content[0]))).toBe(true)
    }
    expect(readdirSync(home).filter((name) => !name.startsWith('.'))).toEqual(['key'])
  })
})
