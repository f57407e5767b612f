// Arbor's arms of bench/wire.ts: the miner's own server without an engine, the validator's own dendrite with its thread.
// Arguments: `serve PORT ARM`, `ask PORT HOTKEY ARM`; ARM is sessions, sealed or bittensor.
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Neuron } from '@arbor/chain/client/types'
import { createMemoryNonceStore } from '@arbor/shared/bittensor/nonce-store'
import { systemClock } from '@arbor/shared/clock'
import { createGate } from '@arbor/shared/gate'
import { fromHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { createMemorySessionStore } from '@arbor/shared/protocol/session-store'
import type { Alpha, Block, Blocks, Hex, Ms, NetUid, Ss58, Uid } from '@arbor/shared/units'
import { createAdmission } from '../../../miner/src/admission/admission.ts'
import { createRateLimit } from '../../../miner/src/admission/rate-limit.ts'
import { viewOf } from '../../../miner/src/admission/subnet-view.ts'
import { bittensorMount } from '../../../miner/src/bittensor/miner.ts'
import { createServer } from '../../../miner/src/http/server.ts'
import type { Solve } from '../../../miner/src/service/deps.ts'
import { createService } from '../../../miner/src/service/service.ts'
import { openServeSessions } from '../../../miner/src/sessions.ts'
import spec from '../../../test/e2e/support/large-echo-spec.ts'
import { ASK_LIMITS } from '../../../validator/src/dendrite/ask.ts'
import { openDendrite } from '../../../validator/src/dendrite/open.ts'
import type { PlannedTask } from '../../../validator/src/plan.ts'
import { runJobs, say } from './talk.ts'

const [role, port = '', ...rest] = process.argv.slice(2)
const arm = rest.at(-1)
const netuid = 1 as NetUid
const genesisHash: Hex = `0x${'ab'.repeat(32)}`
const registeredAt = 1 as Block
const validator = keypairFromUri('//Alice')
const miner = keypairFromUri('//Bob')
const log = createLogger({ name: 'bench', level: 'error' })
const clock = systemClock

const neuron: Neuron = {
  uid: 0 as Uid,
  hotkey: validator.address,
  coldkey: validator.address,
  registeredAt,
  lastUpdate: registeredAt,
  active: true,
  validatorPermit: true,
  axon: null,
  alphaStake: 1n as Alpha,
  totalStake: 1n as Alpha,
  incentive: 0,
  dividends: 0,
  consensus: 0,
  validatorTrust: 0,
  emission: 0n as Alpha,
}
const view = viewOf({
  netuid,
  block: { number: 10 as Block, hash: genesisHash },
  tempo: 10 as Blocks,
  lastEpochBlock: 0 as Block,
  epochIndex: 1,
  maxUids: 256,
  ownerHotkey: validator.address,
  neurons: [neuron],
})

/** Serves with limits that let everything through, as for a validator that pays for it. */
async function serve(): Promise<void> {
  const connections = { total: 4_096, perAddress: 4_096 } // all endpoints are this machine's
  const admission = createAdmission({
    minStake: 0n as Alpha,
    view: () => view,
    lists: { admits: () => true },
    rate: createRateLimit({ perSecond: 1e6, burst: 1e6, clock }),
    checks: createRateLimit({ perSecond: 1e6, burst: 1e6, clock }),
    gate: createGate({ slots: 256, capacity: 256 }),
    clock,
  })
  const sessions = await openServeSessions({
    signer: miner,
    clock,
    log,
    genesisHash: fromHex(genesisHash),
    netuid,
    registeredAt,
    randomBytes,
  })
  const solve: Solve = async ({ request }) => ({ reply: (request as { text: string }).text })
  const service = createService({
    receiver: miner.address,
    netuid,
    genesisHash,
    store: createMemorySessionStore(),
    requireSeal: false,
    solve,
    admission,
    clock,
    log,
    spec,
    sessions,
  })
  const parts = { spec, admission, solve, receiver: miner.address, netuid, genesisHash, clock, log }
  const app = createServer({
    ...(arm === 'bittensor' ? { mount: bittensorMount(parts, createMemoryNonceStore()) } : {}),
    clock,
    log,
    spec,
    service,
    health: () => ({ ready: true, uid: 1, block: 10 }),
    connections,
  })
  await app.listen({ host: '0.0.0.0', port: Number(port) })
  say({ ready: miner.address })
  process.stdin.resume().on('end', () => process.exit(0))
}

async function ask(): Promise<void> {
  const dendrite = openDendrite({
    spec,
    specifier: fileURLToPath(new URL('../../../test/e2e/support/large-echo-spec.ts', import.meta.url)),
    signer: validator,
    clock,
    log,
    netuid,
    genesisHash,
    limits: { ...ASK_LIMITS, inFlight: 256, perMiner: 256, bytesInFlight: 2 ** 30 },
    isSealed: arm === 'sealed',
    proof: 'mac',
    privateAllowed: true,
    speaksBittensor: arm === 'bittensor',
    sessionMs: 3_600_000 as Ms,
  })
  dendrite.registered(registeredAt)
  const never = new AbortController().signal
  say({ ready: '' })
  await runJobs(async ({ address, text }) => {
    const task: PlannedTask = {
      hotkey: miner.address as Ss58,
      uid: 1 as Uid,
      registeredAt,
      axon: { ip: address, port: Number(port), version: arm === 'bittensor' ? 10_005_000 : 2, protocol: 4 },
      task: 'echo',
      seed: genesisHash,
      request: { text },
    }
    const answer = await dendrite.ask(task, never)
    return answer.kind === 'answered' && JSON.parse(Buffer.from(answer.body).toString()).reply === text
  })
  await dendrite.close()
}

if (role === 'serve') await serve()
else await ask()
