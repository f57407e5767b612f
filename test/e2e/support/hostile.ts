import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveAxon } from '@arbor/chain/client/calls'
import type { Keypair } from '@arbor/shared/keypair'
import { type Answering, type Asked, openAnswering } from './answering.ts'
import { type Net, netuid } from './net.ts'

export interface HostileMiner {
  /** Requests that came, those for its certificate included. */
  readonly asked: number
  /** Bytes that its callers took before they hung up. */
  readonly sent: number
  close(): void
}

/** How a hostile miner behaves. */
export interface Behaviour {
  /** Answers a request that was checked as any miner checks it. */
  answer?(asked: Asked): unknown
  /** Answers before the protocol is looked at; false leaves the request to it. */
  before?(incoming: IncomingMessage, response: ServerResponse): boolean
  /** Changes its session before it serves. */
  prepare?(answering: Answering): Promise<void>
}

/** Serves for a registered hotkey in its own way, and announces it on the chain as any miner does. */
export async function startHostile(of: {
  readonly net: Net
  readonly hotkey: Keypair
  readonly ip: string
  readonly behaviour: Behaviour
}): Promise<HostileMiner> {
  const { net, hotkey, ip, behaviour } = of
  const { registeredAt } = net.neuron(hotkey.address, await net.client.metagraph(netuid))
  const answering = await openAnswering({ hotkey, genesisHash: net.client.genesisHash, netuid, registeredAt })
  await behaviour.prepare?.(answering)
  const seen = { asked: 0, sent: 0 }
  const server: Server = createServer((request, response) => {
    seen.asked += 1
    if (behaviour.before?.(request, response)) return
    answering.take(request, response, async (asked) => behaviour.answer?.(asked)).catch(() => response.destroy())
  })
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.once('close', () => {
      seen.sent += socket.bytesWritten
    })
  })
  server.listen(0, ip)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const call = serveAxon({ netuid, axon: { ip, port, version: 2, protocol: 4 } })
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
