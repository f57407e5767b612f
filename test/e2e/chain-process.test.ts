import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createChainCommands, rpc, stop } from './support/chain-command.ts'

let folder: string
const commands = createChainCommands()
const { finish, run } = commands
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-chain-'))
})
afterEach(commands.killAll)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

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

describe('arbor chain reorg', () => {
  test('the newest blocks are replaced, deeper ones are refused, and a public address does not offer it', async () => {
    const chain = await run('--manual', '--finality-lag', '0')
    const made: string[] = []
    for (let number = 1; number <= 5; number += 1) {
      const { hash } = (await rpc(chain.url, 'engine_createBlock', true, number === 1)) as { hash: string }
      made.push(hash)
    }
    const done = await finish('reorg', '--url', chain.url, '--depth', '3', '--json')
    const { retracted, enacted } = JSON.parse(done.out) as { retracted: string[]; enacted: string[] }
    expect(retracted).toEqual(made.slice(2).reverse())
    expect(enacted).toHaveLength(4)
    expect(await rpc(chain.url, 'chain_getBlockHash', [2, 3, 4, 5, 6])).toEqual([made[1], ...enacted])
    const deep = await finish('reorg', '--url', chain.url, '--depth', '6')
    expect([deep.code, deep.err]).toEqual([1, expect.stringMatching(/^CHAIN_REORG_REFUSED: .* at most 5 .*\n$/)])
    expect((await rpc(chain.url, 'rpc_methods')) as { methods: string[] }).toMatchObject({
      methods: expect.arrayContaining(['arbor_reorg']),
    })
    await stop(chain)
    const open = await run('--manual', '--host', '0.0.0.0')
    const refused = await finish('reorg', '--url', open.url.replace('0.0.0.0', '127.0.0.1'), '--depth', '1')
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/^CHAIN_RPC: .*Method not found.*\n$/)])
    await stop(open)
  })
})

describe('arbor chain export and import', () => {
  test('a chain moves to another folder, where it goes on', async () => {
    const [data, other, file] = [join(folder, 'from'), join(folder, 'to'), join(folder, 'chain.export')]
    const first = await run('--manual', '--data', data)
    for (let number = 1; number <= 4; number += 1) await rpc(first.url, 'engine_createBlock', true, number === 3)
    const head = await rpc(first.url, 'chain_getHead')
    const busy = await finish('export', '--data', data, '--out', file)
    expect([busy.code, busy.err]).toEqual([1, expect.stringMatching(/^CHAIN_FOLDER_IN_USE: .*\n$/)])
    await stop(first)
    expect(await finish('export', '--data', data, '--out', file)).toMatchObject({ code: 0, err: '' })
    expect(await finish('import', '--data', other, '--in', file)).toMatchObject({ code: 0, err: '' })
    const twice = await finish('import', '--data', other, '--in', file)
    expect([twice.code, twice.err]).toEqual([1, expect.stringMatching(/^CHAIN_FOLDER_NOT_EMPTY: .*\n$/)])
    const status = await finish('status', '--data', other, '--verify', '--json')
    expect(JSON.parse(status.out)).toMatchObject({ best: 4, finalized: 3, head, verified: { blocks: 5 } })
    const second = await run('--manual', '--data', other)
    expect(await rpc(second.url, 'chain_getHead')).toBe(head)
    await rpc(second.url, 'engine_createBlock', true, true)
    expect(await rpc(second.url, 'chain_getHeader')).toMatchObject({ number: '0x5', parentHash: head })
    await stop(second)
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
