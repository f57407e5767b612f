import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { ChainClient } from '@arbor/chain/client/types'
import { lockFolder } from '@arbor/chain/folder-lock'
import { startContained } from '@arbor/engine/contained/start'
import type { Contained } from '@arbor/engine/contained/types'
import type { Clock } from '@arbor/shared/clock'
import { createGate } from '@arbor/shared/gate'
import { fromHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import type { Logger } from '@arbor/shared/log'
import { supervise } from '@arbor/shared/supervise'
import type { Alpha, Ms, Uid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { FastifyInstance } from 'fastify'
import { createAdmission } from './admission/admission.ts'
import type { FollowedLists } from './admission/lists.ts'
import { createRateLimit } from './admission/rate-limit.ts'
import { type SubnetView, viewOf } from './admission/subnet-view.ts'
import { advertise, isAdvertised } from './axon.ts'
import { createServer } from './http/server.ts'
import { listenError } from './port.ts'
import { createRegistrationWatch, findSelf, type Identity } from './registration.ts'
import type { ServingParts } from './service/deps.ts'
import { createService } from './service/service.ts'
import { openSessionStore, type SessionStoreFile } from './session-store.ts'
import { openServeSessions, type ServeSessions } from './sessions.ts'
import type { MinerJob, MinerResult, MinerWorkerData } from './worker.ts'

/** What a running miner is told. */
export interface MinerSettings {
  readonly identity: Identity
  /** Specifier that a worker can load by itself: a built-in name or an absolute path. */
  readonly specifier: string
  /** Absolute path of the model folder. */
  readonly model: string
  /** Absolute path; made when absent. */
  readonly data: string
  /** Address to bind, and the port; 0 takes a free one. */
  readonly ip: string
  readonly port: number
  /** Address that the chain announces. */
  readonly externalIp: string
  readonly threads: number
  /** Requests that wait for a thread. */
  readonly queue: number
  readonly ratePerSecond: number
  readonly minStake: Alpha
  /** Whether questions that are not sealed are refused. */
  readonly requireSeal: boolean
}

export interface MinerDeps {
  readonly settings: MinerSettings
  readonly lists: FollowedLists
  /** Fresh secret bytes of the length asked for. */
  readonly randomBytes: (length: number) => Uint8Array
  readonly spec: SubnetSpec
  readonly chain: ChainClient
  readonly hotkey: Keypair
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
  readonly onReady: (ready: { readonly url: string; readonly uid: Uid }) => void
}

type Engine = Contained<MinerJob, MinerResult, string>

/**
 * Serves the subnet's tasks until the signal aborts.
 * @throws MINER_UNREGISTERED, MINER_DEREGISTERED, MINER_PORT_IN_USE, MINER_ADDRESS, MINER_AXON_REFUSED, MINER_DATA, MINER_OTHER_CHAIN, FOLDER_IN_USE, FOLDER_UNUSABLE, MODEL_*, CHAIN_*
 */
export const runMiner = async (deps: MinerDeps): Promise<void> => {
  const { settings, chain, log, signal } = deps
  const first = await findSelf({ chain, identity: settings.identity })
  mkdirSync(settings.data, { recursive: true, mode: 0o700 })
  using cleanup = new DisposableStack()
  cleanup.use(lockFolder({ file: join(settings.data, 'lock.sqlite'), what: 'a miner' }))
  const store = openSessionStore({
    file: join(settings.data, 'sessions.sqlite'),
    owner: { genesisHash: chain.genesisHash, hotkey: settings.identity.hotkey },
  })
  cleanup.defer(() => store.close())
  await using stop = new AsyncDisposableStack()
  const ending = new AbortController()
  const running = AbortSignal.any([signal, ending.signal])
  const engine = startEngine(deps, running)
  stop.defer(async () => {
    ending.abort()
    await engine.close()
  })
  const sessions = await openServeSessions({
    ...deps,
    signer: deps.hotkey,
    netuid: settings.identity.netuid,
    genesisHash: fromHex(chain.genesisHash),
    registeredAt: first.self.registeredAt,
  })
  await openModel(deps, engine)

  const state = { view: first.view, uid: first.self.uid, ready: false }
  const app = buildServer(deps, { engine, store, sessions, state })
  stop.defer(() => app.close())
  const port = await listen(app, settings)
  const endpoint = { ip: settings.externalIp, port }
  if (!isAdvertised(first.self.axon, endpoint)) await announce(deps, endpoint, running)
  state.ready = true
  const url = `http://${settings.externalIp.includes(':') ? `[${settings.externalIp}]` : settings.externalIp}:${port}`
  log.info({ event: 'miner.ready', url, uid: state.uid, hotkey: settings.identity.hotkey }, 'miner serves')
  deps.onReady({ url, uid: state.uid })
  const loops = {
    chain: (until: AbortSignal) => follow(deps, { state, sessions, endpoint }, until),
    sessions: sessions.renew,
    lists: deps.lists.follow,
  }
  await supervise({ loops, signal, clock: deps.clock })
  state.ready = false
  log.info({ event: 'miner.stopped' }, 'miner stops')
}

interface State {
  view: SubnetView
  uid: Uid | null
  ready: boolean
}

const startEngine = (deps: MinerDeps, signal: AbortSignal): Engine =>
  startContained<MinerJob, MinerResult, string>({
    worker: new URL('./worker.ts', import.meta.url),
    workerData: { spec: deps.settings.specifier, model: deps.settings.model } satisfies MinerWorkerData,
    threads: deps.settings.threads,
    maxQueue: deps.settings.threads, // the gate in front lets no more in than there are threads
    log: deps.log,
    signal,
    clock: deps.clock,
    abortGraceMs: 2_000 as Ms,
  })

/** Loads the model before anything is announced; another one than the subnet's serves too, and is warned of. */
const openModel = async ({ spec, log, signal }: MinerDeps, engine: Engine): Promise<void> => {
  const opened = await engine.run({ kind: 'open' }, { signal })
  if (opened.kind !== 'opened' || opened.model.hash === spec.model.hash) return
  const { name, hash } = opened.model
  log.warn(
    { event: 'miner.other_model', name, hash, expected: spec.model },
    "this is not the subnet's model: validators will refuse its answers",
  )
}

/** Signature checks of first contacts that one socket address may cause: a subnet's validators behind one relay, all at once. */
const CHECKS = { perSecond: 5, burst: 128, maxKeys: 4_096 } as const

const buildServer = (
  deps: MinerDeps,
  of: {
    readonly engine: Engine
    readonly store: SessionStoreFile
    readonly sessions: ServeSessions
    readonly state: State
  },
): FastifyInstance => {
  const { clock, log, spec, settings } = deps
  const { engine, store, sessions, state } = of
  const parts = servingParts(deps, engine, state)
  return createServer({
    clock,
    log,
    spec,
    service: createService({ ...parts, sessions, store, requireSeal: settings.requireSeal }),
    health: () => ({
      ready: state.ready && engine.stats().state === 'running' && sessions.current() !== null,
      uid: state.uid,
      block: state.view.metagraph.block.number,
    }),
  })
}

/** Makes what the routes of every protocol share: one admission, one queue, one engine. */
const servingParts = (
  { chain, clock, log, spec, settings, lists }: MinerDeps,
  engine: Engine,
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
    rate: createRateLimit({ perSecond: settings.ratePerSecond, burst: 2 * settings.ratePerSecond, clock }),
    checks: createRateLimit({ ...CHECKS, clock }),
    gate: createGate({ slots: settings.threads, capacity: settings.queue }),
  }),
  solve: async ({ task, request, signal, emit }) => {
    const job: MinerJob = { kind: 'solve', task, request, stream: emit !== undefined }
    const result = await engine.run(job, { signal, onProgress: emit })
    if (result.kind !== 'solved') throw new Error('the worker mistook a request')
    return result.response
  },
})

