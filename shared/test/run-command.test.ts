import { describe, expect, test } from 'vitest'
import type { CommandContext } from '../src/command.ts'
import { SubnetError } from '../src/errors.ts'
import { type Host, type RunnableCommand, runCommand } from '../src/run-command.ts'

const run = async (
  action: (context: CommandContext, host: TestHost) => Promise<void>,
  env: Record<string, string> = {},
): Promise<TestHost> => {
  const host = testHost(env)
  const factory = (context: CommandContext): RunnableCommand => ({
    commands: [],
    exitOverride: () => undefined,
    configureOutput: () => undefined,
    parseAsync: () => action(context, host),
  })
  await runCommand(factory, host)
  return host
}

interface TestHost extends Host {
  readonly exits: number[]
  err: string
  readonly listeners: Map<string, () => void>
}
const testHost = (env: Record<string, string>): TestHost => {
  const host: TestHost = {
    argv: ['node', 'arbor'],
    env,
    exits: [],
    err: '',
    listeners: new Map(),
    stdout: { write: () => undefined },
    stderr: {
      write: (text) => {
        host.err += text
      },
    },
    cwd: () => '/',
    on: (event, listener) => host.listeners.set(event, listener),
    exit: (code) => host.exits.push(code),
  }
  return host
}

describe('command', () => {
  test('exits 0 when its action ends', async () => {
    expect((await run(async () => undefined)).exits).toEqual([0])
  })

  test('says a stated reason in one line and exits 1', async () => {
    const host = await run(() => Promise.reject(new SubnetError({ code: 'QUEUE_CLOSED', message: 'two\nlines' })))
    expect([host.err, host.exits]).toEqual(['QUEUE_CLOSED: two lines\n', [1]])
  })

  test.each([
    'SUPERVISE_BUDGET_SPENT',
    'SUPERVISE_LOOP_ENDED',
    'SUPERVISE_STUCK',
  ])('exits 75 when a part of it gave up with %s, so that whoever restarts processes starts it again (C-02)', async (code) => {
    const host = await run(() => Promise.reject(new SubnetError({ code, message: '"rounds" failed' })))
    expect([host.err, host.exits]).toEqual([`${code}: "rounds" failed\n`, [75]])
  })

  test('exits 70 on a fault, with the stack when asked', async () => {
    const fault = () => Promise.reject(new Error('oops'))
    expect((await run(fault)).err).toMatch(/^INTERNAL: oops[^\n]*\n$/)
    const host = await run(fault, { ARBOR_DEBUG: '1' })
    expect([host.err.includes('at fault') || host.err.includes('Error: oops'), host.exits]).toEqual([true, [70]])
  })

  test.each([
    [0, 0],
    [1, 2],
  ])('exits by what commander says: %i becomes %i', async (exitCode, expected) => {
    const host = await run(() => Promise.reject(Object.assign(new Error('usage'), { code: 'commander.x', exitCode })))
    expect([host.err, host.exits]).toEqual(['', [expected]])
  })

  test.each([
    'SIGINT',
    'SIGTERM',
    'disconnect',
  ])('is stopped by %s and then exits 0, and a second signal exits at once', async (event) => {
    const host = await run(async ({ signal }, { listeners }) => {
      listeners.get(event)?.()
      if (event !== 'disconnect') listeners.get(event)?.()
      signal.throwIfAborted()
    })
    expect(host.exits).toEqual(event === 'disconnect' ? [0] : [130, 0])
  })
})
