import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Clock } from '@arbor/shared/clock'
import { CERTIFICATE_PATH, probeStatement } from '@arbor/shared/dial/statement'
import { decodeCanonical, isBytes, isUint } from '@arbor/shared/protocol/canonical'
import { readCertificate, verifyCertificate } from '@arbor/shared/protocol/certificate'
import { ALLOWED_SKEW_MS, MAX_HEADER_LENGTH } from '@arbor/shared/protocol/limits'
import type { Ms, Ss58, UnixMs } from '@arbor/shared/units'
import { callerOf, ownHosts, plainAddress } from './address.ts'
import type { RelayLimits } from './limits.ts'
import { type ProofDeps, proveHolder } from './proof.ts'
import { createProofRate } from './proof-rate.ts'
import { refuse, reply } from './reply.ts'

/** What was seen when a miner was dialled back. */
export interface ProbeResult {
  /** The address that was dialled: where the request came from. */
  readonly address: string
  readonly port: number
  /** Whether something answered HTTP there in time. */
  readonly connected: boolean
  /** Why not: what the socket said, or `timeout`. */
  readonly why: string | null
  /** The certificate found there: the asking hotkey's own, none, or something else. */
  readonly certificate: 'right' | 'none' | 'other' | null
  /** From the connection's start to the answer's head. */
  readonly ms: number | null
}

interface ProbeBody {
  readonly certificate: string
  readonly host: string
  readonly port: number
  readonly sentAt: number
  readonly signature: Uint8Array
}

/** Largest body: a certificate, a host, two numbers, a signature. */
const BODY_BYTES = 2_048

/** Makes the handler that dials a miner back at the address it asks from, at a port it names, once. */
export const createProbe = (
  deps: ProofDeps & { readonly limits: RelayLimits; readonly names: ReadonlySet<string>; readonly clock: Clock },
): ((request: IncomingMessage, response: ServerResponse) => void) => {
  const { limits, clock } = deps
  const perSecond = limits.probesPerMinute / 60
  const addresses = createProofRate({ perSecond, burst: limits.probesPerMinute, clock })
  const hotkeys = createProofRate({ perSecond, burst: limits.probesPerMinute, clock })
  let running = 0

  const run = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (isProxied(request)) return refuse(request, response, 'RELAY_PROBE_PROXIED')
    if (!addresses.take(callerOf(request.socket))) return refuse(request, response, 'RELAY_RATE')
    const length = Number(request.headers['content-length'] ?? Number.NaN)
    const body = length <= BODY_BYTES ? await readProbe(request) : null
    const isOwnHost = ownHosts(request.socket, deps.names)
    if (body === null || !isOwnHost(body.host) || Math.abs(clock.now() - body.sentAt) > ALLOWED_SKEW_MS)
      return refuse(request, response, 'RELAY_PROBE')
    const message = probeStatement({ host: body.host, port: body.port, sentAt: body.sentAt as UnixMs })
    const { certificate, signature } = body
    const proved = proveHolder(deps, { certificate, message, signature, address: callerOf(request.socket) })
    if (!proved.ok) return refuse(request, response, proved.code === 'RELAY_RATE' ? 'RELAY_RATE' : 'RELAY_PROBE')
    const { hotkey } = proved.certificate
    if (!hotkeys.take(hotkey)) return refuse(request, response, 'RELAY_RATE')
    const address = plainAddress(request.socket.remoteAddress)
    const result = await dialBack(deps, { address, port: body.port, hotkey })
    reply(response, 200, 'application/json', JSON.stringify(result))
  }

  return (request, response) => {
    if (running >= limits.probes) return refuse(request, response, 'RELAY_FULL')
    running += 1
    run(request, response)
      .catch(() => response.destroy()) // the asker broke off
      .finally(() => {
        running -= 1
      })
  }
}

/** A proxy in front hides whose address it is; that of the proxy is not dialled. */
const isProxied = ({ headers }: IncomingMessage): boolean =>
  ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'].some((name) => headers[name] !== undefined)

const readProbe = async (request: IncomingMessage): Promise<ProbeBody | null> => {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece)
  const [certificate, host, port, sentAt, signature, ...rest] = decodeCanonical(Buffer.concat(pieces)) ?? []
  if (typeof certificate !== 'string' || typeof host !== 'string' || rest.length > 0) return null
  if (!isUint(port, 65_535) || port < 1 || !isUint(sentAt) || !isBytes(signature, 64)) return null
  return { certificate, host, port, sentAt, signature }
}

/** Asks for the hotkey's certificate there, and reads no more than one can be long. */
const dialBack = (
  deps: ProofDeps & { readonly limits: RelayLimits },
  of: { readonly address: string; readonly port: number; readonly hotkey: Ss58 },
): Promise<ProbeResult> => {
  const { clock, limits } = deps
  const { address, port, hotkey } = of
  const startedAt = clock.monotonic()
  const done = new AbortController()
  const seen = { address, port, connected: false, why: null, certificate: null, ms: null } as const
  return new Promise<ProbeResult>((resolve) => {
    let ms: number | null = null
    const failed = (why: string): void =>
      resolve(ms === null ? { ...seen, why } : { ...seen, connected: true, why, certificate: 'other', ms })
    const request: ClientRequest = httpRequest({ host: address, port, path: CERTIFICATE_PATH + hotkey, agent: false })
    clock.sleep(limits.probeMs as Ms, done.signal).then(
      () => {
        failed('timeout')
        request.destroy()
      },
      () => undefined, // it was done in time
    )
    request.once('error', (error: NodeJS.ErrnoException) => failed(error.code ?? 'error'))
    request.once('response', (response) => {
      ms = Math.round(clock.monotonic() - startedAt)
      readText(response).then(
        (text) => resolve({ ...seen, connected: true, certificate: judge(deps, { text, hotkey }), ms }),
        () => failed('broken'),
      )
    })
    request.end()
  }).finally(() => done.abort())
}

/** Reads a body up to a certificate's length; null when the status is not 200 or it is longer. */
const readText = async (response: IncomingMessage): Promise<string | null> => {
  let text = ''
  for await (const piece of response) {
    text += String(piece)
    if (text.length > MAX_HEADER_LENGTH) break // leaving the loop destroys the socket
  }
  return response.statusCode === 200 && text.length <= MAX_HEADER_LENGTH ? text : null
}

const judge = (
  deps: ProofDeps,
  { text, hotkey }: { readonly text: string | null; readonly hotkey: Ss58 },
): ProbeResult['certificate'] => {
  if (text === null) return 'none'
  const read = readCertificate(text)
  if (!read.ok || read.certificate.address !== hotkey) return 'other'
  if (deps.registeredAt(hotkey) !== read.certificate.registeredAt) return 'other'
  return verifyCertificate(read.certificate) ? 'right' : 'other'
}
