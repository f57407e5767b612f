import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { createRateLimit } from '@arbor/miner/admission/rate-limit'
import type { Solve } from '@arbor/miner/service/deps'
import { openSessionStore } from '@arbor/miner/session-store'
import { systemClock } from '@arbor/shared/clock'
import { genesisHash, miner, testNet } from '../../../miner/test/net.ts'
import echoSpec from '../../e2e/support/echo-spec.ts'

/** One request as it passed the tap. */
export interface Passed {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly status: number
  /** Code of a refusal; null for anything else. */
  readonly code: string | null
  /** What the miner answered, before anybody touched it. */
  readonly answer: Buffer
}

/** A miner's HTTP service on a socket, and a tap before it that sees, and may change, what goes through. */
export interface TappedMiner {
  readonly url: string
  readonly passed: Passed[]
  /** Another path for a request; a test sets it. */
  path: (path: string) => string
  /** What the asker gets in place of an answer's bytes; a test sets it. */
  tamper: (answer: Buffer) => Buffer
  /** Stops the miner and starts it again, with the same sessions of askers on its disk or without any. */
  restart(of: { readonly keepsStore: boolean }): Promise<void>
  close(): Promise<void>
}

/** Starts a miner that answers with the question's word; where it streams, it sends the word in three pieces first. `boom` fails after them. */
export async function startTappedMiner(): Promise<TappedMiner> {
  const folder = await mkdtemp(join(tmpdir(), 'arbor-tapped-'))
  let stores = 0
  const start = async () => {
    const owner = { genesisHash, hotkey: miner.address }
    const store = openSessionStore({ file: join(folder, `sessions-${stores}.sqlite`), owner })
    const rate = createRateLimit({ perSecond: 1_000, burst: 1_000, clock: systemClock })
    const net = await testNet({ clock: systemClock, spec: echoSpec, solve: echo, store, rate, checks: rate })
    await net.app.listen({ host: '127.0.0.1', port: 0 })
    const close = async (): Promise<void> => {
      await net.app.close()
      store.close()
    }
    return { port: portOf(net.app.server), close }
  }
  let running = await start()

  const tap = createServer(async (incoming, response) => {
    const { method = '', url = '', headers } = incoming
    const body = await buffer(incoming)
    const onward = request({ host: '127.0.0.1', port: running.port, method, path: tapped.path(url), headers })
    onward.on('error', (error) => response.destroy(error))
    onward.on('response', async (from) => {
      const answer = await buffer(from)
      const status = from.statusCode ?? 0
      const code = method === 'POST' && status !== 200 ? String(JSON.parse(answer.toString()).code) : null
      tapped.passed.push({ method, headers, body, status, code, answer })
      response.writeHead(status, from.headers).end(tapped.tamper(answer))
    })
    onward.end(body)
  })
  await new Promise<void>((resolve) => tap.listen(0, '127.0.0.1', resolve))

  const tapped: TappedMiner = {
    url: `http://127.0.0.1:${portOf(tap)}`,
    passed: [],
    path: (path) => path,
    tamper: (answer) => answer,
    restart: async ({ keepsStore }) => {
      await running.close()
      if (!keepsStore) stores += 1
      running = await start()
    },
    close: async () => {
      tap.close()
      tap.closeAllConnections()
      await running.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return tapped
}

const echo: Solve = async ({ request: question, emit }) => {
  const { word } = question as { readonly word: string }
  for (const at of [0, 1, 2]) emit?.(word.slice(at * 2, at === 2 ? undefined : at * 2 + 2))
  await setImmediate() // what was emitted is sent
  if (word === 'boom') throw new Error('this word is not answered')
  return { word }
}

const portOf = (server: { address(): AddressInfo | string | null }): number => (server.address() as AddressInfo).port
