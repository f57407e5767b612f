/**
 * Measures what it costs a training subnet when miners come and go: `arbor miner`'s own loop on folders of its own, with the real trainer, data,
 * optimiser, merge plan and merge, in this process and without a chain.
 *   node bench/finetune-churn.ts [--rounds 12] [--seeds 3] [--miners 10]
 * In the arm "churn" 30 % of the miners are killed in each round, each before a step that is drawn. Half of them are started again at once and go on; the
 * others are gone, and as many strangers join for the next round with the newest whole checkpoint and the updates since.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { type Churn, type Ran, runChurn } from './churn/run.ts'
import { openSubnet } from './separation/subnet.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '12' },
    seeds: { type: 'string', default: '3' },
    miners: { type: 'string', default: '10' },
    /** Set for the process of one seed, which prints what came of it. */
    seed: { type: 'string' },
  },
})
const [rounds, seeds, miners] = [Number(values.rounds), Number(values.seeds), Number(values.miners)]
const ARMS: Readonly<Record<string, Churn>> = {
  calm: { killed: 0, back: 0 },
  churn: { killed: 0.3, back: 0.5 },
}
type Both = Readonly<Record<string, Ran>>

if (values.seed !== undefined) await runSeed(Number(values.seed))
else writeAll(await Promise.all(Array.from({ length: seeds }, (_, index) => inProcess(index + 1))))

async function runSeed(seed: number): Promise<void> {
  const subnet = await openSubnet()
  const both: Record<string, Ran> = {}
  for (const [arm, churn] of Object.entries(ARMS)) both[arm] = await runChurn({ subnet, miners, rounds, seed, churn })
  console.log(JSON.stringify(both))
  process.exit(0) // what was killed in the middle hangs for ever
}

async function inProcess(seed: number): Promise<Both> {
  const script = fileURLToPath(import.meta.url)
  const args = [script, '--seed', String(seed), '--rounds', String(rounds), '--miners', String(miners)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as Both
}

function writeAll(all: readonly Both[]): void {
  const row = (what: string, unit: string, of: (one: Ran) => number) => ({
    what,
    unit,
    runs: Object.fromEntries(
      Object.keys(ARMS).map((arm) => [
        arm,
        all.flatMap((both) => (both[arm] === undefined ? [] : [Number(of(both[arm]).toFixed(4))])),
      ]),
    ),
  })
  writeResult(
    'finetune-churn',
    [
      row('Loss on held-out text at the end', 'nats/token', ({ loss }) => loss),
      row('Rounds in which nothing was merged', `of ${rounds}`, ({ lost }) => lost),
      row('Updates merged', `a round, of ${miners}`, ({ merged }) => merged),
      row('Miners killed in the middle of a round', 'miners', ({ killed }) => killed),
      row('… started again at once', 'miners', ({ back }) => back),
      row('… that committed in the same round', 'miners', ({ resumed }) => resumed),
      row('Strangers that joined', 'miners', ({ joined }) => joined),
      row('… that committed in their first round', 'miners', ({ joinedAndCommitted }) => joinedAndCommitted),
      row('Checkpoints that differed from the others', 'checkpoints', ({ disagreed }) => disagreed),
      row('CPU of all miners', 's', ({ cpu }) => cpu),
    ],
    [
      `${miners} miners, ${rounds} rounds, ${seeds} seeds. Until updates are due a machine has the time of 1.5 times the steps that are due; a restart takes that of two.`,
    ],
  )
}
