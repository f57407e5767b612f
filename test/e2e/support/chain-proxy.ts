import type { Socket } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'

/** What a faulty way to a chain does to the messages that go through it; drawn from the seed where a share is given. */
export interface Faults {
  /** Milliseconds that each answer and notice waits. */
  delayMs: number
  /** Share of notices of subscriptions that are lost, in [0, 1]. */
  dropNotices: number
  /** Share of answers that are lost, in [0, 1]. */
  dropAnswers: number
  /** Share of answers that carry the id of another request: one that waits, or one never sent. */
  wrongIds: number
  /** Share of answers and notices that are cut in their middle, in a whole frame: no JSON any more. */
  cutText: number
  /** Share of answers and notices whose frame is cut in its middle, and the connection with it. */
  cutFrame: number
  /** Share of notices of heads that are followed by an older one again. */
  oldHeads: number
}

/** A way to a chain's WebSocket that can be made bad while clients use it. */
export interface ChainProxy {
  readonly url: string
  /** Set any of them at any time. */
  readonly faults: Faults
  /** Requests that clients sent, in order, answered or not. */
  readonly requests: { readonly method: string; readonly params: readonly unknown[] }[]
  /** Connections that were taken so far, and that are open. */
  readonly taken: number
  readonly open: number
  /** Cuts every connection without a word. */
  cut(): void
  /** Takes no connection until told otherwise, and cuts those that are open: the endpoint is away. */
  away(is: boolean): void
  /** Passes nothing on either way, pings and their answers neither; sockets stay open, new ones too. Ended, what was held goes on. */
  stall(is: boolean): void
  /** Takes TCP connections and never says a word, not even the handshake's. */
  mute(is: boolean): void
  /** Changes an answer of a method before it is passed on; undefined leaves it out. */
  rewrite(method: string, change: ((result: unknown, params: readonly unknown[]) => unknown) | null): void
  /** Changes what a subscription of a method tells; undefined leaves it out. */
  rewriteNotice(method: string, change: ((result: unknown) => unknown) | null): void
  /** Leads connections from now on, and those open, to another chain. */
  lead(url: string): void
  close(): Promise<void>
}

interface Asked {
  readonly method: string
  readonly params: readonly unknown[]
}

/** Numbers in [0, 1) from a seed. @source mulberry32, Tommy Ettinger, public domain */
const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const HEADS = 8

