import { randomBytes } from 'node:crypto'
import { synapseOf } from '@arbor/shared/bittensor/synapse'
import { systemClock } from '@arbor/shared/clock'
import type { Signer } from '@arbor/shared/signer'
import type { Block, NetUid, Ss58 } from '@arbor/shared/units'
import { askSynapse, type SynapseAnswer } from '@arbor/validator/bittensor/ask'
import { type Lanes, openLanes } from '@arbor/validator/bittensor/lanes'
import { createConnections } from '@arbor/validator/dendrite/connections'
import { createSend, type HttpRequest, type Send } from '@arbor/validator/dendrite/http'
import { createLagMeter } from '@arbor/validator/dendrite/lag'
import type { SpeakerContext } from '@arbor/validator/dendrite/speaker'
import { synapses } from './synapses.ts'

/** One question as a check words it. */
export interface Ask {
  /** A name of the table. */
  readonly synapse: keyof typeof synapses
  /** JSON of the request, as text, so that numbers keep the form they have. */
  readonly request: string
  readonly deadlineMs?: number
  readonly maxResponseBytes?: number
  /** Whom it is signed for, when that is not the axon. */
  readonly hotkey?: Ss58
  readonly onChunk?: (text: string) => void
  /** Changes the request after it was signed. */
  readonly change?: (request: HttpRequest) => HttpRequest
}

/** Asks one axon with the parts of a real dendrite, over real sockets. */
export interface Asker {
  readonly hotkey: Ss58
  readonly lanes: Lanes
  ask(of: Ask): Promise<SynapseAnswer>
  /** The request that was sent last. */
  last(): HttpRequest | null
  /** Sends a request as it is. */
  readonly send: Send
  close(): Promise<void>
}

/** Opens an asker for the axon of `hotkey` at ip:port. */
export function openAsker(of: {
  readonly ip: string
  readonly port: number
  readonly hotkey: Ss58
  readonly signer: Signer
}): Asker {
  const clock = systemClock
  const fresh = (length: number): Uint8Array => randomBytes(length)
  const connections = createConnections({ maxIdle: 256, connectMs: 3_000, clock })
  const send = createSend({ connections, clock, lag: createLagMeter({ clock }) })
  const lanes = openLanes({ clock, randomBytes: fresh })
  const idle = new AbortController()
  let last: HttpRequest | null = null
  const askOnce = (wanted: Ask): Promise<SynapseAnswer> => {
    const definition = synapses[wanted.synapse]
    const { onChunk, change = (request) => request } = wanted
    const context: SpeakerContext = {
      send: (request, signal) => {
        last = change(request)
        return send(last, signal)
      },
      sign: async (message, purpose) => of.signer.sign(message, purpose),
      hotkey: of.signer,
      netuid: 1 as NetUid,
      genesisHash: `0x${'00'.repeat(32)}` as const,
      clock,
      randomBytes: fresh,
      log: { debug: () => {}, warn: () => {} },
    }
    const decoder = new TextDecoder()
    return askSynapse(
      {
        synapse: synapseOf({ ...definition.synapse, request: definition.request, response: definition.response }),
        question: {
          task: wanted.synapse,
          hotkey: wanted.hotkey ?? of.hotkey,
          registeredAt: 0 as Block,
          address: { ip: of.ip, port: of.port },
          isOwn: false,
          version: 10_005_000,
          body: Buffer.from(wanted.request),
          deadlineMs: wanted.deadlineMs ?? 12_000,
          maxResponseBytes: wanted.maxResponseBytes ?? definition.maxResponseBytes,
          definition,
          ...(onChunk === undefined ? {} : { onChunk: (bytes) => onChunk(decoder.decode(bytes, { stream: true })) }),
        },
        context,
        lanes,
      },
      idle.signal,
    )
  }
  const ask = async (wanted: Ask): Promise<SynapseAnswer> => {
    const first = await askOnce(wanted)
    return first.stale ? askOnce(wanted) : first // as the dendrite does
  }
  return { hotkey: of.hotkey, lanes, ask, last: () => last, send, close: () => connections.close() }
}
