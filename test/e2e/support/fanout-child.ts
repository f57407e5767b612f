import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Block, type Hex, netUid } from '@arbor/shared/units'
import { type Answering, openAnswering } from './answering.ts'
import { addressOf, keyOf } from './fanout.ts'

/**
 * Honest miners in one process, each at an address of its own, which hold their answers until they are told to give them; the
 * arguments say which miners. Tells its port, then how many questions it holds whenever it is asked.
 */
const [from = 0, to = 0] = process.argv.slice(2).map(Number)
const miners = new Map<string, Answering>()
for (let index = from; index < to; index += 1)
  miners.set(
    addressOf(index),
    await openAnswering({
      hotkey: keyOf(index),
      genesisHash: `0x${'ab'.repeat(32)}` as Hex,
      netuid: netUid(1),
      registeredAt: 7 as Block,
    }),
  )

const failures: string[] = []
const held: (() => void)[] = []
let given = false
const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
  const miner = miners.get(incoming.socket.localAddress ?? '')
  if (miner === undefined) return void response.writeHead(404).end()
  miner
    .take(incoming, response, ({ sign, request }) => {
      const answer = (): void => {
        const { headers, body } = sign(JSON.stringify(request))
        response.writeHead(200, headers).end(body)
      }
      if (given) answer()
      else held.push(answer)
    })
    .catch((error: Error) => {
      failures.push(error.message)
      response.destroy()
    })
})
server.listen({ port: 0, host: '0.0.0.0', backlog: 4_096 })
await once(server, 'listening')
process.on('message', (message) => {
  if (message === 'give') {
    given = true
    for (const answer of held) answer()
  }
  process.send?.({ held: held.length, failures })
})
process.send?.((server.address() as AddressInfo).port)
