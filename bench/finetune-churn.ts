/**
 * Measures what it costs a training subnet when miners come and go: `arbor miner`'s own loop on folders of its own, with the real trainer, data,
 * optimiser, merge plan and merge, in this process and without a chain.
 *   node bench/finetune-churn.ts [--rounds 20] [--seeds 3] [--miners 10]
 * In the arm "churn" 30 % of the miners are killed in each round, each before a step that is drawn. Half of them are started again at once and go on; the
 * others are gone, and as many strangers join for the next round with the newest whole checkpoint and the updates since.
 */
import { parseArgs } from 'node:util'
import { type Churn, type Ran, runChurn } from './churn/run.ts'
import { openSubnet } from './separation/subnet.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seeds: { type: 'string', default: '3' },
    miners: { type: 'string', default: '10' },
  },
})
const [rounds, seeds, miners] = [Number(values.rounds), Number(values.seeds), Number(values.miners)]
const ARMS: Readonly<Record<string, Churn>> = {
  calm: { killed: 0, back: 0 },
  churn: { killed: 0.3, back: 0.5 },
}

const subnet = await openSubnet()
const ran = new Map<string, Ran[]>()
for (let seed = 1; seed <= seeds; seed += 1)
  for (const [arm, churn] of Object.entries(ARMS)) {
    const one = await runChurn({ subnet, miners, rounds, seed, churn })
    console.log(seed, arm, JSON.stringify(one))
    ran.set(arm, [...(ran.get(arm) ?? []), one])
  }

const row = (what: string, unit: string, of: (one: Ran) => number) => ({
  what,
  unit,
  runs: Object.fromEntries([...ran].map(([arm, all]) => [arm, all.map((one) => Number(of(one).toFixed(4)))])),
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
    `${miners} miners, ${rounds} rounds, ${seeds} seeds; a machine has the time of 1.5 rounds' steps until updates are due, of which a restart takes two steps.`,
  ],
)
await subnet.trainer.close()
