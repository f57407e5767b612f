import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemClock } from '@arbor/shared/clock'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Ms } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPost } from '../../validator/src/health/webhook.ts'
import { type Net, startNet } from './support/net.ts'
import { alive, descendants, type Running, startArbor } from './support/process.ts'

const OPERATING = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
const run = promisify(execFile)
const hanging = fileURLToPath(new URL('./support/hanging-spec.ts', import.meta.url))
const patient = { timeout: 60_000, interval: 100 }
const TOKEN = 'a-token-that-nobody-may-see'

/** Takes what validators post. */
const openReceiver = async (): Promise<{ server: Server; url: string; notices: Record<string, unknown>[] }> => {
  const notices: Record<string, unknown>[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (piece: Buffer) => {
      text += piece
    })
    request.on('end', () => {
      notices.push({ path: request.url, ...(JSON.parse(text) as object) })
      response.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=${TOKEN}`, notices }
}

const get = async (url: string): Promise<{ status: number; text: string }> => {
  const answer = await fetch(url)
  return { status: answer.status, text: await answer.text() }
}

let net: Net
let receiver: Awaited<ReturnType<typeof openReceiver>>
beforeAll(async () => {
  receiver = await openReceiver()
  net = await startNet({ honest: 1, validators: 2, address: 160, blockTime: '500ms' })
}, 60_000)
afterAll(async () => {
  receiver?.server.close()
  await net?.close()
})

const ends = () => receiver.notices.filter(({ alarm }) => alarm === 'ended')

const hungBy = async (running: Running): Promise<unknown> => {
  const [, signal] = await once(running.child, 'close')
  return signal
}

describe('a validator that is left alone', () => {
  test('says by its health and by webhook what is wrong, and that it is over (C-01, C-02)', async () => {
    net.start('miner-1')
    const validator = net.start(
      'validator-1',
      ...['--health', '127.0.0.1:0', '--stale-blocks', '20', '--webhook', receiver.url],
    )
    const url = String((await validator.event('health.listening')).url)
    const status = async (page: string): Promise<number> => (await get(`${url}/${page}`)).status
    expect(await status('livez')).toBe(200)
    await expect.poll(() => status('readyz'), patient).toBe(200)
    expect(JSON.parse((await get(`${url}/livez`)).text)).toMatchObject({
      live: true,
      loops: expect.arrayContaining([expect.objectContaining({ loop: 'rounds', done: expect.any(Number) })]),
    })
    const { text } = await get(`${url}/metrics`)
    for (const name of DOCUMENTED) expect(text).toMatch(new RegExp(`^${name}(\\{.*\\})? [\\d.e+-]+$`, 'm'))

    for (const [, script = ''] of OPERATING.matchAll(/^```sh health\n([\s\S]*?)^```/gm)) {
      const { stdout } = await run('bash', ['-ec', script], { env: { PATH: process.env.PATH, HEALTH: url } })
      expect(stdout, script).toMatch(/^\{"(live|ready)":(true|false),|^arbor_validator_tempos_since_inclusion /m)
    }

    const data = join(net.folder, 'validator-1')
    const asking = async (): Promise<string> => {
      const asked = startArbor({ words: ['validator', 'health', '--data', data], home: net.folder })
      await once(asked.child, 'close')
      return `${asked.child.exitCode} ${asked.text()}`
    }
    await expect.poll(asking, patient).toMatch(/^0 ready: chain ok \(.*weights ok/)

    await net.chain.kill9()
    await expect
      .poll(async () => JSON.parse((await get(`${url}/readyz`)).text), patient)
      .toMatchObject({ ready: false, checks: { chain: { ok: false } } })
    expect(await status('readyz')).toBe(503)
    expect(await asking()).toMatch(/^1 VALIDATOR_NOT_READY: .*chain NOT OK/)
    expect(await status('livez')).toBe(200)
    const stale = () => receiver.notices.filter(({ alarm }) => alarm === 'stale-chain')
    await expect.poll(() => stale().length, patient).toBe(1)
    expect(stale()).toEqual([
      expect.objectContaining({
        type: 'arbor/alarm/1',
        alarm: 'stale-chain',
        state: 'firing',
        hotkey: net.member('validator-1').hotkey,
        netuid: 1,
        text: expect.stringMatching(/^\[firing\] stale-chain, /),
      }),
    ])
    await net.startChain()
    await expect.poll(() => status('readyz'), patient).toBe(200)
    expect(await validator.stop()).toBe(0)
    expect(existsSync(join(data, 'health.json'))).toBe(false)
    expect([validator.text(), JSON.stringify(receiver.notices.map(({ path, ...rest }) => rest))].join()).not.toContain(
      TOKEN,
    )
  }, 120_000)

  test('is ended by its watchdog when its main thread hangs, children and all, and tells why (C-18)', async () => {
    const validator = net.start(
      'validator-2',
      ...['--spec', hanging, '--health', '0', '--hang-after', '10', '--webhook', receiver.url],
    )
    const url = String((await validator.event('health.listening')).url)
    const gone = hungBy(validator)
    const children = descendants(validator.pid)
    expect(children.length).toBeGreaterThan(0)
    await expect.poll(async () => (await get(`${url}/livez`)).status, patient).toBe(503)
    expect(await gone).toBe('SIGKILL')
    expect(validator.text()).toMatch(/^VALIDATOR_HUNG: the main thread gave no sign of life for [\d.]+ s; /m)
    expect(ends()).toEqual([
      expect.objectContaining({ alarm: 'ended', state: 'firing', message: expect.stringContaining('VALIDATOR_HUNG') }),
    ])
    await expect.poll(() => alive(children), patient).toEqual([])
  }, 120_000)

  test('goes on where it was when it is started again, outlives a suspended machine, and tells nothing twice', async () => {
    const validator = net.start('validator-2', '--health', '[::1]:0', '--hang-after', '4', '--webhook', receiver.url)
    const url = String((await validator.event('health.listening')).url)
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/)
    validator.child.kill('SIGSTOP')
    await systemClock.sleep(6_000 as Ms, net.signal)
    validator.child.kill('SIGCONT')
    await validator.event('round.done')
    expect((await get(`${url}/livez`)).status).toBe(200)
    expect(JSON.parse(readFileSync(join(net.folder, 'validator-2', 'alarms.json'), 'utf8'))).toMatchObject({
      isRunning: true,
      firing: { ended: expect.anything() }, // its end is over once it has run for ten minutes
    })
    expect(await validator.stop()).toBe(0)
    expect(ends().length).toBe(1) // of the process before
  }, 120_000)
})

describe('a webhook', () => {
  /** Answers each post with the next status. */
  const answering = async (...statuses: readonly number[]): Promise<{ url: URL; paths: string[]; close(): void }> => {
    const paths: string[] = []
    const server = createServer((request, response) => {
      paths.push(request.url ?? '')
      request.resume()
      response.writeHead(statuses[paths.length - 1] ?? 500, { location: '/elsewhere' }).end('x'.repeat(1_000_000))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`)
    const close = (): void => {
      server.close()
      server.closeAllConnections()
    }
    return { url, paths, close }
  }
  const never = new AbortController().signal

  test('that is full is tried again, and one that takes the notice has it once', async () => {
    const { url, paths, close } = await answering(503, 429, 200)
    const clock = createManualClock()
    const posting = createPost({ url, clock })('{}', never)
    while (paths.length < 3) {
      await systemClock.sleep(10 as Ms, never)
      await clock.advance(1_000)
    }
    await posting
    expect(paths).toEqual(['/hook', '/hook', '/hook'])
    close()
  })

  test.each([302, 307, 404, 410])('that answers %i is asked once and followed nowhere', async (status) => {
    const { url, paths, close } = await answering(status)
    await expect(createPost({ url, clock: systemClock })('{}', never)).rejects.toMatchObject({ code: 'WEBHOOK_FAILED' })
    expect(paths).toEqual(['/hook'])
    close()
  })
})

/** Metrics that docs/operating.md promises and that have a value at once. */
const DOCUMENTED = [
  'arbor_validator_tempos_since_inclusion',
  'arbor_validator_metagraph_age_blocks',
  'process_resident_memory_bytes',
]
