import { randomBytes } from 'node:crypto'
import type { Metagraph, Neuron } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import { createGate, type Gate } from '@arbor/shared/gate'
import { fromHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { createManualClock, type ManualClock } from '@arbor/shared/manual-clock'
import { type Certificate, readCertificate } from '@arbor/shared/protocol/certificate'
import { type Counters, createCounters } from '@arbor/shared/protocol/counters'
import { derivePairKeys, type PairKeys } from '@arbor/shared/protocol/keys'
import { type WrittenRequest, writeRequest } from '@arbor/shared/protocol/request'
import { openSession, type Session } from '@arbor/shared/protocol/session'
import { createMemorySessionStore } from '@arbor/shared/protocol/session-store'
import type { Alpha, Block, Blocks, Hex, Ms, NetUid, Uid, UnixMs } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec } from '@arbor/subnet-spec/load'
import type { FastifyInstance } from 'fastify'
import { type AdmissionDeps, createAdmission } from '../src/admission/admission.ts'
import { createRateLimit } from '../src/admission/rate-limit.ts'
import { viewOf } from '../src/admission/subnet-view.ts'
import { createServer } from '../src/http/server.ts'
import { createService, type ServiceDeps } from '../src/service/service.ts'
import type { Service } from '../src/service/types.ts'
import { openServeSessions, type ServeSessions } from '../src/sessions.ts'

/** The people of these tests: a miner, two validators with a permit, one registered without, and a stranger. */
export const miner = keypairFromUri('//Miner')
export const rich = keypairFromUri('//Rich')
export const poor = keypairFromUri('//Poor')
export const unpermitted = keypairFromUri('//Unpermitted')
export const stranger = keypairFromUri('//Stranger')
export const netuid = 1 as NetUid
export const genesisHash: Hex = `0x${'ab'.repeat(32)}`

const neuron = (uid: number, { address }: Keypair, of: Partial<Neuron>): Neuron => ({
  uid: uid as Uid,
  hotkey: address,
  coldkey: address,
  registeredAt: 1 as Block,
  lastUpdate: 1 as Block,
  active: true,
  validatorPermit: false,
  axon: null,
  alphaStake: 0n as Alpha,
  totalStake: 0n as Alpha,
  incentive: 0,
  dividends: 0,
  consensus: 0,
  validatorTrust: 0,
  emission: 0n as Alpha,
  ...of,
})

export const metagraphOf = (neurons: readonly Neuron[], number = 10): Metagraph => ({
  netuid,
  block: { number: number as Block, hash: `0x${'ab'.repeat(32)}` },
  tempo: 10 as Blocks,
  lastEpochBlock: 0 as Block,
  epochIndex: 1,
  maxUids: 256,
  ownerHotkey: rich.address,
  neurons,
})

export const neurons: readonly Neuron[] = [
  neuron(0, rich, { validatorPermit: true, totalStake: 1_000n as Alpha }),
  neuron(1, poor, { validatorPermit: true, totalStake: 10n as Alpha }),
  neuron(2, unpermitted, { totalStake: 5_000n as Alpha }),
  neuron(3, miner, {}),
]

/** Parts of a miner that a test replaces. */
export type Replace = Partial<
  Omit<AdmissionDeps, 'clock'> & Pick<ServiceDeps, 'solve' | 'pace' | 'store' | 'limits' | 'requireSeal' | 'log'>
> & {
  readonly clock?: Clock
  readonly sessions?: ServeSessions
  readonly spec?: SubnetSpec
}

export interface TestNet {
  readonly app: FastifyInstance
  readonly service: Service
  readonly sessions: ServeSessions
  readonly gate: Gate
  readonly clock: Clock
  readonly spec: SubnetSpec
}

export const openSessions = (clock: Clock): Promise<ServeSessions> =>
  openServeSessions({
    signer: miner,
    clock,
    log: createLogger({ name: 'miner', level: 'silent' }),
    genesisHash: fromHex(genesisHash),
    netuid,
    registeredAt: 1 as Block,
    randomBytes: (length) => randomBytes(length),
  })

/** Builds a miner's server with the parts that a test replaces. */
export const testNet = async (replace: Replace = {}): Promise<TestNet> => {
  const clock = replace.clock ?? createManualClock()
  const spec = replace.spec ?? (await loadSpec('inference-tiny'))
  const log = replace.log ?? createLogger({ name: 'miner', level: 'silent' })
  const sessions = replace.sessions ?? (await openSessions(clock))
  const gate = replace.gate ?? createGate({ slots: 1, capacity: 2 })
  const admission = createAdmission({
    minStake: 10n as Alpha,
    view: () => viewOf(metagraphOf(neurons)),
    lists: { admits: () => true },
    rate: createRateLimit({ perSecond: 5, burst: 10, clock }),
    checks: createRateLimit({ perSecond: 1, burst: 8, clock }),
    ...replace,
    gate,
    clock,
  })
  const service = createService({
    receiver: miner.address,
    netuid,
    genesisHash,
    store: createMemorySessionStore(),
    requireSeal: false,
    solve: () => Promise.reject(new Error('this test expects no work')),
    ...replace,
    admission,
    clock,
    log,
    spec,
    sessions,
  })
  const health = () => ({ ready: true, uid: 3, block: 10 })
  return { app: createServer({ clock, log, spec, service, health }), service, sessions, gate, clock, spec }
}

