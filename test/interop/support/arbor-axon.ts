import { randomUUID } from 'node:crypto'
import { mountAxon } from '@arbor/miner/bittensor/routes'
import type { ServedSynapse } from '@arbor/miner/bittensor/types'
import { createApp } from '@arbor/miner/http/server'
import { createMemoryNonceStore, type NonceStore } from '@arbor/shared/bittensor/nonce-store'
import { openNonces } from '@arbor/shared/bittensor/nonces'
import { synapseOf } from '@arbor/shared/bittensor/synapse'
import { type Clock, systemClock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { InferenceEngine } from '@arbor/shared/inference'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger, type Logger } from '@arbor/shared/log'
import type { Alpha, Hex, Ss58 } from '@arbor/shared/units'
import type { TaskDefinition } from '@arbor/subnet-spec/define'
import { synapses } from './synapses.ts'

/** An axon of ours that serves the interop table on 127.0.0.1. */
export interface ArborAxon {
  readonly port: number
  readonly hotkey: Ss58
  close(): Promise<void>
}

/** What three of the synapses do beside their handlers. */
const hooks: Readonly<Record<string, Partial<ServedSynapse>>> = {
  Black: { blacklist: () => 'not a validator' },
  Prio: {
    turn: async () => {
      throw new SubnetError({ code: 'MINER_LATE', message: 'too slow' })
    },
  },
  Custom: { answer: async () => ({ response: {}, statusCode: 418, statusMessage: 'teapot' }) },
}

const quiet = createLogger({ name: 'axon', level: 'silent' })

const noBinding = `0x${'00'.repeat(32)}` as Hex

/** The table needs no model. */
const noEngine: InferenceEngine = {
  model: { name: 'none', hash: `0x${'00'.repeat(32)}` as Hex, profile: 'fp32' },
  generate: () => Promise.reject(new Error('no model')),
  check: () => Promise.reject(new Error('no model')),
}

const servedOf = (name: string, task: TaskDefinition): ServedSynapse => ({
  synapse: synapseOf({ ...(task.synapse ?? { name, hashed: [] }), request: task.request, response: task.response }),
  request: task.request,
  maxRequestBytes: task.maxRequestBytes,
  maxResponseBytes: task.maxResponseBytes,
  deadlineMs: task.deadlineMs,
  answer: async ({ request, signal, emit }) => {
    const response = await task.solve({ request, signal, emit, engine: noEngine, binding: noBinding })
    return { response: task.response.parse(response) as object }
  },
  ...hooks[name],
})

/**
 * Starts it with the routes of the real miner, and with anybody let in: there is no chain.
 * @param of.port 0 takes a free one
 */
export const startArborAxon = async (of: {
  readonly port: number
  readonly uri: string
  readonly clock?: Clock
  readonly store?: NonceStore
  readonly log?: Logger
}): Promise<ArborAxon> => {
  const hotkey = keypairFromUri(of.uri).address
  const log = of.log ?? quiet
  const app = createApp({ spec: { tasks: synapses }, log })
  mountAxon(app, {
    receiver: hotkey,
    served: Object.entries(synapses).map(([name, task]) => servedOf(name, task)),
    nonces: openNonces({ store: of.store ?? createMemoryNonceStore() }),
    door: {
      claimed: () => ({ ok: true, stake: 0n as Alpha }),
      seat: () => ({ ok: true, work: async () => ({ ok: true }), leave: () => undefined }),
    },
    clock: of.clock ?? systemClock,
    log,
    randomUuid: randomUUID,
  })
  await app.listen({ host: '127.0.0.1', port: of.port })
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('the axon has no port')
  return { port: address.port, hotkey, close: () => app.close() }
}
