import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../../chain/src/main.ts', import.meta.url))
let folder: string
const children: ChildProcessWithoutNullStreams[] = []
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-chain-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const spawnChain = (...words: string[]): ChildProcessWithoutNullStreams => {
  const child = spawn(process.execPath, [main, ...words])
  children.push(child)
  return child
}

/** Runs a command that ends by itself. */
const finish = async (...words: string[]) => {
  const child = spawnChain(...words)
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { out, err, code }
}

interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly url: string
  readonly genesis: string
  readonly lines: readonly string[]
}

/** Runs the chain until it says that it is ready. */
const run = async (...words: string[]): Promise<Running> => {
  const child = spawnChain('run', '--json', '--port', '0', ...words)
  const lines: string[] = []
  const reader = createInterface({ input: child.stderr })
  const ready = new Promise<{ url: string; genesis: string }>((resolve, reject) => {
    reader.on('line', (line) => {
      lines.push(line)
      const entry = JSON.parse(line)
      if (entry.event === 'chain.ready') resolve(entry)
    })
    reader.on('close', () => reject(new Error(lines.join('\n'))))
  })
  const { url, genesis } = await ready
  return { child, url, genesis, lines }
}

const rpc = async (url: string, method: string, ...params: unknown[]): Promise<unknown> => {
  const response = await fetch(url.replace('ws', 'http'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = (await response.json()) as { result?: unknown; error?: unknown }
  if (error !== undefined) throw new Error(JSON.stringify(error))
  return result
}

const stop = async ({ child }: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
  child.kill(signal)
  const [code] = await once(child, 'exit')
  return code as number | null
}

describe('arbor chain run', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('the process ends cleanly on %s while it makes blocks', async (signal) => {
    const chain = await run('--dev', '--block-time', '100ms')
    expect(await stop(chain, signal)).toBe(0)
    expect(chain.lines.map((line) => JSON.parse(line).event).at(-1)).toBe('chain.stopped')
  })

  test('the chain goes on after a clean stop, and after kill -9', async () => {
    const words = ['--manual', '--data', join(folder, 'goes-on')]
    const first = await run(...words)
    const { hash } = (await rpc(first.url, 'engine_createBlock', true, true)) as { hash: string }
    expect(await stop(first)).toBe(0)
    const second = await run(...words)
    expect(second.genesis).toBe(first.genesis)
    expect(await rpc(second.url, 'chain_getHead')).toBe(hash)
    expect(await rpc(second.url, 'chain_getFinalizedHead')).toBe(hash)
    await rpc(second.url, 'engine_createBlock', true, false)
    await stop(second, 'SIGKILL')
    const third = await run(...words)
    expect(await rpc(third.url, 'chain_getHeader')).toMatchObject({ number: '0x2', parentHash: hash })
    expect(await stop(third)).toBe(0)
  })

  test('finality stays behind by the lag', async () => {
    const chain = await run('--block-time', '50ms', '--finality-lag', '3')
    for (;;) {
      const final = await rpc(chain.url, 'chain_getFinalizedHead')
      const { number } = (await rpc(chain.url, 'chain_getHeader', final)) as { number: string }
      const best = (await rpc(chain.url, 'chain_getHeader')) as { number: string }
      expect(Number(best.number) - Number(number)).toBeGreaterThanOrEqual(Math.min(3, Number(best.number)))
      if (Number(number) > 2) break
    }
    expect(await stop(chain)).toBe(0)
  })

  test('a port in use is named and the process ends', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? String(address.port) : ''
    const { err, code } = await finish('run', '--port', port)
    server.close()
    expect(code).toBe(1)
    expect(err).toBe(
      `RPC_PORT_IN_USE: Port ${port} on 127.0.0.1 is in use; stop the process that holds it, or choose another with --port (0 takes a free one)\n`,
    )
  })

  test('a folder of another chain is refused, and stays what it was', async () => {
    const data = join(folder, 'other')
    const first = await run('--manual', '--data', data)
    await stop(first)
    const patch = join(folder, 'patch.json')
    writeFileSync(patch, '{"blockTime":{"slotDurationMs":5000}}')
    const { err, code } = await finish('run', '--manual', '--data', data, '--patch', patch, '--port', '0')
    expect([code, err]).toEqual([1, expect.stringMatching(/^CHAIN_OTHER_GENESIS: .*\n$/)])
    expect(err).toContain(first.genesis)
    const again = await run('--manual', '--data', data)
    expect(again.genesis).toBe(first.genesis)
    await stop(again)
  })

  test('a folder in use is refused while its owner lives', async () => {
    const data = join(folder, 'in-use')
    const owner = await run('--manual', '--data', data)
    const { err, code } = await finish('run', '--manual', '--data', data, '--port', '0')
    expect([code, err]).toEqual([1, expect.stringMatching(/^CHAIN_FOLDER_IN_USE: .*\n$/)])
    expect(await stop(owner)).toBe(0)
  })

  test('an unknown preset and bad patches are refused in one line', async () => {
    const [text, list, wrong] = ['text.json', 'list.json', 'wrong.json'].map((name) => join(folder, name))
    writeFileSync(text ?? '', '{"blockTime":')
    writeFileSync(list ?? '', '[1]')
    writeFileSync(wrong ?? '', '{"noSuchPallet":{}}')
    const cases: readonly (readonly [string, ...string[]])[] = [
      ['CHAIN_GENESIS', '--preset', 'nope'],
      ['CHAIN_PATCH_INVALID', '--patch', text ?? ''],
      ['CHAIN_PATCH_INVALID', '--patch', list ?? ''],
      ['CHAIN_PATCH_INVALID', '--patch', join(folder, 'absent.json')],
      ['CHAIN_GENESIS', '--patch', wrong ?? ''],
      ['CHAIN_NO_RUNTIME_FILE', '--runtime', join(folder, 'absent.wasm')],
      ['CHAIN_BAD_RUNTIME', '--runtime', text ?? ''],
    ]
    for (const [expected, ...words] of cases) {
      const { err, code } = await finish('run', '--port', '0', ...words)
      expect([words, code, err]).toEqual([words, 1, expect.stringMatching(new RegExp(`^${expected}: .*\\n$`))])
    }
  })

  test.each([
    [['--port', '70000']],
    [['--block-time', '1h']],
    [['--block-time', '1s', '--manual']],
    [['--dev', '--preset', 'x']],
    [['--log-level', 'loud']],
    [['--nonsense']],
  ])('wrong usage %j ends with 2', async (words) => {
    const { err, code } = await finish('run', ...words)
    expect(code).toBe(2)
    expect(err).toMatch(/^error: /)
  })
})

describe('arbor chain status', () => {
  test('status tells where a chain stands, for people and for programs', async () => {
    const chain = await run('--manual')
    await rpc(chain.url, 'engine_createBlock', true, false)
    const json = await finish('status', '--url', chain.url, '--json')
    expect(JSON.parse(json.out)).toMatchObject({
      chain: 'Arbor Development',
      best: 1,
      finalized: 0,
      genesis: chain.genesis,
      specVersion: expect.any(Number),
    })
    expect((await finish('status', '--url', chain.url)).out).toContain(chain.genesis)
    await stop(chain)
    const gone = await finish('status', '--url', chain.url)
    expect([gone.code, gone.err]).toEqual([1, expect.stringMatching(/^CHAIN_STATUS: .*\n$/)])
  })
})
