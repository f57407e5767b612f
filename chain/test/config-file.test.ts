import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandContext } from '@arbor/shared/command'
import { Command, InvalidArgumentError, Option } from 'commander'
import { afterAll, describe, expect, test } from 'vitest'
import { withConfig } from '../src/config-file.ts'
import { integerArgument, networkOption } from '../src/options.ts'

const cwd = mkdtempSync(join(tmpdir(), 'arbor-config-'))
afterAll(() => rmSync(cwd, { recursive: true }))
const context: CommandContext = {
  signal: new AbortController().signal,
  env: {},
  stdout: { write: () => true },
  stderr: { write: () => true },
  cwd,
  homedir: cwd,
}

/** Runs a command of all kinds of options with a file of settings. @returns the options that its action got */
const optionsBy = async (settings: unknown, ...flags: readonly string[]): Promise<Record<string, unknown>> => {
  writeFileSync(join(cwd, 'settings.json'), typeof settings === 'string' ? settings : JSON.stringify(settings))
  let got: Record<string, unknown> = {}
  const command = new Command('validator')
    .exitOverride()
    .addOption(networkOption())
    .option('--threads <n>', 'threads', integerArgument(1, 64), 1)
    .option('--no-seal', 'unsealed')
    .option('--bittensor', 'both')
    .option('--webhook <url>', 'alarms')
    .option(
      '--name <host:port...>',
      'names',
      (text: string, before: readonly string[]) => {
        if (!text.includes(':')) throw new InvalidArgumentError('no host:port')
        return [...before, text]
      },
      [],
    )
    .addOption(new Option('--private-addresses <rule>', 'rule').choices(['allow', 'refuse', 'auto']).default('auto'))
    .action((options: Record<string, unknown>) => {
      got = options
    })
  await withConfig(command, context).parseAsync(['node', 'arbor', '--config', 'settings.json', ...flags])
  return got
}

describe('a file of settings', () => {
  test('sets what flags set, by their names', async () => {
    expect(
      await optionsBy({
        network: ['ws://a:1', 'ws://b:2'],
        threads: 8,
        seal: false,
        bittensor: true,
        name: ['x:1', 'y:2'],
        'private-addresses': 'refuse',
      }),
    ).toMatchObject({
      network: ['ws://a:1', 'ws://b:2'],
      threads: 8,
      seal: false,
      bittensor: true,
      name: ['x:1', 'y:2'],
      privateAddresses: 'refuse',
    })
  })

  test('gives way to flags', async () => {
    expect(
      await optionsBy({ threads: 8, network: 'ws://a:1' }, '--threads', '2', '--network', 'ws://c:3'),
    ).toMatchObject({
      threads: 2,
      network: ['ws://c:3'],
    })
  })

  test('leaves defaults where it says nothing', async () => {
    expect(await optionsBy({})).toMatchObject({ threads: 1, seal: true, name: [], privateAddresses: 'auto' })
  })

  test.each([
    [
      'an unknown key, with the nearest known one',
      { thread: 8 },
      'CONFIG_UNKNOWN_KEY',
      /"thread"; did you mean "threads"/,
    ],
    ['an unknown key that resembles none', { colour: 1 }, 'CONFIG_UNKNOWN_KEY', /"colour"; known are network, threads/],
    [
      'a key in the form of a negated flag',
      { 'no-seal': true },
      'CONFIG_UNKNOWN_KEY',
      /"no-seal"; did you mean "seal"/,
    ],
    ['a number out of its bounds', { threads: 99 }, 'CONFIG_INVALID', /"threads" is 99: .*from 1 to 64/],
    ['a text for a switch', { bittensor: 'yes' }, 'CONFIG_INVALID', /"bittensor" is "yes": true or false is due/],
    ['an object for a value', { network: { a: 1 } }, 'CONFIG_INVALID', /"network" .*a text or a number is due/],
    ['several values where one is due', { webhook: ['a', 'b'] }, 'CONFIG_INVALID', /one value is due/],
    [
      'a choice that is none',
      { 'private-addresses': 'maybe' },
      'CONFIG_INVALID',
      /"private-addresses" is "maybe": .*allow/,
    ],
    ['one bad element of several', { name: ['x:1', 'y'] }, 'CONFIG_INVALID', /no host:port/],
    ['no JSON', '{ threads: 8', 'CONFIG_NOT_JSON', /settings.json is no JSON/],
    ['no object', '[1]', 'CONFIG_NOT_JSON', /holds no JSON object/],
  ])('is refused with %s', async (_, settings, code, message) => {
    await expect(optionsBy(settings)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('is refused when it is not there', async () => {
    const command = withConfig(
      new Command('x').exitOverride().action(() => undefined),
      context,
    )
    await expect(command.parseAsync(['node', 'x', '--config', 'none.json'])).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
    })
  })
})
