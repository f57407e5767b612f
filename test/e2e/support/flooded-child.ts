import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { createRateLimit } from '@arbor/miner/admission/rate-limit'
import { systemClock } from '@arbor/shared/clock'
import { createGate } from '@arbor/shared/gate'
import { createLogger } from '@arbor/shared/log'
import { testNet } from '../../../miner/test/net.ts'
import spec from './large-echo-spec.ts'

// A miner's HTTP server with the bounds of `arbor miner`, in a process of its own and without an engine; tells its port. Its
// argument is how many questions a second one caller may ask.
const perSecond = Number(process.argv[2])
const clock = systemClock
const net = await testNet({
  clock,
  spec,
  solve: async ({ request }) => ({ reply: (request as { readonly text: string }).text }),
  rate: createRateLimit({ perSecond, burst: 2 * perSecond, clock }),
  checks: createRateLimit({ perSecond: 5, burst: 128, maxKeys: 4_096, clock }),
  gate: createGate({ slots: 4, capacity: 64 }),
  log: createLogger({ name: 'miner', level: 'warn' }),
})
await net.app.listen({ host: '127.0.0.1', port: 0, backlog: 511 })
process.send?.((net.app.server.address() as AddressInfo).port)
await once(process, 'disconnect')
process.exit(0)
