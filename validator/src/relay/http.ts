import type { IncomingMessage, ServerResponse } from 'node:http'
import { CERTIFICATE_PATH, DIAL_PATH, PROBE_PATH } from '@arbor/shared/dial/statement'
import type { Ss58 } from '@arbor/shared/units'
import type { Asking } from './ask.ts'
import type { Registry } from './registry.ts'
import { refuse, reply } from './reply.ts'

/** State of a relay as a health check sees it. */
export interface RelayHealth {
  readonly ready: boolean
  readonly miners: number
  readonly inFlight: number
  /** Finalised block of the registrations that it knows. */
  readonly block: number
}

/** What plain HTTP reaches. */
export interface HttpDeps {
  readonly registry: Registry
  /** null where nobody may ask: then only miners dial here. */
  readonly asking: Asking | null
  /** null where nobody is dialled back. */
  readonly probe: ((request: IncomingMessage, response: ServerResponse) => void) | null
  readonly health: () => RelayHealth
}

/** Makes the handler of plain HTTP: questions by POST, certificates and health by GET. */
export const createHttpHandler =
  ({ registry, asking, probe, health }: HttpDeps) =>
  (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', () => undefined) // the caller is gone, and 'close' follows
    const { method, url = '' } = request
    if (method === 'GET' && url === '/health') {
      const state = health()
      return reply(response, state.ready ? 200 : 503, 'application/json', JSON.stringify(state))
    }
    if (method === 'GET' && url.startsWith(CERTIFICATE_PATH)) {
      const entry = registry.get(url.slice(CERTIFICATE_PATH.length) as Ss58)
      if (entry === undefined) return refuse(request, response, 'RELAY_UNKNOWN_MINER')
      return reply(response, 200, 'text/plain', entry.certificate.text)
    }
    if (method === 'POST' && url === PROBE_PATH && probe !== null) return probe(request, response)
    const isOurs = url.startsWith('/.arbor/') || url === DIAL_PATH
    if (method === 'POST' && asking !== null && !isOurs) return asking.handle(request, response)
    return refuse(request, response, 'RELAY_NO_PATH')
  }
