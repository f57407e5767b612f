import { lookup } from 'node:dns/promises'
import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { isIP } from 'node:net'
import { refusalOf } from '@arbor/chain/address'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'

/** Sends one document. @throws WEBHOOK_FAILED when it was not taken; retryable where a later try may help */
export type Post = (body: string, signal: AbortSignal) => Promise<void>

const ATTEMPT_MS = 10_000 as Ms
/** Pauses between tries. */
const PAUSES_MS = [1_000, 5_000, 25_000] as const

/**
 * Reads the address that alarms go to.
 * @throws WEBHOOK_URL without showing more of it than its host
 */
export function readWebhook(text: string): URL {
  const refuse = (why: string): SubnetError =>
    new SubnetError({ code: 'WEBHOOK_URL', message: `--webhook ${why}; give an https:// address` })
  if (!URL.canParse(text)) throw refuse('is no address')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse(`has the protocol ${url.protocol}`)
  if (url.username !== '' || url.password !== '')
    throw refuse(`names a user for ${url.hostname}, which nobody would hide`)
  return url
}

/**
 * Makes what posts to an address. Redirects are not followed. Plain http goes to loopback and private addresses only, and nothing goes to
 * the metadata services of clouds, whatever a name resolves to.
 */
export const createPost =
  ({ url, clock, resolve = resolveHost }: { url: URL; clock: Clock; resolve?: typeof resolveHost }): Post =>
  async (body, signal) => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await postOnce({ url, clock, resolve, body, signal })
        return
      } catch (error) {
        signal.throwIfAborted()
        const pause = PAUSES_MS[attempt]
        if (pause === undefined || !(error instanceof SubnetError) || !error.retryable) throw error
        await clock.sleep(pause as Ms, signal)
      }
    }
  }

async function postOnce(of: {
  readonly url: URL
  readonly clock: Clock
  readonly resolve: typeof resolveHost
  readonly body: string
  readonly signal: AbortSignal
}): Promise<void> {
  const { url, clock, resolve, body, signal } = of
  const late = failed(url, 'it did not answer in time', true)
  using deadline = startDeadline({ clock, ms: ATTEMPT_MS, parent: signal, reason: () => late })
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const ip = await unless(deadline.signal, addressOf(url, host, resolve))
  const status = await statusOf({ url, host, ip, body, signal: deadline.signal }).catch((error: unknown) => {
    signal.throwIfAborted()
    if (error === late) throw late
    throw failed(url, error instanceof Error ? error.message : String(error), true)
  })
  if (status >= 200 && status < 300) return
  const why = status >= 300 && status < 400 ? `answered ${status}: redirects are not followed` : `answered ${status}`
  throw failed(url, why, status === 429 || status >= 500)
}

/** Waits for what cannot be stopped, a system's resolver say, no longer than until a signal. */
function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const stopped = Promise.withResolvers<never>()
  const onAbort = (): void => stopped.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  return Promise.race([work, stopped.promise]).finally(() => signal.removeEventListener('abort', onAbort))
}

/** Chooses an address of a host that may be posted to. */
async function addressOf(url: URL, host: string, resolve: typeof resolveHost): Promise<string> {
  const found = await resolve(host).catch((error: unknown) => {
    throw failed(url, `its name does not resolve: ${error instanceof Error ? error.message : String(error)}`, true)
  })
  const port = url.port === '' ? 443 : Number(url.port)
  const isPublic = (ip: string): boolean => refusalOf({ ip, port }, false) === null
  const allowed = found.find(
    (ip) => refusalOf({ ip, port }, true) === null && (url.protocol === 'https:' || !isPublic(ip)),
  )
  if (allowed !== undefined) return allowed
  throw failed(
    url,
    'its address is not one to post to: plain http goes to private addresses only, and nothing to reserved ones',
    false,
  )
}

const resolveHost = async (host: string): Promise<readonly string[]> =>
  isIP(host) === 0 ? (await lookup(host, { all: true })).map(({ address }) => address) : [host]

const statusOf = (of: {
  readonly url: URL
  readonly host: string
  readonly ip: string
  readonly body: string
  readonly signal: AbortSignal
}): Promise<number> =>
  new Promise((resolve, reject) => {
    const { url, host, ip, body, signal } = of
    const send = url.protocol === 'https:' ? requestSecure : requestPlain
    const request = send(
      {
        host: ip,
        port: url.port === '' ? undefined : Number(url.port),
        ...(url.protocol === 'https:' && isIP(host) === 0 ? { servername: host } : {}),
        method: 'POST',
        path: `${url.pathname}${url.search}`,
        headers: {
          host: url.host,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'arbor',
        },
        agent: false, // one connection a notice: they are rare
        signal,
      },
      (answer: IncomingMessage) => {
        answer.on('error', () => undefined)
        resolve(answer.statusCode ?? 0)
        answer.destroy() // of an answer, only its status is of interest; one that trickles would never end
      },
    )
    request.on('error', (error) => reject(signal.aborted ? signal.reason : error))
    request.end(body)
  })

const failed = (url: URL, why: string, retryable: boolean): SubnetError =>
  new SubnetError({
    code: 'WEBHOOK_FAILED',
    message: `the alarm was not taken by ${url.host}: ${why}`,
    retryable,
  })
