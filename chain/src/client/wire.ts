import type { Clock } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'
import WebSocket from 'ws'
import type { Fault } from './faults.ts'

/** One WebSocket, from its opening to its end. */
export interface Wire {
  send(text: string): void
  /** Cuts it, and says why. */
  end(fault: Fault): void
  /** Resolves when it is closed, by whomever. */
  readonly over: Promise<Fault>
}

/** A subnet of 4 096 uids answers in some MiB; metadata in one or two. */
const MAX_MESSAGE = 256 * 1024 * 1024

/**
 * Opens the only kind of connection to a chain that there is in this package.
 * @param of.handshakeMs milliseconds until it must be open
 * @param of.pingMs milliseconds between two pings; silence from one to the next ends it
 * @throws the reason when it cannot be opened
 */
export async function openWire(of: {
  readonly url: string
  readonly clock: Clock
  readonly handshakeMs: number
  readonly pingMs: number
  readonly signal: AbortSignal
  readonly onText: (text: string) => void
}): Promise<Wire> {
  const { url, signal } = of
  const ws = new WebSocket(url, {
    handshakeTimeout: Math.max(1, of.handshakeMs),
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
  })
  const life = new AbortController()
  const over = Promise.withResolvers<Fault>()
  const heard = { recently: true }
  let fault: Fault | null = null
  const end = (why: Fault): void => {
    fault ??= why
    ws.terminate()
  }
  const onAbort = (): void => end({ kind: 'left', cause: 'closed' })
  signal.addEventListener('abort', onAbort, { once: true })
  ws.on('error', (error) => {
    fault ??= { kind: 'cut', cause: error.message }
  })
  ws.on('close', (code) => {
    life.abort()
    signal.removeEventListener('abort', onAbort)
    over.resolve(fault ?? { kind: 'cut', cause: `closed with code ${code}` })
  })
  ws.on('message', (data) => {
    heard.recently = true
    of.onText(String(data))
  })
  ws.on('pong', () => {
    heard.recently = true
  })
  if (signal.aborted) onAbort()
  await Promise.race([new Promise<void>((resolve) => ws.once('open', () => resolve())), over.promise])
  if (life.signal.aborted) throw new Error((await over.promise).cause)
  void keepAlive({ ws, heard, end, clock: of.clock, pingMs: of.pingMs }, life.signal)
  return { send: (text) => ws.send(text), end, over: over.promise }
}

const keepAlive = async (
  of: {
    readonly ws: WebSocket
    readonly heard: { recently: boolean }
    readonly end: (fault: Fault) => void
    readonly clock: Clock
    readonly pingMs: number
  },
  life: AbortSignal,
): Promise<void> => {
  for (;;) {
    const isOpen = await of.clock.sleep(of.pingMs as Ms, life).then(
      () => true,
      () => false,
    )
    if (!isOpen) return
    if (!of.heard.recently) {
      of.end({ kind: 'half-open', cause: `nothing was heard for ${of.pingMs} ms, no pong either` })
      return
    }
    of.heard.recently = false
    of.ws.ping()
  }
}
