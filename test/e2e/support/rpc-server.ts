import { readFileSync } from 'node:fs'
import { defaultRpcLimits, type RpcLimits } from '@arbor/chain/rpc/limits'
import { startChainService } from '@arbor/chain/service'
import type { Clock } from '@arbor/shared/clock'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Blocks } from '@arbor/shared/units'
import pino from 'pino'
import WebSocket from 'ws'

const wasm = new Uint8Array(readFileSync(new URL('../../../chain/artifacts/arbor_runtime.wasm', import.meta.url)))
/** What a test has to close, in the order it was opened. */
export const closing: (() => Promise<void> | void)[] = []

/** Closes what a test has opened, the newest first. */
export const closeAll = async (): Promise<void> => {
  for (const close of closing.splice(0).reverse()) await close()
}

/** Starts a chain in instant mode behind a server, on a clock that the test moves. */
export const start = async (limits: Partial<RpcLimits> = {}) => {
  const clock = createManualClock()
  const service = await startOn({ clock, limits, letTimePass: () => clock.advance(1_000) })
  return { ...service, clock }
}

/** The same on any clock; `letTimePass` gives clients the time to take the goodbye. */
export const startOn = async ({
  clock,
  limits = {},
  letTimePass = async () => undefined,
}: {
  readonly clock: Clock
  readonly limits?: Partial<RpcLimits>
  readonly letTimePass?: () => Promise<void>
}) => {
  const dropped = Promise.withResolvers<void>()
  const write = (line: string): void => {
    if (JSON.parse(line).event === 'rpc.dropped') dropped.resolve()
  }
  const service = await startChainService({
    wasm,
    clock,
    mode: { kind: 'instant' },
    finalityLag: 0 as Blocks,
    identity: { name: 'Arbor Development', type: 'Development', version: '0.0.0' },
    host: '127.0.0.1',
    port: 0,
    origins: [],
    log: pino({ level: 'warn' }, { write }),
    rpcLimits: { ...defaultRpcLimits, ...limits },
  })
  const stop = new AbortController()
  const running = service.run(stop.signal)
  closing.push(async () => {
    stop.abort()
    const closed = service.close()
    await letTimePass()
    await Promise.all([closed, running])
  })
  return { ...service, dropped: dropped.promise }
}

/** A WebSocket client that keeps what it hears. */
export interface Client {
  readonly socket: WebSocket
  /** Messages so far, parsed. */
  readonly messages: { id?: unknown; result?: unknown; error?: { code: number } }[]
  send(message: unknown): void
  /** Resolves with the first message that fits. */
  until(fits: (message: Client['messages'][number]) => boolean): Promise<Client['messages'][number]>
  readonly closed: Promise<{ code: number; reason: string }>
}

export const open = (url: string, options: WebSocket.ClientOptions = {}): Promise<Client> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false, ...options })
    const messages: Client['messages'] = []
    const waiters = new Set<() => void>()
    const closed = new Promise<{ code: number; reason: string }>((done) => {
      socket.on('close', (code, reason) => done({ code, reason: reason.toString() }))
    })
    socket.on('message', (data) => {
      messages.push(JSON.parse(data.toString()))
      for (const wake of waiters) wake()
    })
    socket.on('error', reject)
    const until: Client['until'] = (fits) =>
      new Promise((found) => {
        const look = (): void => {
          const message = messages.find(fits)
          if (message === undefined) return
          waiters.delete(look)
          found(message)
        }
        waiters.add(look)
        look()
      })
    socket.on('open', () => {
      closing.push(() => socket.terminate())
      resolve({ socket, messages, closed, until, send: (message) => socket.send(JSON.stringify(message)) })
    })
  })

export const request = (id: unknown, method: string, ...params: unknown[]) => ({ jsonrpc: '2.0', id, method, params })
export const post = (url: string, body: string, headers: Record<string, string> = {}) =>
  fetch(url.replace('ws', 'http'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
