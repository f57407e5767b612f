import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { isLocalChain } from '@arbor/chain/address'
import type { ChainClient } from '@arbor/chain/client/types'
import { lockFolder } from '@arbor/chain/folder-lock'
import type { Clock } from '@arbor/shared/clock'
import { createGate } from '@arbor/shared/gate'
import { fromHex } from '@arbor/shared/hex'
import type { Provider } from '@arbor/shared/inference'
import type { Logger } from '@arbor/shared/log'
import { SEAL_BYTES } from '@arbor/shared/protocol/limits'
import type { Signer } from '@arbor/shared/signer'
import { supervise } from '@arbor/shared/supervise'
import type { Alpha, Uid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { FastifyInstance } from 'fastify'
import { createAdmission } from './admission/admission.ts'
import type { FollowedLists } from './admission/lists.ts'
import { createRateLimit } from './admission/rate-limit.ts'
import { startAnswering } from './answering.ts'
import { isAdvertised } from './axon.ts'
import type { MinerBackend } from './backend.ts'
import { bittensorMount } from './bittensor/miner.ts'
import { openNonceStore } from './bittensor/nonce-store.ts'
import { createDialling, type Dialling, type DialTargets, type Endpoint } from './dial/dial.ts'
import { announce, announced, follow, readyOnce, type State } from './follow.ts'
import { createServer } from './http/server.ts'
import type { Job } from './job.ts'
import { listenError } from './port.ts'
import { findSelf, type Identity } from './registration.ts'
import type { ServingParts } from './service/deps.ts'
import { createService } from './service/service.ts'
import type { Service } from './service/types.ts'
import { openSessionStore } from './session-store.ts'
import { openServeSessions, type ServeSessions } from './sessions.ts'
import type { TrainingSettings } from './training/start.ts'

/** What a running miner is told. */
export interface MinerSettings {
  readonly identity: Identity
  /** Specifier that a worker can load by itself: a built-in name or an absolute path. */
  readonly specifier: string
  /** Absolute path of the model folder. */
  readonly model: string
  /** Absolute path; made when absent. */
  readonly data: string
  /** Address to bind, and the port; 0 takes a free one, and null listens nowhere. */
  readonly ip: string
  readonly port: number | null
  /** Address and port that the chain announces; null for those that are listened on, or of the relay that is dialled. */
  readonly externalIp: string | null
  readonly externalPort: number | null
  /** Relays and validators to dial; null for none. */
  readonly dial: DialTargets | null
  readonly threads: number
  /** Answers that one thread runs at once. */
  readonly batch: number
  /** Execution providers in order of preference. */
  readonly providers: readonly Provider[]
  /** Tokens of cache for the running answers of a thread; null for the engine's default. */
  readonly cacheTokens: number | null
  /** Requests that wait for a place in a batch. */
  readonly queue: number
  readonly ratePerSecond: number
  readonly minStake: Alpha
  /** Whether questions that are not sealed are refused. */
  readonly requireSeal: boolean
  /** Whether Bittensor's dendrites are answered too, on the same port. */
  readonly bittensor: boolean
  /** Attack that it answers by; null for an honest miner. */
  readonly cheat: string | null
  /** Who computes in place of our own sessions; null for these. */
  readonly backend: MinerBackend | null
  /** What it trains with; null in a subnet that asks questions. */
  readonly training: TrainingSettings | null
}

export interface MinerDeps {
  readonly settings: MinerSettings
  readonly lists: FollowedLists
  /** Fresh secret bytes of the length asked for. */
  readonly randomBytes: (length: number) => Uint8Array
  readonly spec: SubnetSpec
  readonly chain: ChainClient
  readonly hotkey: Signer
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
  /** Called once; the URL is null when only those can ask whom the miner dials. */
  readonly onReady: (ready: { readonly url: string | null; readonly uid: Uid }) => void
}

/**
 * Serves the subnet's tasks until the signal aborts.
 * @throws MINER_UNREGISTERED, MINER_DEREGISTERED, MINER_PORT_IN_USE, MINER_ADDRESS, MINER_AXON_REFUSED, STORE_*, FOLDER_IN_USE, FOLDER_UNUSABLE, MODEL_*, CHAIN_*
 */
export const runMiner = async (deps: MinerDeps): Promise<void> => {
  const { settings, chain, log, signal } = deps
  const first = await findSelf({ chain, identity: settings.identity })
  mkdirSync(settings.data, { recursive: true, mode: 0o700 })
  using cleanup = new DisposableStack()
  cleanup.use(lockFolder({ file: join(settings.data, 'lock.sqlite'), what: 'a miner' }))
  const owner = { genesisHash: chain.genesisHash, hotkey: settings.identity.hotkey }
  const store = openSessionStore({ file: join(settings.data, 'sessions.sqlite'), owner })
  cleanup.defer(() => store.close())
  await using stop = new AsyncDisposableStack()
  const ending = new AbortController()
  const running = AbortSignal.any([signal, ending.signal])
  const state: State = { view: first.view, uid: first.self.uid, ready: false }
  const job = await startJob(deps, { state, cleanup, signal: running })
  stop.defer(async () => {
    ending.abort()
    await job.close()
  })
  const sessions = await openServeSessions({
    ...deps,
    signer: deps.hotkey,
    netuid: settings.identity.netuid,
    genesisHash: fromHex(chain.genesisHash),
    registeredAt: first.self.registeredAt,
  })
  await job.open()

  const parts = servingParts(deps, job, state)
  const service = createService({ ...parts, sessions, store, requireSeal: settings.requireSeal })
  const mount = settings.bittensor
    ? openBittensor({ file: join(settings.data, 'nonces.sqlite'), owner }, parts, cleanup)
    : undefined
  const served = { job, sessions, state, service, mount, stop }
  const own = settings.port === null ? null : await openServer(deps, served)
  const ready = readyOnce(deps, state)
  const dialling = settings.dial === null ? null : openDialling(deps, { service, sessions, state, ready })
  const endpoint = (): Endpoint | null => announced(settings, own ?? dialling?.endpoint() ?? null)
  if (own !== null) {
    const listening = announced(settings, own) ?? own
    if (!isAdvertised(first.self.axon, listening)) await announce(deps, listening, running)
    ready(listening)
  }
  const loops = {
    ...job.loops,
    chain: (until: AbortSignal) => follow(deps, { state, sessions, endpoint }, until),
    sessions: sessions.renew,
    lists: deps.lists.follow,
    ...(dialling === null ? {} : { dial: dialling.run }),
  }
  await supervise({ loops, signal, clock: deps.clock })
  state.ready = false
  log.info({ event: 'miner.stopped' }, 'miner stops')
}

/** Starts what the subnet's miners do. */
const startJob = async (
  deps: MinerDeps,
  of: { readonly state: State; readonly cleanup: DisposableStack; readonly signal: AbortSignal },
): Promise<Job> => {
  const { training } = deps.spec
  if (training === undefined) return startAnswering(deps, of.signal)
  const { startTraining } = await import('./training/start.ts') // most miners never train
  return startTraining(deps, { ...of, terms: training })
}

/** Signature checks of first contacts that one socket address may cause: a subnet's validators behind one relay, all at once. */
const CHECKS = { perSecond: 5, burst: 128, maxKeys: 4_096 } as const

interface ServedBy {
  readonly job: Job
  readonly sessions: ServeSessions
  readonly state: State
}

/** Makes the routes of Bittensor's protocol, with a store of its own for what must outlive a restart. */
const openBittensor = (
  of: Parameters<typeof openNonceStore>[0],
  parts: ServingParts,
  cleanup: DisposableStack,
): ((app: FastifyInstance) => void) => {
  const nonces = openNonceStore(of)
  cleanup.defer(() => nonces.close())
  return bittensorMount(parts, nonces)
}

/** Opens the HTTP port. @returns where it listens */
const openServer = async (
  { clock, log, spec, settings }: MinerDeps,
  of: ServedBy & {
    readonly service: Service
    readonly mount: ((app: FastifyInstance) => void) | undefined
    readonly stop: AsyncDisposableStack
  },
): Promise<Endpoint> => {
  const { job, sessions, state, service, mount } = of
  const app = createServer({
    clock,
    log,
    spec,
    service,
    mount,
    health: () => ({
      ...job.about(),
      ready: state.ready && job.isRunning() && sessions.current() !== null,
      uid: state.uid,
      block: state.view.metagraph.block.number,
    }),
  })
  of.stop.defer(() => app.close())
  return { ip: settings.ip, port: await listen(app, settings) }
}

/** Makes the connections to those whom the miner dials, which bring questions as the HTTP port does. */
const openDialling = (
  deps: MinerDeps,
  of: Pick<ServedBy, 'sessions' | 'state'> & {
    readonly service: Service
    readonly ready: (endpoint: Endpoint | null) => void
  },
): Dialling => {
  const { settings, spec, clock, log, randomBytes } = deps
  const dialling = createDialling({
    ...of,
    targets: settings.dial ?? [],
    hotkey: settings.identity.hotkey,
    metagraph: () => of.state.view.metagraph,
    privateAllowed: isLocalChain(deps.chain),
    bodyBytes: Math.max(...Object.values(spec.tasks).map(({ maxRequestBytes }) => maxRequestBytes)) + SEAL_BYTES,
    random: () => Buffer.from(randomBytes(4)).readUInt32BE() / 2 ** 32,
    onConnected: () => of.ready(announced(settings, dialling.endpoint())),
    clock,
    log,
  })
  return dialling
}

/** Makes what the routes of every protocol share: one admission, one queue, one job. */
const servingParts = (
  { chain, clock, log, spec, settings, lists }: MinerDeps,
  job: Job,
  state: State,
): ServingParts => ({
  clock,
  log,
  spec,
  receiver: settings.identity.hotkey,
  netuid: settings.identity.netuid,
  genesisHash: chain.genesisHash,
  admission: createAdmission({
    clock,
    lists,
    minStake: settings.minStake,
    view: () => state.view,
    rate: createRateLimit({ ...job.rate, clock }),
    checks: createRateLimit({ ...CHECKS, clock }),
    gate: createGate({ slots: job.places, capacity: settings.queue }),
  }),
  solve: job.solve,
  pace: job.pace,
})

const listen = async (app: FastifyInstance, { ip, port }: MinerSettings): Promise<number> => {
  const place = { ip, port: port ?? 0 }
  try {
    await app.listen({ host: ip, port: place.port, backlog: 511 })
  } catch (cause) {
    throw listenError({ ...place, cause })
  }
  return (app.server.address() as AddressInfo).port
}
