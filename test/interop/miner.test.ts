import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { BlockRef, ChainClient } from '@arbor/chain/client/types'
import { openEngine } from '@arbor/engine/open'
import { openLists } from '@arbor/miner/admission/lists'
import { runMiner } from '@arbor/miner/miner'
import { systemClock } from '@arbor/shared/clock'
import { createLogger } from '@arbor/shared/log'
import type { Alpha, Block, NetUid } from '@arbor/shared/units'
import { bittensorBindingOf } from '@arbor/subnet-spec/binding'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { genesisHash, metagraphOf, miner, neurons, requestOf } from '../../miner/test/net.ts'
import { describeWith } from './support/pythons.ts'

const model = fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url))
const script = fileURLToPath(new URL('python/chat.py', import.meta.url))
const spec = await loadSpec('inference-tiny')
const request = requestOf(spec).toString()

/** What the miner reads of a chain that stands still; a chain process has tests of its own. */
const chain = (): ChainClient => {
  const head: BlockRef = { number: 10 as Block, hash: `0x${'ab'.repeat(32)}` }
  const still: Partial<ChainClient> = {
    url: 'ws://chain',
    genesisHash,
    best: async () => head,
    finalized: async () => head,
    metagraph: async () => metagraphOf(neurons),
    submit: async () => ({ status: 'included', block: head, hash: '0x00', events: [] }),
    async *heads(_kind, signal) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      signal.throwIfAborted()
      yield head
    },
  }
  return still as ChainClient
}

/** Runs a real miner with --bittensor: engine, HTTP, stores and admission. */
const start = async (data: string) => {
  const stop = new AbortController()
  const ready = Promise.withResolvers<URL>()
  const log = createLogger({ name: 'miner', level: 'silent' })
  const ended = runMiner({
    settings: {
      identity: { netuid: 1 as NetUid, hotkey: miner.address, wallets: '/w', walletName: 'w', hotkeyName: 'h' },
      specifier: 'inference-tiny',
      model,
      data,
      ip: '127.0.0.2',
      port: 0,
      externalIp: null,
      externalPort: null,
      dial: null,
      threads: 1,
      batch: 1,
      providers: ['cpu'],
      cacheTokens: null,
      queue: 4,
      ratePerSecond: 20,
      minStake: 0n as Alpha,
      requireSeal: false,
      bittensor: true,
      cheat: null,
      backend: null,
      training: null,
    },
    lists: openLists({ cwd: data, clock: systemClock, log }),
    randomBytes: (length) => randomBytes(length),
    spec,
    chain: chain(),
    hotkey: miner,
    clock: systemClock,
    log,
    signal: stop.signal,
    onReady: ({ url }) => ready.resolve(new URL(String(url))),
  })
  ended.catch(ready.reject)
  const end = async (): Promise<void> => {
    stop.abort()
    await ended
  }
  return { url: await ready.promise, end }
}

interface Line {
  readonly uri: string
  readonly status: number
  readonly message: string
  readonly signedText: string
  readonly response: Readonly<Record<string, unknown>>
}
interface Unsent {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

describeWith('bittensor-10.5', 'a miner with --bittensor and dendrites of bittensor 10.5.0', ({ python }) => {
  let data: string
  let running: Awaited<ReturnType<typeof start>>
  let lines: readonly (Line & Unsent)[]

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'arbor-bittensor-'))
    running = await start(data)
    const { hostname, port } = running.url
    const uris = ['//Rich', '//Unpermitted', '//Stranger']
    const { stdout } = await promisify(execFile)(python, [script, hostname, port, miner.address, request, ...uris], {
      env: { PATH: process.env.PATH, HOME: data, BT_LOGGING_INFO: '0', BT_LOGGING_RECORD_LOG: '0', NO_PROXY: '*' },
      cwd: data,
    })
    lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line & Unsent)
  })
  afterAll(async () => {
    await running?.end()
    if (data !== undefined) await rm(data, { recursive: true, force: true })
  })
  const of = (uri: string): Line | undefined => lines.find((line) => line.uri === uri)

  it('answers a validator so that it is believed', async () => {
    expect(of('//Rich')).toMatchObject({ status: 200, message: 'Success' })
    const engine = await openEngine({ folder: model })
    const signedText = of('//Rich')?.signedText ?? ''
    const verdict = await spec.tasks.chat?.score({
      request: JSON.parse(request),
      response: spec.tasks.chat.response.parse(of('//Rich')?.response),
      binding: bittensorBindingOf({ ...chain(), netuid: 1 as NetUid, hotkey: miner.address, signedText }),
      engine,
      timing: { class: 0 },
    })
    await engine.close()
    expect(verdict?.reason).toBe('ok')
  })

  it('refuses who has no permit, and who is not registered', () => {
    expect(of('//Unpermitted')).toMatchObject({
      status: 403,
      message: 'Forbidden. Key is blacklisted: no validator permit.',
    })
    expect(of('//Stranger')).toMatchObject({
      status: 403,
      message: 'Forbidden. Key is blacklisted: not registered on this subnet.',
    })
  })

  it('answers a signed request once, also after it started again', async () => {
    const unsent = lines.at(-1)
    const send = async (): Promise<readonly [number, unknown]> => {
      const headers = { ...unsent?.headers, 'content-type': 'application/json' }
      const answer = await fetch(`${running.url.origin}/Chat`, { method: 'POST', headers, body: unsent?.body ?? '' })
      return [answer.status, ((await answer.json()) as { message?: unknown }).message]
    }
    const used = 'Not Verified with error: Nonce is too old, a newer one was last processed'
    expect(await send()).toEqual([200, undefined])
    expect(await send()).toEqual([401, used])
    await running.end()
    running = await start(data)
    expect(await send()).toEqual([401, used])
  })
})