/** A test's clock that it moves itself. */
export const manualNet = async (replace: Replace = {}): Promise<TestNet & { readonly clock: ManualClock }> => {
  const clock = createManualClock()
  return { ...(await testNet({ ...replace, clock })), clock }
}

export const requestOf = (spec: SubnetSpec, seedByte = 7): Buffer =>
  Buffer.from(
    JSON.stringify(spec.tasks.chat?.plan({ seed: `0x${seedByte.toString(16).padStart(2, '0').repeat(32)}` as Hex })),
  )

/** Whom a question is for. */
export type Receiver = Pick<Keypair, 'address' | 'publicKey'>

/** A validator with a session of its own, that knows the miner's certificate. */
export interface Asker {
  readonly session: Session
  readonly counters: Counters
  readonly keys: PairKeys
  readonly serveId: Uint8Array
  /** The miner's. */
  readonly certificate: Certificate
  readonly receiver: Receiver
}

export const openAsker = async (of: {
  readonly signer?: Keypair
  readonly now: number
  readonly certificate: string
  readonly genesis?: Hex
  readonly registeredAt?: number
  readonly purpose?: 'ask' | 'serve'
  readonly lifetimeMs?: number
  readonly receiver?: Receiver
}): Promise<Asker> => {
  const read = readCertificate(of.certificate)
  if (!read.ok) throw new Error(read.code)
  const session = await openSession({
    signer: of.signer ?? rich,
    purpose: of.purpose ?? 'ask',
    genesisHash: fromHex(of.genesis ?? genesisHash),
    netuid,
    registeredAt: (of.registeredAt ?? 1) as Block,
    audience: null,
    issuedAt: of.now as UnixMs,
    ...(of.lifetimeMs === undefined ? {} : { lifetimeMs: of.lifetimeMs as Ms }),
    randomBytes: (length) => randomBytes(length),
  })
  const keys = derivePairKeys(session, read.certificate)
  if (keys === null) throw new Error('no keys')
  return {
    session,
    keys,
    counters: createCounters(),
    serveId: read.certificate.id,
    certificate: read.certificate,
    receiver: of.receiver ?? miner,
  }
}

/** Opens an asker of a test's net. */
export const askerOf = (net: TestNet, of: Partial<Parameters<typeof openAsker>[0]> = {}): Promise<Asker> =>
  openAsker({ now: net.clock.now(), certificate: net.sessions.current()?.certificate.text ?? '', ...of })

/** Writes a request; sealed, with a MAC and its certificate unless told otherwise. */
export const write = (
  asker: Asker,
  of: {
    readonly now: number
    readonly body: Uint8Array
    readonly isSealed?: boolean
    readonly proof?: 'mac' | 'signature'
    readonly pair?: null
    readonly accept?: 'whole' | 'stream'
    readonly path?: string
    readonly method?: string
    readonly counter?: number
    readonly timeoutMs?: number
    readonly netuid?: number
  },
): WrittenRequest =>
  writeRequest({
    session: asker.session,
    pair: of.pair === null ? null : { serveId: asker.serveId, keys: asker.keys },
    isSealed: of.isSealed ?? true,
    proof: of.proof ?? 'mac',
    counter: of.counter ?? asker.counters.next(asker.receiver.address),
    receiver: asker.receiver.publicKey,
    netuid: (of.netuid ?? netuid) as NetUid,
    method: of.method ?? 'POST',
    path: of.path ?? '/chat',
    accept: of.accept ?? 'whole',
    sentAt: of.now as UnixMs,
    timeoutMs: (of.timeoutMs ?? 10_000) as Ms,
    body: of.body,
  })

/** Headers of a request, as a first contact has them. */
export const headersOf = (asker: Asker, written: WrittenRequest): Record<string, string> => ({
  'content-type': written.contentType,
  'arbor-envelope': written.envelope,
  'arbor-certificate': asker.session.certificate.text,
})

export const post = (
  net: Pick<TestNet, 'app'>,
  headers: Readonly<Record<string, string | string[]>>,
  body: Uint8Array,
) => net.app.inject({ method: 'POST', url: '/chat', headers: { ...headers }, payload: Buffer.from(body) })
