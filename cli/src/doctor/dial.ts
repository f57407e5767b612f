import { request as httpRequest, type IncomingMessage } from 'node:http'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import { CERTIFICATE_PATH } from '@arbor/shared/dial/statement'
import { isLive, readCertificate, verifyCertificate } from '@arbor/shared/protocol/certificate'
import type { Block, Ms, NetUid, Ss58 } from '@arbor/shared/units'
import { z } from 'zod'

/** What was met at an address. */
export type Met =
  /** The hotkey's own miner. */
  | 'right'
  /** A process of Arbor's, but not this hotkey's miner, or one with an old registration. */
  | 'other-hotkey'
  /** A program that answers HTTP and is none of Arbor's. */
  | 'stranger'
  /** A program that takes connections and answers no HTTP. */
  | 'silent'
  /** Nothing listens: the connection was refused. */
  | 'refused'
  /** No answer at all: packets are dropped on the way. */
  | 'dropped'
  /** This machine knows no way there. */
  | 'no-route'

/** What a try to reach an address showed. */
export interface Dialled {
  readonly ip: string
  readonly port: number
  readonly met: Met
  /** The socket's word, the status, or what is wrong with the certificate; for a person. */
  readonly detail: string
  /** From the connection's start to the answer's head; null when there was none. */
  readonly ms: number | null
}

/** Whose miner is looked for. */
export interface Wanted {
  /** A validator that listens shows no certificate of its own, only that it listens. */
  readonly kind: 'miner' | 'listener'
  readonly hotkey: Ss58
  readonly netuid: NetUid
  /** 32 bytes. */
  readonly genesisHash: Uint8Array
  readonly registeredAt: Block
}

/** How long anything may take to connect and answer. */
const DIAL_MS = 4_000 as Ms
/** More than any certificate or refusal has. */
const BODY_BYTES = 4_096

/** Asks whoever listens at an address for the hotkey's certificate. @throws the signal's reason only */
export async function dialMiner(
  at: { readonly ip: string; readonly port: number },
  of: { readonly wanted: Wanted; readonly clock: Clock; readonly signal: AbortSignal; readonly timeoutMs?: Ms },
): Promise<Dialled> {
  const { clock, wanted } = of
  const reason = () => new Error('late') // it goes no further than this function
  using deadline = startDeadline({ clock, ms: of.timeoutMs ?? DIAL_MS, parent: of.signal, reason })
  const startedAt = clock.monotonic()
  let isConnected = false
  let ms: number | null = null
  try {
    const response = await ask({ ...at, path: pathOf(wanted), signal: deadline.signal }, () => {
      isConnected = true
    })
    ms = Math.round(clock.monotonic() - startedAt)
    const text = await readBody(response)
    return { ...at, ...judge(response.statusCode ?? 0, text, { wanted, clock }), ms }
  } catch (error) {
    of.signal.throwIfAborted()
    return { ...at, ...unanswered(error, { isConnected, isLate: deadline.signal.aborted }), ms }
  }
}

const pathOf = ({ kind, hotkey }: Wanted): string => (kind === 'miner' ? CERTIFICATE_PATH + hotkey : '/health')

const ask = (
  of: { readonly ip: string; readonly port: number; readonly path: string; readonly signal: AbortSignal },
  onConnect: () => void,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { ip: host, port, path, signal } = of
    const request = httpRequest({ host, port, path, signal, agent: false })
    request.once('socket', (socket) => socket.once('connect', onConnect))
    request.once('response', resolve)
    request.once('error', reject)
    request.end()
  })

const readBody = async (response: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const piece of response) {
    text += String(piece)
    if (text.length > BODY_BYTES) break // leaving the loop closes the connection
  }
  return text
}

type Judged = Pick<Dialled, 'met' | 'detail'>

/** What a relay, or a validator that listens, says of itself. */
const listenerSchema = z.object({ ready: z.boolean(), miners: z.number(), inFlight: z.number(), block: z.number() })

const judgeListener = (text: string): Judged => {
  const said = listenerSchema.safeParse(parse(text))
  if (!said.success) return { met: 'stranger', detail: 'it answers HTTP, and is no validator that listens' }
  return { met: 'right', detail: `it listens, and holds ${said.data.miners} miners; it shows no hotkey` }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const judge = (status: number, text: string, of: { readonly wanted: Wanted; readonly clock: Clock }): Judged => {
  if (of.wanted.kind === 'listener') return judgeListener(text)
  if (status !== 200) {
    const code = /^\{"code":"((?:MINER|WIRE|RELAY|SERVER)_[A-Z_]+)"\}\s*$/.exec(text)?.[1]
    return code === undefined
      ? { met: 'stranger', detail: `HTTP status ${status}` }
      : { met: 'other-hotkey', detail: `it answers ${code}` }
  }
  const read = readCertificate(text)
  if (!read.ok) return { met: 'stranger', detail: 'HTTP status 200, with something that is no certificate' }
  const { certificate } = read
  const { wanted, clock } = of
  const wrong = (detail: string): Judged => ({ met: 'other-hotkey', detail })
  if (certificate.address !== wanted.hotkey) return wrong(`it is ${certificate.address}`)
  if (!Buffer.from(certificate.genesisHash).equals(wanted.genesisHash)) return wrong('it serves on another chain')
  if (certificate.netuid !== wanted.netuid) return wrong(`it serves subnet ${certificate.netuid}`)
  if (certificate.purpose !== 'serve') return wrong('it asks and serves nothing')
  if (certificate.registeredAt !== wanted.registeredAt)
    return wrong(`its registration is that of block ${certificate.registeredAt}, the chain's of ${wanted.registeredAt}`)
  if (!verifyCertificate(certificate)) return wrong("its certificate's signature does not hold")
  if (!isLive(certificate, clock.now())) return wrong('its certificate is out of date; compare both clocks')
  return { met: 'right', detail: "it shows the hotkey's certificate" }
}

const unanswered = (error: unknown, of: { readonly isConnected: boolean; readonly isLate: boolean }): Judged => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'broken'
  if (of.isConnected)
    return { met: 'silent', detail: of.isLate ? 'connected, and no answer came' : `connected, and then ${code}` }
  if (of.isLate || code === 'ETIMEDOUT') return { met: 'dropped', detail: 'no answer to the attempt to connect' }
  return { met: code === 'ECONNREFUSED' ? 'refused' : 'no-route', detail: code }
}
