import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type RawData, WebSocket, WebSocketServer } from 'ws'

/** What a validator's way to the chain suffers from at the moment. */
export type LinkFault =
  /** Nothing is wrong. */
  | { readonly kind: 'none' }
  /** No connection is taken, and those that were are cut off. */
  | { readonly kind: 'cut' }
  /** Connections stand and are taken, but nothing comes through and no ping is answered. */
  | { readonly kind: 'half-open' }
  /** Each message is this late, either way. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Extrinsics are taken, and never passed on to the chain. */
  | { readonly kind: 'swallow' }
  /** The answers to submissions are lost: the chain has them, and the connection breaks. */
  | { readonly kind: 'deaf' }
  /** Another chain is at the other end. */
  | { readonly kind: 'other'; readonly url: string }

/** A WebSocket proxy between one validator and the chain. */
export interface LinkProxy {
  readonly url: string
  /** Extrinsics that the validator has sent, in order, with the time of each. */
  readonly sent: readonly { readonly hex: string; readonly at: number; readonly passed: boolean }[]
  readonly connections: number
  /** Connections that were ever taken. */
  readonly taken: number
  /** When the last byte of the validator came through, `performance.now()`. */
  readonly lastAt: number
  fault(): LinkFault
  set(fault: LinkFault): void
  /** Closes all connections once; new ones are taken. */
  drop(): void
  close(): Promise<void>
}

interface Pair {
  readonly near: WebSocket
  far: WebSocket
  readonly fakes: Set<string>
}

const SUBMITS = /^author_submit(AndWatch)?Extrinsic$/

/** Opens a proxy. @param of.to the chain's address; asked for at each connection */
export const openProxy = async (of: { readonly to: () => string }): Promise<LinkProxy> => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  await once(server, 'listening')
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const pairs = new Set<Pair>()
  const sent: { hex: string; at: number; passed: boolean }[] = []
  let fault: LinkFault = { kind: 'none' }
  let lastAt = 0
  let taken = 0

  const late = (send: () => void): void => {
    if (fault.kind === 'slow') setTimeout(send, fault.ms)
    else send()
  }
  const pass = (to: WebSocket, data: RawData, isBinary: boolean): void => {
    if (to.readyState === WebSocket.OPEN) to.send(data, { binary: isBinary })
    else if (to.readyState === WebSocket.CONNECTING) to.once('open', () => to.send(data, { binary: isBinary }))
  }
  const drop = (): void => {
    for (const { near, far } of pairs) {
      near.terminate()
      far.terminate()
    }
    pairs.clear()
  }
  /** Reads what a validator asks. @returns true when it is not to be passed on */
  const held = (pair: Pair, text: string): boolean => {
    const asked = JSON.parse(text) as { id?: unknown; method?: string; params?: readonly unknown[] }
    if (asked.method === undefined || !SUBMITS.test(asked.method)) return false
    const swallow = fault.kind === 'swallow'
    sent.push({ hex: String(asked.params?.[0]), at: performance.now(), passed: !swallow })
    if (fault.kind === 'deaf') setTimeout(drop, 5) // the chain has it by then
    if (!swallow) return false
    pair.near.send(JSON.stringify({ jsonrpc: '2.0', id: asked.id, result: `swallowed-${sent.length}` }))
    return true
  }
  server.on('connection', (near) => {
    if (fault.kind === 'cut') return near.terminate()
    taken += 1
    const far = new WebSocket(fault.kind === 'other' ? fault.url : of.to(), { perMessageDeflate: false })
    const pair: Pair = { near, far, fakes: new Set() }
    pairs.add(pair)
    if (fault.kind === 'half-open') near.pause()
    const end = (): void => {
      pairs.delete(pair)
      near.terminate()
      far.terminate()
    }
    for (const side of [near, far]) {
      side.on('error', end)
      side.on('close', end)
    }
    near.on('message', (data, isBinary) => {
      lastAt = performance.now()
      if (!held(pair, String(data))) late(() => pass(far, data, isBinary))
    })
    far.on('message', (data, isBinary) => {
      lastAt = performance.now()
      if (fault.kind !== 'half-open') late(() => pass(near, data, isBinary))
    })
  })
  return {
    url,
    sent,
    get connections() {
      return pairs.size
    },
    get taken() {
      return taken
    },
    get lastAt() {
      return lastAt
    },
    fault: () => fault,
    set: (next) => {
      const before = fault
      fault = next
      if (next.kind === 'cut' || next.kind === 'other' || before.kind === 'other') drop()
      if (next.kind === 'half-open') for (const { near } of pairs) near.pause()
      else if (before.kind === 'half-open') {
        // What was said in between is lost, as behind a dead router: whoever still waits has to notice it.
        for (const { near } of pairs) near.resume()
        drop()
      }
    },
    drop,
    close: async () => {
      drop()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
