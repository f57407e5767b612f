import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { serveAxon } from '@arbor/chain/client/calls'
import { systemClock } from '@arbor/shared/clock'
import type { Keypair } from '@arbor/shared/keypair'
import { requestHash } from '@arbor/shared/wire/envelope'
import { verifyHead } from '@arbor/shared/wire/request'
import { signResponse } from '@arbor/shared/wire/response'
import { type Net, netuid } from './net.ts'

/** What a hostile miner is asked, and how it answers. */
export interface Asked {
  readonly request: unknown
  readonly response: ServerResponse
  /** Headers that sign these bytes as this miner's answer to this request. */
  sign(body: string | Uint8Array): Record<string, string>
}

export interface HostileMiner {
  /** Requests that came. */
  readonly asked: number
  /** Bytes that its callers took before they hung up. */
  readonly sent: number
  close(): void
}

/** Serves for a registered hotkey in its own way, and announces it on the chain as any miner does. */
export async function startHostile(of: {
  readonly net: Net
  readonly hotkey: Keypair
  readonly ip: string
  readonly answer: (asked: Asked) => void | Promise<void>
}): Promise<HostileMiner> {
  const { net, hotkey, ip } = of
  const seen = { asked: 0, sent: 0 }
  const server: Server = createServer((request, response) => {
    seen.asked += 1
    request.socket.on('error', () => undefined)
    request.socket.once('close', () => {
      seen.sent += request.socket.bytesWritten
    })
    void take(request, response, of).catch(() => response.destroy())
  })
  server.listen(0, ip)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const call = serveAxon({ netuid, axon: { ip, port, version: 1, protocol: 4 } })
  const announced = await net.client.submit(call, { signer: hotkey, signal: net.signal })
  if (announced.status !== 'included') throw new Error(`the chain does not announce it: ${JSON.stringify(announced)}`)
  return {
    get asked() {
      return seen.asked
    },
    get sent() {
      return seen.sent
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const take = async (
  incoming: IncomingMessage,
  response: ServerResponse,
  { hotkey, answer }: Parameters<typeof startHostile>[0],
): Promise<void> => {
  const head = verifyHead({
    rawHeaders: incoming.rawHeaders,
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    context: { now: systemClock.now(), receiver: hotkey.address, netuid },
  })
  if (!head.ok) throw new Error(`the validator sent what a miner refuses: ${head.code}`)
  const { envelope } = head
  await answer({
    request: JSON.parse(String(await buffer(incoming))),
    response,
    sign: (body) =>
      signResponse({
        signer: hotkey,
        receiver: envelope.sender,
        requestHash: requestHash(envelope),
        status: 200,
        body: Buffer.from(body),
      }),
  })
}
