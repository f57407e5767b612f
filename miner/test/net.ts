import type { Metagraph, Neuron } from '@arbor/chain/client/types'
import { toBytes } from '@arbor/shared/bytes'
import { createGate } from '@arbor/shared/gate'
import { blake2b256 } from '@arbor/shared/hashing'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { createManualClock, type ManualClock } from '@arbor/shared/manual-clock'
import type { Alpha, Block, Blocks, Hex, Ms, NetUid, Uid } from '@arbor/shared/units'
import { createMemoryReplayStore } from '@arbor/shared/wire/replay'
import { type SignedRequest, signRequest } from '@arbor/shared/wire/request'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec } from '@arbor/subnet-spec/load'
import type { FastifyInstance } from 'fastify'
import { createRateLimit } from '../src/rate-limit.ts'
import { createServer, type ServerDeps } from '../src/server.ts'
import { viewOf } from '../src/subnet-view.ts'

/** The people of these tests: a miner, two validators with a permit, one registered without, and a stranger. */
export const miner = keypairFromUri('//Miner')
export const rich = keypairFromUri('//Rich')
export const poor = keypairFromUri('//Poor')
export const unpermitted = keypairFromUri('//Unpermitted')
export const stranger = keypairFromUri('//Stranger')
export const netuid = 1 as NetUid

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

export interface TestNet {
  readonly app: FastifyInstance
  readonly clock: ManualClock
  readonly spec: SubnetSpec
  readonly deps: ServerDeps
}

/** Builds a miner's server with the parts that a test replaces. */
export const testNet = async (replace: Partial<ServerDeps> = {}): Promise<TestNet> => {
  const clock = createManualClock()
  const spec = await loadSpec('inference-tiny')
  const deps: ServerDeps = {
    clock,
    spec,
    hotkey: miner,
    receiver: miner.address,
    netuid,
    minStake: 10n as Alpha,
    view: () => viewOf(metagraphOf(neurons)),
    replay: createMemoryReplayStore(),
    rate: createRateLimit({ perSecond: 5, burst: 10, clock }),
    gate: createGate({ slots: 1, capacity: 2 }),
    log: createLogger({ name: 'miner', level: 'silent' }),
    solve: () => Promise.reject(new Error('this test expects no work')),
    health: () => ({ ready: true, uid: 3, block: 10 }),
    ...replace,
  }
  return { app: createServer(deps), clock, spec, deps }
}

let nonces = 0
/** Counts up, so that no two requests of a test run share one. */
export const nextNonce = (): Uint8Array => {
  nonces += 1
  return blake2b256(toBytes(String(nonces))).slice(0, 16)
}

export const requestOf = (spec: SubnetSpec, seedByte = 7): Buffer =>
  Buffer.from(
    JSON.stringify(spec.tasks.chat?.plan({ seed: `0x${seedByte.toString(16).padStart(2, '0').repeat(32)}` as Hex })),
  )

export const sign = (
  net: Pick<TestNet, 'clock'>,
  body: Buffer,
  of: { readonly signer?: Keypair; readonly path?: string } = {},
): SignedRequest =>
  signRequest({
    signer: of.signer ?? rich,
    receiver: miner.address,
    netuid,
    method: 'POST',
    path: of.path ?? '/chat',
    timestamp: net.clock.now(),
    timeoutMs: 10_000 as Ms,
    nonce: nextNonce(),
    body,
  })

export const post = (net: Pick<TestNet, 'app'>, headers: Readonly<Record<string, string | string[]>>, body: Buffer) =>
  net.app.inject({
    method: 'POST',
    url: '/chat',
    headers: { 'content-type': 'application/json', ...headers },
    payload: body,
  })
