// One validator in a process of its own, which runs rounds over simulated miners: ports of the miners' processes, miners, rounds.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import type { ChainClient, Metagraph } from '@arbor/chain/client/types'
import { startContained } from '@arbor/engine/contained/start'
import { systemClock } from '@arbor/shared/clock'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import type { Block, Hex, Ms, NetUid } from '@arbor/shared/units'
import { addressOf, keyOf } from '../../../test/e2e/support/fanout.ts'
import spec from '../../../test/e2e/support/rounds-spec.ts'
import type { ChainView } from '../../../validator/src/chain-view.ts'
import { ASK_LIMITS } from '../../../validator/src/dendrite/ask.ts'
import { openDendrite } from '../../../validator/src/dendrite/open.ts'
import { type Meter, noMeter } from '../../../validator/src/health/meter.ts'
import type { Judged } from '../../../validator/src/judged.ts'
import { openLedger } from '../../../validator/src/ledger.ts'
import { createPrecedence } from '../../../validator/src/precedence.ts'
import { KEPT_RECEIPT_BYTES, KEPT_RECEIPTS, openReceipts } from '../../../validator/src/receipts.ts'
import { runDue } from '../../../validator/src/rounds/loop.ts'
import type { ScoreJob } from '../../../validator/src/worker.ts'
import { hyperparameters, metagraph, neuron } from '../../../validator/test/fixtures.ts'

const [ports = '', miners = '256', rounds = '2'] = process.argv.slice(2)
const servers = ports.split(',').map(Number)
const count = Number(miners)
const hotkey = keypairFromUri('//Alice')
const netuid = 1 as NetUid
const genesisHash = `0x${'ab'.repeat(32)}` as Hex
const LENGTH = 180
const folder = mkdtempSync(join(tmpdir(), 'arbor-rounds-'))
const log = createLogger({ name: 'rounds', level: 'warn', destination: process.stderr })
const owner = { genesisHash, netuid, hotkey: hotkey.address }
const ledger = openLedger({ file: join(folder, 'ledger.sqlite'), owner })
const signal = new AbortController().signal
const scorers = startContained<ScoreJob, Judged>({
  worker: new URL('../../../validator/src/worker.ts', import.meta.url),
  workerData: {
    spec: fileURLToPath(new URL('../../../test/e2e/support/rounds-spec.ts', import.meta.url)),
    modelFolder: fileURLToPath(new URL('../../../models/arbor-tiny', import.meta.url)),
  },
  threads: 1,
  maxQueue: 4_096,
  log,
  signal,
})
const dendrite = openDendrite({
  spec,
  specifier: fileURLToPath(new URL('../../../test/e2e/support/rounds-spec.ts', import.meta.url)),
  signer: hotkey,
  netuid,
  genesisHash,
  clock: systemClock,
  log,
  limits: { ...ASK_LIMITS, inFlight: 64 },
  isSealed: true,
  proof: 'mac',
  privateAllowed: true,
  speaksBittensor: false,
  sessionMs: 3_600_000 as Ms,
})
const neurons = Array.from({ length: count }, (_, index) => {
  const port = servers[Math.floor(index / Math.ceil(count / servers.length))] ?? 0
  const axon = { ip: addressOf(index), port, version: 2, protocol: 4 }
  return neuron({ uid: index, hotkey: keyOf(index).address, registeredAt: 7, axon })
})
const me = neuron({ uid: count, hotkey: hotkey.address, registeredAt: 5 })
const hashOf = (block: number): Hex => `0x${block.toString(16).padStart(64, '0')}`
let head = 0
const graph = (): Metagraph =>
  metagraph({ block: { number: head, hash: hashOf(head) } as never, tempo: 2 * LENGTH, neurons: [...neurons, me] })
const view: ChainView = {
  now: () => ({ metagraph: graph(), hyperparameters: hyperparameters(), me }),
  after: () => Promise.reject(new Error('unused')),
}
const refOf = (number: number) => ({ number: number as Block, hash: hashOf(number) })
const chain = {
  genesisHash,
  blockHash: async (number: Block) => hashOf(number),
  metagraph: async () => graph(),
  finalized: async () => refOf(head),
  best: async () => refOf(head - 1),
} as never as ChainClient
const phases = new Map<string, number>()
const meter: Meter = { ...noMeter, phase: (phase, ms) => void phases.set(phase, (phases.get(phase) ?? 0) + ms) }

const sizeOf = (name: string): number => statSync(join(folder, name)).size / 2 ** 20

/** CPU of this process, its threads and the children that have ended, in seconds. */
const cpuOf = (pid: number | 'self'): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return [11, 12].reduce((sum, index) => sum + Number(fields[index]), 0) / 100
}
const childrenOf = (): number[] =>
  readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
const cpu = (): number => cpuOf('self') + childrenOf().reduce((sum, pid) => sum + cpuOf(pid), 0)
const residentMiB = (): number => {
  const [, kib = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return Number(kib) / 1_024
}

dendrite.registered(5 as Block)
const deps = {
  chain,
  view,
  ledger,
  netuid,
  spec,
  receipts: openReceipts({ data: folder, most: KEPT_RECEIPTS, mostBytes: KEPT_RECEIPT_BYTES }),
  hotkey,
  self: hotkey.address,
  judge: (job: ScoreJob, until: AbortSignal) => scorers.run(job, { signal: until }),
  keep: () => Promise.reject(new Error('unused')),
  precedence: createPrecedence(),
  clock: systemClock,
  log,
  threads: 1,
  meter,
  ask: dendrite.ask,
  registered: dendrite.registered,
}
for (let round = 1; round <= Number(rounds); round += 1) {
  head = round * LENGTH + 2
  phases.clear()
  let peakMiB = 0
  const sampling = setInterval(() => {
    peakMiB = Math.max(peakMiB, residentMiB())
  }, 100)
  const lag = monitorEventLoopDelay({ resolution: 1 })
  const before = { cpu: cpu(), at: performance.now() }
  lag.enable()
  await runDue(deps, signal)
  lag.disable()
  clearInterval(sampling)
  const verdicts = Object.fromEntries(ledger.verdictCounts().values().next().value ?? [])
  process.stdout.write(
    `${JSON.stringify({
      round,
      verdicts,
      scores: ledger.scores().length,
      wallS: (performance.now() - before.at) / 1_000,
      cpuS: cpu() - before.cpu,
      lagP99Ms: lag.percentile(99) / 1e6,
      lagMaxMs: lag.max / 1e6,
      peakMiB,
      ledgerMiB: sizeOf('ledger.sqlite') + sizeOf('ledger.sqlite-wal'),
      phases: Object.fromEntries(phases),
    })}\n`,
  )
}
await Promise.allSettled([dendrite.close(), scorers.close()])
ledger.close()
rmSync(folder, { recursive: true, force: true })
process.exit(0)
