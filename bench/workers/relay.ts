// The relay of bench/relay.ts, or a bare HTTP proxy: node bench/workers/relay.ts relay | proxy PORT. Says its port; tells its CPU time when asked.
import { randomBytes } from 'node:crypto'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../../shared/src/clock.ts'
import { keypairFromUri } from '../../shared/src/keys.ts'
import { createLogger } from '../../shared/src/log.ts'
import { type Block, netUid } from '../../shared/src/units.ts'
import { startRelay } from '../../validator/src/relay/relay.ts'

const [kind, upstream = ''] = process.argv.slice(2)

async function relay(): Promise<number> {
  const started = await startRelay({
    place: { host: '127.0.0.1', port: 0 },
    names: [],
    isOpen: true,
    probes: false,
    genesisHash: new Uint8Array(32),
    netuid: netUid(1),
    self: new Uint8Array(32),
    registrations: { block: 1 as Block, registeredAt: new Map([[keypairFromUri('//Bob').address, 1 as Block]]) },
    randomBytes,
    clock: systemClock,
    log: createLogger({ name: 'relay', level: 'silent' }),
  })
  void started.run(new AbortController().signal)
  return started.port
}

/** Passes requests on to another port as they are. */
async function proxy(): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 })
  const server = createServer((asked, response) => {
    const { method, url: path, headers } = asked
    const passed = request({ host: '127.0.0.1', port: Number(upstream), method, path, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    asked.pipe(passed)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const port = kind === 'relay' ? await relay() : await proxy()
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuMs: (user + system) / 1_000, rss: process.memoryUsage().rss })
})
process.send?.({ port })
