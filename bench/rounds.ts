// What a round costs a validator: node bench/rounds.ts [runs] [miners,…] [rounds a run]. Simulated miners are two processes, each miner at an
// address of its own; the validator is a process that runs the product's rounds: dendrite, ledger in a file, receipts, judging in a child.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpus, loadavg } from 'node:os'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { startMiners } from '../test/e2e/support/fanout.ts'
import { writeResult } from './write.ts'

const [runs = '3', sizes = '256,4096', rounds = '3'] = process.argv.slice(2)
const SERVERS = 2
const validator = fileURLToPath(new URL('./workers/rounds/validator.ts', import.meta.url))

interface Round {
  readonly round: number
  readonly scores: number
  readonly wallS: number
  readonly cpuS: number
  readonly lagP99Ms: number
  readonly lagMaxMs: number
  readonly peakMiB: number
  readonly ledgerMiB: number
  readonly phases: Readonly<Record<string, number>>
}

const loads: number[] = []
const rows = new Map<string, { what: string; unit: string; runs: Record<string, number[]> }>()
const note = (what: string, unit: string, arm: string, value: number): void => {
  const row = rows.get(what + unit) ?? { what, unit, runs: {} }
  rows.set(what + unit, row)
  row.runs[arm] = [...(row.runs[arm] ?? []), Number(value.toPrecision(3))]
}

async function measure(count: number): Promise<readonly Round[]> {
  const share = Math.ceil(count / SERVERS)
  const servers = await Promise.all(
    Array.from({ length: SERVERS }, (_, nth) => startMiners(nth * share, Math.min(count, (nth + 1) * share))),
  )
  try {
    await Promise.all(servers.map((server) => server.give()))
    const ports = servers.map(({ port }) => port).join()
    const child = spawn(process.execPath, [validator, ports, String(count), rounds], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    const said = await text(child.stdout)
    const [code] = await ended
    if (code !== 0) throw new Error(`the validator ended with ${code}: ${said}`)
    return said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Round)
  } finally {
    for (const server of servers) server.stop()
  }
}

for (let run = 0; run < Number(runs); run += 1) {
  for (const size of sizes.split(',').map(Number)) {
    const arm = `${size} miners`
    loads.push(loadavg()[0] ?? 0)
    for (const { round, scores, wallS, cpuS, lagP99Ms, lagMaxMs, peakMiB, ledgerMiB, phases } of await measure(size)) {
      if (scores !== size) throw new Error(`${scores} of ${size} miners have a score`)
      console.log(JSON.stringify({ run, size, round, wallS, cpuS, lagP99Ms, lagMaxMs, peakMiB, ledgerMiB, phases }))
      if (round === 1) {
        note('first round: sessions begin', 's wall', arm, wallS)
        continue
      }
      note('a round', 's wall', arm, wallS)
      note('a round', 's CPU', arm, cpuS)
      note('a miner', 'CPU ms', arm, (cpuS * 1_000) / size)
      note('event loop, 99th percentile of its lateness', 'ms', arm, lagP99Ms)
      note('event loop, worst', 'ms', arm, lagMaxMs)
      for (const [phase, ms] of Object.entries(phases)) note(`of it: ${phase}`, 's wall', arm, ms / 1_000)
      note('resident memory, peak', 'MiB', arm, peakMiB)
      note('ledger after it', 'MiB', arm, ledgerMiB)
    }
  }
}
const [least, most] = [Math.min(...loads), Math.max(...loads)].map((load) => load.toFixed(0))
writeResult(
  'rounds',
  [...rows.values()],
  [
    `Processes that wanted one of the ${cpus().length} cores when a run began: ${least} to ${most}; wall times and lateness are those of a busy machine where these are many.`,
  ],
)
