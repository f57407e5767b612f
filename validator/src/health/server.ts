import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { SubnetError } from '@arbor/shared/errors'
import { type Document, jsonDocument } from './document.ts'
import type { Liveness } from './liveness.ts'
import type { Asked, Place } from './messages.ts'

const PATHS: Readonly<Record<string, Asked | 'live'>> = { '/livez': 'live', '/readyz': 'ready', '/metrics': 'metrics' }

/**
 * Serves `/livez`, `/readyz` and `/metrics` to whoever can reach the address.
 * @param of.ask gives what the main thread answers; a document of its own where that hangs
 * @throws HEALTH_LISTEN when the address cannot be listened at
 */
export async function serveHealth(of: {
  readonly place: Place
  readonly status: () => Liveness
  readonly ask: (what: Asked) => Promise<Document>
}): Promise<{ readonly port: number; close(): void }> {
  const server = createServer(
    { maxHeaderSize: 8_192, requestTimeout: 10_000, headersTimeout: 5_000 },
    (request, response) => {
      void answer(of, request).then((document) => send(response, request.method === 'HEAD', document))
    },
  )
  server.maxConnections = 64
  server.keepAliveTimeout = 5_000
  await listening(server, of.place)
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : of.place.port,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function answer(
  { status, ask }: { readonly status: () => Liveness; readonly ask: (what: Asked) => Promise<Document> },
  { method, url = '/' }: IncomingMessage,
): Promise<Document> {
  const path = url.split('?', 1)[0] ?? '/'
  const what = Object.hasOwn(PATHS, path) ? PATHS[path] : undefined
  if (what === undefined) return jsonDocument(404, { code: 'HEALTH_PATH', paths: Object.keys(PATHS) })
  if (method !== 'GET' && method !== 'HEAD') return jsonDocument(405, { code: 'HEALTH_METHOD' })
  if (what !== 'live') return ask(what)
  const live = status()
  return jsonDocument(live.live ? 200 : 503, live)
}

const send = (response: ServerResponse, headOnly: boolean, { status, type, body }: Document): void => {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(headOnly ? undefined : body)
}

const listening = (server: Server, { host, port }: Place): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new SubnetError({
          code: 'HEALTH_LISTEN',
          message: `cannot listen at ${host}:${port} for --health: ${cause.message}; choose another port`,
          cause,
        }),
      ),
    )
    server.listen({ host, port, ipv6Only: host === '::' ? false : undefined }, () => resolve())
  })
