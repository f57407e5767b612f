import { randomBytes } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex } from '@arbor/shared/hex'
import type { Signer } from '@arbor/shared/signer'
import { loadSpec } from '@arbor/subnet-spec/load'
import { createBittensorSpeaker } from '../bittensor/speak.ts'
import { createArborSpeaker } from './arbor.ts'
import { createAsk } from './ask.ts'
import { createBreakers } from './breaker.ts'
import { createCertificates } from './certificates.ts'
import { createConnections } from './connections.ts'
import { dial } from './dial.ts'
import { createSend } from './http.ts'
import { createLagMeter } from './lag.ts'
import { type AskMessage, type FromThread, owned, type ThreadData, type ToThread } from './messages.ts'
import { createOutbox } from './outbox.ts'
import { createOwnSessions } from './own-session.ts'
import type { Question, SpeakerContext, SpeakerLog } from './speaker.ts'
import { createTurns } from './turns.ts'

/**
 * The dendrite's thread: sockets, seals, proofs and hashes, and nothing else, so that the main loop's work enters no timing.
 * What it is asked and what it answers crosses as messages; bodies are handed over, not copied.
 */

/** Connections kept open while they carry nothing; a miner's own idle time-out of 5 s ends most of them sooner. */
const MAX_IDLE = 1_024
/** Miners remembered: those of the largest subnet. */
const MAX_MINERS = 4_096
/** Connection faults in a row after which a miner is probed before it is asked. */
const BREAKS_AFTER = 3
const CERTIFICATE_MS = 3_000

if (parentPort === null) throw new Error('the dendrite runs as a thread of the validator')
const port = parentPort
const data = workerData as ThreadData
const clock = systemClock

const turns = createTurns()
const { post } = createOutbox<FromThread>({
  send: (messages, handOver) => port.postMessage(messages, [...handOver]),
  isBusy: turns.isBusy,
})
const log: SpeakerLog = {
  debug: (fields, text) => post({ kind: 'log', level: 'debug', fields, text }),
  warn: (fields, text) => post({ kind: 'log', level: 'warn', fields, text }),
}

/** Signatures that the main thread was asked for. */
const signing = new Map<number, { resolve(signature: Uint8Array): void; reject(error: Error): void }>()
let signatures = 0
const sign: SpeakerContext['sign'] = (message, purpose) => {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const id = signatures++
  signing.set(id, { resolve, reject })
  post({ kind: 'sign', id, message, purpose })
  return promise
}
const signer: Signer = { ...data.hotkey, sign }

const { netuid, hotkey, limits } = data
const genesisHash = fromHex(data.genesisHash, 32)
const { turn } = turns
const connections = createConnections({ maxIdle: MAX_IDLE, connectMs: limits.connectMs, clock })
const send = createSend({ connections, clock, lag: createLagMeter({ clock }), turn })
const sessions = createOwnSessions({
  signer,
  genesisHash,
  netuid,
  clock,
  lifetimeMs: data.sessionMs,
  randomBytes,
  log,
})
const certificates = createCertificates({
  send,
  clock,
  genesisHash,
  netuid,
  reader: hotkey.publicKey,
  capacity: MAX_MINERS,
  timeoutMs: CERTIFICATE_MS,
})
const arbor = createArborSpeaker({ sessions, certificates, isSealed: data.isSealed, proof: data.proof })
const bittensor = createBittensorSpeaker({ clock, randomBytes })
/** Bittensor's SDK announces its own version as major × 1 000 000 and so on; Arbor's axons announce the protocol's. */
const BITTENSOR_VERSION = 1_000_000
const ask = createAsk({
  limits,
  clock,
  breakers: createBreakers({ threshold: BREAKS_AFTER, capacity: MAX_MINERS }),
  dial: async (address, timeoutMs, signal) => dial({ address, timeoutMs, clock, signal }),
  speakerOf: ({ version, definition }) =>
    data.speaksBittensor && version >= BITTENSOR_VERSION && definition.synapse !== undefined ? bittensor : arbor,
  context: { send, sign, hotkey, netuid, genesisHash: data.genesisHash, clock, randomBytes, log },
  privateAllowed: data.privateAllowed,
  turn,
})

const loaded = loadSpec(data.spec)
const asked = new Map<number, AbortController>()

async function answer(message: AskMessage): Promise<void> {
  const { kind: _, id, wantsChunks, ...plain } = message
  const stop = new AbortController()
  asked.set(id, stop)
  const definition = (await loaded).tasks[plain.task]
  if (definition === undefined) throw new Error(`the spec ${data.spec} has no task ${plain.task}`)
  try {
    const onChunk = (chunk: Uint8Array): void => {
      const bytes = owned(chunk)
      post({ kind: 'chunk', id, bytes }, bytes.buffer)
    }
    const question: Question = { ...plain, definition, ...(wantsChunks ? { onChunk } : {}) }
    const given = await ask(question, stop.signal)
    if (given.kind !== 'answered') return post({ kind: 'settled', id, answer: given })
    const body = owned(given.body)
    post({ kind: 'settled', id, answer: { ...given, body } }, body.buffer)
  } catch (error) {
    if (stop.signal.aborted) return
    // One question fails, the others go on: whatever a miner sent, it shall not end the thread that asks everybody.
    const why = error instanceof Error ? error.message : String(error)
    const stack = error instanceof Error ? error.stack : undefined
    log.warn({ event: 'ask.failed', hotkey: plain.hotkey, stack }, `asking ${plain.hotkey} failed here: ${why}`)
    post({ kind: 'settled', id, answer: { kind: 'ours', reason: 'thread', why } })
  } finally {
    asked.delete(id)
  }
}

const receive = (message: ToThread): void => {
  if (message.kind === 'ask') void answer(message)
  else if (message.kind === 'abort') asked.get(message.id)?.abort(new Error('called off'))
  else if (message.kind === 'registered') sessions.registered(message.at)
  else {
    const waiting = signing.get(message.id)
    signing.delete(message.id)
    if (message.kind === 'signed') waiting?.resolve(message.signature)
    else waiting?.reject(new SubnetError({ code: message.code, message: message.message }))
  }
}

port.on('message', (messages: readonly ToThread[]) => messages.forEach(receive))
