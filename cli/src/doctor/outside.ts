import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import { hostOf, PROBE_PATH, probeStatement } from '@arbor/shared/dial/statement'
import { encodeCanonical } from '@arbor/shared/protocol/canonical'
import type { Session } from '@arbor/shared/protocol/session'
import type { Ms } from '@arbor/shared/units'
import { z } from 'zod'

/** What a relay, or a validator that listens, saw when it dialled back. */
const seenSchema = z.object({
  address: z.string().max(64),
  port: z.number(),
  connected: z.boolean(),
  why: z.string().max(64).nullable(),
  certificate: z.enum(['right', 'none', 'other']).nullable(),
  ms: z.number().nullable(),
})
export type Seen = z.infer<typeof seenSchema>

/** One try from outside. */
export type Outside =
  | { readonly from: string; readonly seen: Seen }
  /** It could not be tried: why, for a person. */
  | { readonly from: string; readonly seen: null; readonly why: string }

/** Longer than whoever is asked takes to give up. */
const PROBE_MS = 10_000 as Ms

/**
 * Asks a relay, or a validator that listens, to dial this machine back at the address that it sees.
 * @param of.port the port that it dials
 * @param of.source the address of this machine to ask from, since that is what it dials; null leaves it to the system
 * @throws the signal's reason only
 */
export async function askOutside(of: {
  readonly from: URL
  readonly port: number
  readonly source: string | null
  readonly session: Session
  readonly clock: Clock
  readonly signal: AbortSignal
}): Promise<Outside> {
  const { from, port, source, session, clock } = of
  const shown = `${from.protocol}//${from.host}`
  const sentAt = clock.now()
  const host = hostOf(from)
  const signature = session.sign(probeStatement({ host, port, sentAt }))
  const body = encodeCanonical([session.certificate.text, host, port, sentAt, signature])
  const reason = () => new Error('late') // it goes no further than this function
  using deadline = startDeadline({ clock, ms: PROBE_MS, parent: of.signal, reason })
  try {
    const { status, answer } = await postFrom(source, { from, body, signal: deadline.signal })
    const read = status === 200 ? seenSchema.safeParse(parse(answer)) : null
    if (read?.success) return { from: shown, seen: read.data }
    const code = /"code":"([A-Z_]{1,40})"/.exec(answer)?.[1]
    return { from: shown, seen: null, why: refusalOf(code, status) }
  } catch (error) {
    of.signal.throwIfAborted()
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer'
    return {
      from: shown,
      seen: null,
      why: deadline.signal.aborted ? 'it did not answer in time' : `it cannot be reached (${code})`,
    }
  }
}

const refusalOf = (code: string | undefined, status: number): string => {
  if (code === 'RELAY_RATE' || code === 'RELAY_FULL') return 'it has been asked too often; try again in a minute'
  if (code === 'RELAY_PROBE')
    return 'it does not accept the question: the hotkey must be registered in its subnet, both clocks right, and the URL the address that it knows itself by'
  if (code === 'RELAY_PROBE_PROXIED') return 'a proxy stands before it and hides this address; name its own address'
  return code === undefined ? `it offers no probe (status ${status})` : `it refuses (${code})`
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

interface Question {
  readonly from: URL
  readonly body: Uint8Array
  readonly signal: AbortSignal
}
interface Answer {
  readonly status: number
  readonly answer: string
}

/** What the system says when there is no way from that address of its own to there. */
const NO_WAY = new Set(['EADDRNOTAVAIL', 'EINVAL', 'ENETUNREACH', 'EHOSTUNREACH', 'EAFNOSUPPORT'])

const postFrom = async (source: string | null, question: Question): Promise<Answer> => {
  try {
    return await post(question, source)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (source === null || !NO_WAY.has(code)) throw error
    return post(question, null)
  }
}

const post = (of: Question, source: string | null): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const isSecure = of.from.protocol === 'https:' || of.from.protocol === 'wss:'
    const url = new URL(PROBE_PATH, of.from.href.replace(/^ws/, 'http'))
    const request = (isSecure ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      signal: of.signal,
      agent: false,
      ...(source === null ? {} : { localAddress: source }),
      headers: { 'content-type': 'application/cbor', 'content-length': of.body.length },
    })
    request.once('error', reject)
    request.once('response', (response) => {
      let size = 0
      response.on('data', (piece: Buffer) => {
        size += piece.length
        if (size > 4_096) request.destroy(new Error('the answer is too long'))
      })
      text(response).then((answer) => resolve({ status: response.statusCode ?? 0, answer }), reject)
    })
    request.end(of.body)
  })
