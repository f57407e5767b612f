import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandContext } from '@arbor/shared/command'
import type { UnixMs } from '@arbor/shared/units'
import { afterAll, describe, expect, test } from 'vitest'
import { validatorCommand } from '../validator/src/command.ts'
import { ALARMS } from '../validator/src/health/alarms.ts'
import { noticeBody } from '../validator/src/health/notice.ts'

const page = readFileSync(new URL('../docs/operating.md', import.meta.url), 'utf8')
const blockOf = (name: string): string =>
  new RegExp(`^\`\`\`${name}\n([\\s\\S]*?)^\`\`\``, 'm').exec(page)?.[1] ?? expect.fail(`no block "${name}"`)

const cwd = mkdtempSync(join(tmpdir(), 'arbor-operating-'))
afterAll(() => rmSync(cwd, { recursive: true }))
const context: CommandContext = {
  signal: new AbortController().signal,
  env: {},
  stdout: { write: () => true },
  stderr: { write: () => true },
  cwd,
  homedir: cwd,
}

/** Reads flags by the validator's own command, as far as to its action. */
const optionsOf = async (words: readonly string[]): Promise<Record<string, unknown>> => {
  const read = new Error('the options are read')
  const command = validatorCommand(context).exitOverride()
  command.hook('preAction', () => {
    throw read
  })
  await expect(command.parseAsync(['node', 'arbor', ...words])).rejects.toBe(read)
  return command.opts()
}

describe('docs/operating.md', () => {
  test('shows a file of settings that a validator takes', async () => {
    writeFileSync(join(cwd, 'validator.json'), blockOf('json config'))
    expect(await optionsOf(['--config', 'validator.json'])).toMatchObject({
      network: ['wss://chain.example', 'wss://other.example'],
      netuid: 7,
      threads: 4,
      health: { host: '127.0.0.1', port: 9464 },
      webhook: 'https://hooks.example/services/arbor',
    })
  })

  test('shows a unit whose flags a validator takes, and that starts it again', async () => {
    const unit = Object.fromEntries(
      [...blockOf('ini systemd').matchAll(/^(\w+)=(.*)$/gm)].map(([, key, value]) => [key ?? '', value ?? '']),
    )
    const [node, main, name, ...flags] = (unit.ExecStart ?? '').split(' ')
    expect([node, main, name]).toEqual(['/srv/arbor/node_modules/.bin/node', 'cli/src/main.ts', 'validator'])
    const here = flags.map((flag) => flag.replace('/etc/arbor', cwd))
    expect(await optionsOf(here)).toMatchObject({ wallet: 'validator' })
    expect(unit).toMatchObject({ Restart: 'always', StartLimitIntervalSec: '0' })
  })

  test('shows a container whose flags a validator takes', async () => {
    const words = blockOf('sh docker').replaceAll('\\\n', ' ').trim().split(/\s+/)
    expect(await optionsOf(words.slice(words.indexOf('arbor-validator') + 1))).toMatchObject({
      data: '/data',
      health: { host: '127.0.0.1', port: 9464 },
    })
  })

  test('shows rules by metrics that there are', () => {
    const named = [...blockOf('yaml prometheus').matchAll(/arbor_validator_\w+/g)].map(([name]) => name)
    expect(named.length).toBeGreaterThan(2)
    for (const name of named) expect(page).toMatch(new RegExp(`^\\| \`${name}[\`{]`, 'm'))
  })

  test('lists every alarm, and shows a notice as it is posted', () => {
    const [, table = ''] = page.split('## Being woken')
    expect([...table.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name)).toEqual(ALARMS)
    const { type, text, alarm, state, at, message, ...about } = JSON.parse(blockOf('json notice')) as Record<
      string,
      string
    >
    const made = JSON.parse(
      noticeBody(
        { alarm: 'stale-chain', state: 'firing', at: Date.parse(at ?? '') as UnixMs, message: message ?? '' },
        about,
      ),
    ) as Record<string, string>
    expect(made).toEqual({
      type,
      alarm,
      state,
      at,
      message,
      ...about,
      text: expect.stringContaining(text?.replace('…', '') ?? ''),
    })
  })
})
