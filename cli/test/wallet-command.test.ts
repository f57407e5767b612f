import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandContext } from '@arbor/shared/command'
import { runCommand } from '@arbor/shared/run-command'
import type { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { registerCommand } from '../src/register.ts'
import { stakeCommand } from '../src/stake.ts'
import { subnetCommand } from '../src/subnet.ts'
import { walletCommand, walletSchema } from '../src/wallet.ts'
import { createdSchema } from '../src/wallet-create.ts'

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'arbor-home-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const run = async (factory: (context: CommandContext) => Command, ...words: string[]) => {
  const result = { out: '', err: '', code: -1 }
  const append = (stream: 'out' | 'err') => (text: string) => {
    result[stream] += text
  }
  await runCommand(factory, {
    argv: ['node', 'arbor', ...words],
    env: { HOME: home },
    stdout: { write: append('out') },
    stderr: { write: append('err') },
    cwd: () => home,
    on: () => undefined,
    exit: (code) => {
      result.code = code
    },
  })
  return result
}
const folder = () => join(home, '.bittensor', 'wallets')

describe('arbor wallet', () => {
  it('wallet is listed and shown as it was created', async () => {
    const created = await run(walletCommand, 'create', '--wallet', 'w', '--hotkey', 'h', '--json')
    expect(created).toMatchObject({ code: 0, err: '' })
    const { coldkey, hotkey } = createdSchema.parse(JSON.parse(created.out))
    const shown = await run(walletCommand, 'show', '--wallet', 'w', '--json')
    expect(walletSchema.parse(JSON.parse(shown.out))).toEqual({
      wallet: 'w',
      coldkey,
      coldkeyState: 'open',
      hotkeys: [{ name: 'h', address: hotkey, state: 'open' }],
    })
    const listed = await run(walletCommand, 'list', '--json')
    expect(JSON.parse(listed.out)).toEqual([JSON.parse(shown.out)])
    expect(statSync(join(folder(), 'w', 'coldkey')).mode & 0o777).toBe(0o600)
  })

  it('second hotkey keeps the coldkey and the first one', async () => {
    const first = createdSchema.parse(JSON.parse((await run(walletCommand, 'create', '--wallet', 'w', '--json')).out))
    const second = createdSchema.parse(
      JSON.parse((await run(walletCommand, 'create', '--wallet', 'w', '--hotkey', 'b', '--json')).out),
    )
    expect(second).toMatchObject({ coldkey: first.coldkey, coldkeyCreated: false })
    expect(await run(walletCommand, 'create', '--wallet', 'w', '--hotkey', 'b')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(
        /^WALLET_EXISTS: .*hotkeys\/b exists and is never overwritten; choose another name\n$/,
      ),
    })
  })

  it('secret is never printed', async () => {
    const { out, err } = await run(walletCommand, 'create', '--wallet', 'w')
    expect(out + err).not.toMatch(/secret|phrase|0x[0-9a-f]{64}|(\b[a-z]{3,8} ){11}/i)
  })

  it('list stays readable when one wallet is broken', async () => {
    await run(walletCommand, 'create', '--wallet', 'w')
    writeFileSync(join(folder(), 'w', 'coldkeypub.txt'), 'garbage')
    expect(await run(walletCommand, 'list')).toMatchObject({ code: 0, out: expect.stringMatching(/w +coldkey +-/) })
    expect(await run(walletCommand, 'show', '--wallet', 'w')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^WALLET_CORRUPT: /),
    })
  })

  it.each([
    [['create', '--nope'], /unknown option '--nope'/],
    [['create', 'extra'], /too many arguments/],
    [['melt'], /unknown command 'melt'/],
  ])('wrong usage %j ends with exit code 2 and one line', async (words, line) => {
    const result = await run(walletCommand, ...words)
    expect(result).toMatchObject({ code: 2, out: '' })
    expect(result.err).toMatch(line)
  })
})

describe('commands that need a key', () => {
  it.each([
    ['register', registerCommand, ['--netuid', '1']],
    ['stake add', stakeCommand, ['add', '--netuid', '1', '--amount', '1']],
    ['subnet create', subnetCommand, ['create']],
  ] as const)('%s names the missing wallet before it connects', async (_, factory, words) => {
    expect(await run(factory, ...words, '--wallet', 'ghost')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^WALLET_NOT_FOUND: .*ghost.*arbor wallet create.*\n$/),
    })
  })

  it.each([
    ['--netuid', '70000', /0 to 65535/],
    ['--netuid', '1.5', /0 to 65535/],
    ['--max-burn', '1e9', /no amount/],
    ['--max-burn', '0', /no amount/],
  ])('%s %s is refused as wrong usage', async (flag, value, line) => {
    const result = await run(registerCommand, '--netuid', '1', flag, value)
    expect(result.code).toBe(2)
    expect(result.err).toMatch(line)
  })

  it('hotkey that others can read is refused with the chmod', async () => {
    await run(walletCommand, 'create', '--wallet', 'w')
    rmSync(join(folder(), 'w', 'hotkeys', 'defaultpub.txt'))
    chmodSync(join(folder(), 'w', 'hotkeys', 'default'), 0o644)
    expect(await run(registerCommand, '--netuid', '1', '--wallet', 'w')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^WALLET_PERMISSIONS: .*chmod 600/),
    })
  })
})
