import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = join(root, 'cli', 'src', 'main.ts')
const run = promisify(execFile)
const { PATH, NODE_COMPILE_CACHE } = process.env

/** Blocks of a page that say they can be run: ```sh run, ```ts run. */
const blocks = (page: string, language: string): readonly string[] =>
  [
    ...readFileSync(join(root, page), 'utf8').matchAll(new RegExp(`^\`\`\`${language} run\n([\\s\\S]*?)^\`\`\``, 'gm')),
  ].map((match) => match[1] ?? '')

/** Waits for a chain that logs JSON to say where it listens. */
const readyUrl = async (chain: ChildProcess): Promise<string> => {
  const said: string[] = []
  for await (const line of createInterface({ input: chain.stderr as NodeJS.ReadableStream })) {
    said.push(line)
    const event = JSON.parse(line) as { event?: string; url?: string }
    if (event.event !== 'chain.ready') continue
    chain.stderr?.resume()
    return event.url ?? ''
  }
  throw new Error(said.join('\n'))
}

describe('README', () => {
  test('shows a subnet that loads, plans and judges', async () => {
    const [example = ''] = blocks('README.md', 'ts')
    // Node strips no types below node_modules, so the example goes beside the specs
    const file = join(root, 'subnet-spec', `.example-${process.pid}.ts`)
    writeFileSync(file, example)
    try {
      const spec = await loadSpec(file)
      const task = spec.tasks[spec.pick({ seed: '0x00' })]
      const request = task?.plan({ seed: `0x${'ab'.repeat(32)}` })
      const binding = `0x${'00'.repeat(32)}` as const
      const context = { request, binding, engine: undefined as never, signal: new AbortController().signal }
      const response = await task?.solve(context)
      const timing = { class: 0 }
      expect(await task?.score({ ...context, response, timing })).toMatchObject({ reason: 'ok', value: 1 })
      expect(await task?.score({ ...context, response: { text: 'x' }, timing })).toMatchObject({ value: 0 })
    } finally {
      rmSync(file)
    }
  })

  test('names only folders, pages and scripts that exist', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    for (const page of [
      'README.md',
      'CONTRIBUTING.md',
      ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
    ]) {
      const text = readFileSync(join(root, page), 'utf8')
      for (const [, link = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        expect(() => readdirOrFile(join(root, page, '..', link)), `${page} links ${link}`).not.toThrow()
      }
      for (const [, script = ''] of text.matchAll(/npm run ([a-z]+)/g))
        expect(manifest.scripts, page).toHaveProperty(script)
    }
  })
})

const readdirOrFile = (path: string): void => {
  try {
    readdirSync(path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOTDIR')) throw error
  }
}

describe('docs/join.md', () => {
  let chain: ChildProcess
  let home: string
  let url = ''

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'arbor-join-'))
    chain = spawn(process.execPath, [main, 'chain', 'run', '--dev', '--json', '--port', '0', '--block-time', '250ms'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    url = await readyUrl(chain)
  })
  afterAll(() => {
    chain.kill('SIGKILL')
    rmSync(home, { recursive: true, force: true })
  })

  test('runs command by command from another folder with new wallets', async () => {
    const commands = blocks('docs/join.md', 'sh').flatMap((block) => block.trim().split('\n'))
    expect(commands.length).toBeGreaterThan(8)
    for (const command of commands) {
      const [program, ...args] = command.split(/\s+/)
      expect(program).toBe('arbor')
      const local = args[0] === 'wallet' ? args : [...args, '--network', url]
      await run(process.execPath, [main, ...local], { cwd: home, env: { HOME: home, PATH, NODE_COMPILE_CACHE } })
    }
    const { stdout } = await run(process.execPath, [main, 'subnet', 'show', '2', '--json', '--network', url], {
      cwd: home,
      env: { HOME: home, NODE_COMPILE_CACHE },
    })
    const { neurons } = JSON.parse(stdout) as { neurons: readonly { uid: number; stakeRao?: string }[] }
    expect(neurons).toHaveLength(3) // the owner, the miner, the validator
  }, 120_000)
})

describe('docs/keys.md', () => {
  test('runs command by command with passwords in files', async () => {
    const home = mkdtempSync(join(tmpdir(), 'arbor-keys-page-'))
    try {
      for (const name of ['password', 'other-password'])
        writeFileSync(join(home, name), `the-${name}\n`, { mode: 0o600 })
      const commands = blocks('docs/keys.md', 'sh').flatMap((block) => block.trim().split('\n'))
      expect(commands.length).toBeGreaterThan(5)
      for (const command of commands) {
        const [program, ...args] = command.split(/\s+/)
        expect(program).toBe('arbor')
        await run(process.execPath, [main, ...args], { cwd: home, env: { HOME: home, PATH, NODE_COMPILE_CACHE } })
      }
      const { stdout } = await run(process.execPath, [main, 'wallet', 'show', '--wallet', 'mine', '--json'], {
        env: { HOME: home, NODE_COMPILE_CACHE },
      })
      expect(JSON.parse(stdout)).toMatchObject({
        coldkeyState: 'encrypted',
        hotkeys: [
          { name: 'default', state: 'open' },
          { name: 'second', state: 'open' },
        ],
      })
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  }, 120_000)
})

describe('docs/chain.md', () => {
  let home: string
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'arbor-chain-page-'))
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  /** Runs a block as one session: a line that runs a chain leaves it running for those after it, up to `# stop`. */
  const session = async (lines: readonly string[]): Promise<void> => {
    let chain: ChildProcess | undefined
    let url = ''
    const stop = async (): Promise<void> => {
      if (chain === undefined) return
      const ended = once(chain, 'exit')
      chain.kill('SIGTERM')
      expect(await ended).toEqual([0, null])
      chain = undefined
    }
    try {
      for (const line of lines) {
        const [program, ...args] = line.split(/\s+/)
        if (line === '# stop') await stop()
        else if (args[0] === 'chain' && args[1] === 'run') {
          await stop()
          const port = args.indexOf('--port')
          if (port > 0) args.splice(port, 2)
          chain = spawn(process.execPath, [main, ...args, '--port', '0', '--json'], {
            cwd: home,
            stdio: ['ignore', 'ignore', 'pipe'],
          })
          url = await readyUrl(chain)
          await untilBlock(url, 5)
        } else {
          expect(program).toBe('arbor')
          await run(process.execPath, [main, ...args], {
            cwd: home,
            env: { HOME: home, PATH, NODE_COMPILE_CACHE, ARBOR_NETWORK: url },
          })
        }
      }
    } finally {
      await stop()
    }
  }

  const sessions = blocks('docs/chain.md', 'sh').map((block) => block.trim().split('\n'))

  test.each(sessions.map((lines) => [lines[0], lines] as const))('runs what begins with %s', async (_, lines) => {
    await session(lines)
  })

  test('has commands to run', () => {
    expect(sessions.flat().length).toBeGreaterThan(5)
  })
})

const untilBlock = async (url: string, number: number): Promise<void> => {
  for (;;) {
    const { stdout } = await run(process.execPath, [main, 'chain', 'status', '--json', '--url', url])
    if ((JSON.parse(stdout) as { best: number }).best >= number) return
  }
}
