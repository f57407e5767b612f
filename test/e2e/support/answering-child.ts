import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '@arbor/shared/clock'
import { keypairFromUri } from '@arbor/shared/keys'
import { type Block, type Hex, type Ms, netUid } from '@arbor/shared/units'
import { openAnswering } from './answering.ts'

/** An honest miner of the echo task in a process of its own, which takes 100 ms; tells its port. */
const answering = await openAnswering({
  hotkey: keypairFromUri('//Bob'),
  genesisHash: `0x${'ab'.repeat(32)}` as Hex,
  netuid: netUid(1),
  registeredAt: 7 as Block,
})
const server = createServer((incoming, response) => {
  void answering.take(incoming, response, async ({ sign }) => {
    await systemClock.sleep(100 as Ms, new AbortController().signal)
    const { headers, body } = sign('{"word":"oak"}')
    response.writeHead(200, headers).end(body)
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.send?.((server.address() as AddressInfo).port)
