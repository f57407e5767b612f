import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { networkOption, urlOption } from '../src/options.ts'

const parse = (option: ReturnType<typeof networkOption>, env: string | undefined, ...words: string[]) => {
  const before = process.env.ARBOR_NETWORK
  if (env === undefined) delete process.env.ARBOR_NETWORK
  else process.env.ARBOR_NETWORK = env
  try {
    const command = new Command('x')
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
      .addOption(option)
    command.parse(words, { from: 'user' })
    return command.opts()
  } finally {
    if (before === undefined) delete process.env.ARBOR_NETWORK
    else process.env.ARBOR_NETWORK = before
  }
}

describe('--network', () => {
  it.each([
    ['nothing', undefined, [], ['ws://127.0.0.1:9944']],
    ['one address', undefined, ['--network', 'ws://a:1'], ['ws://a:1']],
    ['a list', undefined, ['--network', 'ws://a:1, wss://b'], ['ws://a:1', 'wss://b']],
    [
      'it repeated',
      undefined,
      ['--network', 'ws://a:1', '--network', 'ws://b:1,ws://c:1'],
      ['ws://a:1', 'ws://b:1', 'ws://c:1'],
    ],
    ['the environment', 'ws://a:1,ws://b:1', [], ['ws://a:1', 'ws://b:1']],
    ['it and the environment', 'ws://a:1', ['--network', 'ws://b:1'], ['ws://b:1']],
  ])('addresses are those given by %s', (_, env, words, network) => {
    expect(parse(networkOption(), env, ...words)).toEqual({ network })
  })

  it.each(['', 'http://a', 'ws://', 'ws://a:1,', 'ws://a b'])('what is no address is refused: %j', (text) => {
    expect(() => parse(networkOption(), undefined, '--network', text)).toThrow(/is no WebSocket address/)
  })

  it('--url takes one address, and says so when there are several', () => {
    expect(parse(urlOption(), 'ws://a:1')).toEqual({ url: 'ws://a:1' })
    expect(() => parse(urlOption(), 'ws://a:1,ws://b:1')).toThrow(/speaks to one chain node/)
  })
})