/** Opens a proxy before a chain. @param of.to WebSocket address of the chain */
export async function openChainProxy(of: { readonly to: string; readonly seed?: number }): Promise<ChainProxy> {
  const random = randomOf(of.seed ?? 1)
  const faults: Faults = {
    delayMs: 0,
    dropNotices: 0,
    dropAnswers: 0,
    wrongIds: 0,
    cutText: 0,
    cutFrame: 0,
    oldHeads: 0,
  }
  const requests: ChainProxy['requests'] = []
  const answers = new Map<string, (result: unknown, params: readonly unknown[]) => unknown>()
  const notices = new Map<string, (result: unknown) => unknown>()
  const links = new Set<{ release(): void; cut(): void }>()
  const raw = new Set<Socket>()
  let to = of.to
  let taken = 0
  let [isAway, isStalled, isMute] = [false, false, false]

  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, autoPong: false, perMessageDeflate: false })
  const http = (server as unknown as { readonly _server: import('node:http').Server })._server
  await new Promise((resolve) => server.on('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const upgrade = http.listeners('upgrade')[0] as (...of: unknown[]) => void
  http.removeAllListeners('upgrade')
  http.on('upgrade', (request, socket, head) => {
    if (!isMute) upgrade.call(http, request, socket, head)
  })
  http.on('connection', (socket: Socket) => {
    raw.add(socket)
    socket.on('close', () => raw.delete(socket))
    socket.on('error', () => undefined)
    if (isAway) socket.destroy()
  })

  server.on('connection', (near, request) => {
    taken += 1
    const tcp = request.socket
    const far = new WebSocket(to, { perMessageDeflate: false, maxPayload: 256 * 1024 * 1024 })
    const asked = new Map<unknown, Asked>()
    const subscribed = new Map<unknown, string>()
    const heads: unknown[] = []
    const held: (() => void)[] = []
    /** Runs now, or when the stall is over. */
    const pass = (act: () => void): void => {
      if (isStalled) held.push(act)
      else act()
    }
    const say = (text: string): void => {
      if (near.readyState !== WebSocket.OPEN) return
      if (random() < faults.cutFrame) {
        const body = Buffer.from(text)
        tcp.write(Buffer.concat([frameHead(body.length), body.subarray(0, body.length >> 1)]), () => tcp.destroy())
        return
      }
      near.send(random() < faults.cutText ? text.slice(0, text.length >> 1) : text)
    }
    const later = (text: string): void => {
      if (faults.delayMs === 0) pass(() => say(text))
      else setTimeout(() => pass(() => say(text)), faults.delayMs)
    }
    const answer = (message: { id: unknown; result?: unknown }): void => {
      const question = asked.get(message.id)
      asked.delete(message.id)
      if (question === undefined) {
        later(JSON.stringify(message))
        return
      }
      if (/subscribe|Watch/i.test(question.method) && message.result !== undefined)
        subscribed.set(message.result, question.method)
      const change = answers.get(question.method)
      if (change !== undefined && 'result' in message) {
        message.result = change(message.result, question.params)
        if (message.result === undefined) return
      }
      if (random() < faults.dropAnswers) return
      if (random() < faults.wrongIds) {
        const others = [...asked.keys()]
        message.id = others.length > 0 ? others[Math.floor(random() * others.length)] : Number(message.id) + 1_000_000
      }
      later(JSON.stringify(message))
    }
    const notice = (message: { params: { subscription: unknown; result: unknown } }): void => {
      const method = subscribed.get(message.params.subscription) ?? ''
      const change = notices.get(method)
      const result = change === undefined ? message.params.result : change(message.params.result)
      if (result === undefined || random() < faults.dropNotices) return
      const text = (what: unknown): string =>
        JSON.stringify({ ...message, params: { ...message.params, result: what } })
      later(text(result))
      if (!/Heads$/.test(method)) return
      heads.push(result)
      if (heads.length > HEADS) heads.shift()
      if (random() < faults.oldHeads) later(text(heads[Math.floor(random() * heads.length)]))
    }
    far.on('message', (data) => {
      const message = JSON.parse(String(data))
      if (message.id !== undefined && message.id !== null) answer(message)
      else if (message.params !== undefined) notice(message)
    })
    const waiting: string[] = []
    far.on('open', () => {
      for (const text of waiting.splice(0)) far.send(text)
    })
    near.on('message', (data) => {
      const text = String(data)
      const { id, method, params } = JSON.parse(text)
      requests.push({ method, params })
      pass(() => {
        asked.set(id, { method, params })
        if (far.readyState === WebSocket.OPEN) far.send(text)
        else if (far.readyState === WebSocket.CONNECTING) waiting.push(text)
      })
    })
    near.on('ping', (data) => pass(() => near.readyState === WebSocket.OPEN && near.pong(data)))
    const link = {
      release: () => {
        for (const act of held.splice(0)) act()
      },
      cut: () => {
        near.terminate()
        far.terminate()
      },
    }
    links.add(link)
    const end = (): void => {
      links.delete(link)
      link.cut()
    }
    for (const socket of [near, far]) {
      socket.on('error', () => undefined)
      socket.on('close', () => (socket === far && isStalled ? held.push(end) : end()))
    }
  })

  const cut = (): void => {
    for (const link of [...links]) link.cut()
    for (const socket of raw) socket.destroy()
  }
  return {
    url: `ws://127.0.0.1:${port}`,
    faults,
    requests,
    get taken() {
      return taken
    },
    get open() {
      return server.clients.size
    },
    cut,
    away: (is) => {
      isAway = is
      if (is) cut()
    },
    stall: (is) => {
      isStalled = is
      if (!is) for (const link of [...links]) link.release()
    },
    mute: (is) => {
      isMute = is
    },
    rewrite: (method, change) => void (change === null ? answers.delete(method) : answers.set(method, change)),
    rewriteNotice: (method, change) => void (change === null ? notices.delete(method) : notices.set(method, change)),
    lead: (url) => {
      to = url
      cut()
    },
    close: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Head of an unmasked text frame. @source RFC 6455 §5.2 */
const frameHead = (length: number): Buffer => {
  if (length < 126) return Buffer.from([0x81, length])
  if (length < 65_536) return Buffer.from([0x81, 126, length >> 8, length & 255])
  const head = Buffer.alloc(10)
  head[0] = 0x81
  head[1] = 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}
