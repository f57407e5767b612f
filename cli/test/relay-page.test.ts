import { readFileSync } from 'node:fs'
import { minerCommand } from '@arbor/miner/command'
import type { CommandContext } from '@arbor/shared/command'
import { validatorCommand } from '@arbor/validator/command'
import { relayCommand } from '@arbor/validator/relay/command'
import type { Command } from 'commander'
import { expect, test } from 'vitest'

const page = readFileSync(new URL('../../docs/relay.md', import.meta.url), 'utf8')
const context: CommandContext = {
  signal: new AbortController().signal,
  env: {},
  stdin: process.stdin,
  stdout: { write: () => true },
  stderr: { write: () => true },
  cwd: '/',
  homedir: '/',
}
const commands: Readonly<Record<string, Command>> = {
  relay: relayCommand(context),
  miner: minerCommand(context),
  validator: validatorCommand(context),
}

test('the page about relays shows commands that are read as they stand', () => {
  const lines = [...page.matchAll(/arbor (relay|miner|validator) ([^`|\n]*)/g)]
  expect(lines.length).toBeGreaterThan(4)
  for (const [, name = '', words = ''] of lines) {
    const command = commands[name]
    if (command === undefined) throw new Error(`no command ${name}`)
    const argv = words.replaceAll('HOST', 'relay.example.org').replaceAll('ADDRESS', '192.0.2.1').trim().split(/\s+/)
    command.exitOverride()
    expect(() => command.parseOptions(argv)).not.toThrow()
    expect(command.parseOptions(argv).unknown).toEqual([])
  }
})

test('the page about relays names no flag that nobody has', () => {
  const known = new Set(Object.values(commands).flatMap(({ options }) => options.map(({ long }) => long)))
  const named = [...page.matchAll(/`[^`]*?(--[a-z][a-z-]*)/g)].map((match) => match[1] ?? '')
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((flag) => !known.has(flag) && flag !== '--from')).toEqual([])
})
