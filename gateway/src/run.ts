import { randomBytes, randomInt } from 'node:crypto'
import type { PrivateAddresses } from '@arbor/chain/address'
import { type ChainConnection, connectChain } from '@arbor/chain/client/connect'
import { findModel } from '@arbor/engine/find-model'
import { type ModelFolder, readModelFolder } from '@arbor/engine/folder'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from '@arbor/shared/log'
import type { Signer } from '@arbor/shared/signer'
import { supervise } from '@arbor/shared/supervise'
import type { NetUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec, specifierOf } from '@arbor/subnet-spec/load'
import type { Traffic } from '@arbor/validator/traffic'
import { createAsking, LONGEST_ASK } from './asking.ts'
import { type Follower, openFollower } from './follow.ts'
import { createServer } from './http/server.ts'
import { createLimiter } from './keys/limits.ts'
import type { KeyRing } from './keys/ring.ts'
import { openMeter } from './meter.ts'
import { createMetrics } from './metrics.ts'
import { type OwnDendrite, openOwnDendrite } from './open-dendrite.ts'
import { isLoopback, type Listen } from './options.ts'
import { openQuestions } from './question.ts'
import { createRecorder } from './record.ts'
import { createRouter, type RouterLimits } from './routing/router.ts'
import { serve } from './serve.ts'
import { openValidatorData } from './validator-data.ts'

/** What the flags say. */
export interface GatewaySettings {
  readonly network: readonly string[]
  readonly netuid: NetUid
  readonly spec: string
  readonly task: string
  /** Name or folder; null for the spec's own. */
  readonly model: string | null
  readonly cwd: string
  readonly listen: Listen
  /** Data folder of the validator; null without one. */
  readonly validatorData: string | null
  readonly limits: RouterLimits
  readonly privateAddresses: PrivateAddresses
}

export interface GatewayDeps {
  readonly settings: GatewaySettings
  readonly hotkey: Signer
  readonly keys: KeyRing | null
  readonly log: Logger
  readonly clock: Clock
  readonly onReady: (url: string) => void
}

/** How long a request may wait for a miner to be free. */
const PATIENCE_MS = 30_000

/** Opens what a gateway holds, serves until the signal, and closes it in reverse. */
export const runGateway = async (deps: GatewayDeps, signal: AbortSignal): Promise<void> => {
  const { settings, log, clock } = deps
  const specifier = specifierOf(settings.spec, settings.cwd)
  const spec = await loadSpec(specifier)
  const model = await openModel(settings, spec)
  const chain = await connectChain({ url: settings.network, signal, clock, log, needs: ['metagraph'] })
  try {
    await serveSubnet(deps, { chain, spec, specifier, model }, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await chain.close()
  }
}

/**
 * Reads the very model that the spec names: another one's tokenizer would count other tokens.
 * @throws GATEWAY_MODEL, MODEL_*
 */
const openModel = async ({ model, cwd }: GatewaySettings, spec: SubnetSpec): Promise<ModelFolder> => {
  const folder = findModel({ model: model ?? spec.model.name, cwd })
  const found = await readModelFolder({ folder })
  if (found.id.hash === spec.model.hash) return found
  throw new SubnetError({
    code: 'GATEWAY_MODEL',
    message: `${folder} holds the model ${found.id.name} ${found.id.hash}, the subnet ${spec.name} is served by ${spec.model.name} ${spec.model.hash}; name its folder with --model`,
    details: { folder, found: found.id.hash, expected: spec.model.hash },
  })
}

interface Subnet {
  readonly chain: ChainConnection
  readonly spec: SubnetSpec
  readonly specifier: string
  readonly model: ModelFolder
}

const serveSubnet = async (deps: GatewayDeps, subnet: Subnet, signal: AbortSignal): Promise<void> => {
  const { settings, hotkey, clock, log } = deps
  const { chain, spec } = subnet
  const questions = openQuestions({ spec, task: settings.task, meter: openMeter(subnet.model) })
  const { netuid } = settings
  const owner = { genesisHash: chain.genesisHash, netuid, hotkey: hotkey.address }
  using data = openValidatorData({ folder: settings.validatorData, owner, spec })
  await using dendrite = openOwnDendrite({ ...settings, ...subnet, spec, hotkey, clock, log })
  const router = createRouter({ limits: settings.limits, clock, random })
  const follower = await openFollower({
    chain,
    netuid,
    self: hotkey.address,
    router,
    scores: data.scores === null ? null : data.scores.read,
    reward: spec.reward,
    registered: dendrite.registered,
    clock,
    log,
  })
  await serve(
    {
      listen: settings.listen,
      build: (stopping) =>
        buildApp({ ...deps, subnet, questions, router, follower, dendrite, traffic: data.traffic, stopping }),
      onListening: (url) => {
        log.info({ event: 'gateway.ready', url, netuid: settings.netuid, spec: spec.name }, 'gateway serves')
        deps.onReady(url)
      },
      onStopping: router.close,
      supervise: (until) =>
        supervise({
          loops: {
            subnet: follower.follow,
            blocks: follower.followBest,
            dendrite: dendrite.watch,
            ...(deps.keys === null ? {} : { keys: deps.keys.follow }),
          },
          signal: until,
          clock,
        }),
      clock,
    },
    signal,
  )
  log.info({ event: 'gateway.stopped' }, 'gateway stops')
}

/** A number in [0, 1) with 48 bits of chance. */
const random = (): number => randomInt(2 ** 48 - 1) / 2 ** 48

interface Parts extends GatewayDeps {
  readonly subnet: Subnet
  readonly questions: ReturnType<typeof openQuestions>
  readonly router: ReturnType<typeof createRouter>
  readonly follower: Follower
  readonly dendrite: OwnDendrite
  readonly traffic: Traffic | null
  readonly stopping: { readonly isStopping: () => boolean; readonly stop: AbortSignal }
}

const buildApp = (parts: Parts) => {
  const { settings, subnet, questions, router, follower, traffic, clock, log } = parts
  const { spec, model } = subnet
  const { deadlineMs, stream } = questions.definition
  const about = { spec: spec.name, version: String(spec.version), model: model.id.name, hash: model.id.hash }
  const metrics = createMetrics({ router, about })
  const asking = createAsking({
    router,
    clock,
    task: settings.task,
    deadlineMs,
    streams: stream === true,
    ask: parts.dendrite.ask,
    record: createRecorder({ traffic, head: follower.newest, log }),
    patienceMs: PATIENCE_MS,
    events: { attempt: (_miner, outcome) => metrics.attempt(outcome), retry: metrics.retry },
  })
  const readiness = () => {
    const { block, trouble } = follower.view()
    const miners = router.miners().length
    const why = parts.stopping.isStopping() ? 'stopping' : (trouble ?? (miners === 0 ? 'no miner can be asked' : null))
    return { ready: why === null, why, block, miners }
  }
  return createServer({
    model: {
      id: spec.model.name,
      hash: spec.model.hash,
      netuid: settings.netuid,
      created: Math.floor(clock.now() / 1_000),
    },
    questions,
    asking,
    keys: parts.keys,
    limiter: createLimiter(clock),
    isLoopback: isLoopback(settings.listen.host),
    metrics,
    clock,
    log,
    randomBytes,
    readiness,
    quietMs: PATIENCE_MS + LONGEST_ASK * deadlineMs,
    ...parts.stopping,
  })
}