const listen = async (app: FastifyInstance, { ip, port }: MinerSettings): Promise<number> => {
  try {
    await app.listen({ host: ip, port, backlog: 511 })
  } catch (cause) {
    throw listenError({ ip, port, cause })
  }
  return (app.server.address() as AddressInfo).port
}

const announce = (
  { chain, hotkey, settings, clock, log }: MinerDeps,
  endpoint: { readonly ip: string; readonly port: number },
  signal: AbortSignal,
): Promise<void> => advertise({ chain, hotkey, netuid: settings.identity.netuid, endpoint, clock, log, signal })

/** Blocks after an announcement before a chain that shows another endpoint is told again. */
const ANNOUNCE_AGAIN_BLOCKS = 20

/** Reads the metagraph at each finalised head; repairs the announcement when someone else's, or an older one, stands. */
const follow = async (
  deps: MinerDeps,
  of: {
    readonly state: State
    readonly sessions: ServeSessions
    readonly endpoint: { readonly ip: string; readonly port: number }
  },
  signal: AbortSignal,
): Promise<void> => {
  const { chain, settings, log } = deps
  const { state, sessions, endpoint } = of
  const watch = createRegistrationWatch(settings.identity)
  let announcedAt = (await chain.best()).number
  for await (const head of chain.heads('finalized', signal)) {
    state.view = viewOf(await chain.metagraph(settings.identity.netuid, head.hash))
    const self = watch.see(state.view)
    if (self !== null && self.uid !== state.uid)
      log.info({ event: 'miner.uid', uid: self.uid }, 'registered under another uid')
    state.uid = self?.uid ?? null
    if (self !== null) sessions.registered(self.registeredAt)
    if (self === null || isAdvertised(self.axon, endpoint) || head.number < announcedAt + ANNOUNCE_AGAIN_BLOCKS)
      continue
    announcedAt = head.number
    await announce(deps, endpoint, signal)
  }
}
