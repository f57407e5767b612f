/**
 * Measures what each attack on a training subnet earns beside honest miners.
 *   node bench/finetune-separation.ts [--rounds 50] [--into FILE] [--judge]
 * Every round, four honest miners, one that always joins anew, and one miner of each attack train the built-in subnet's model from the same
 * checkpoint, in this process, and each update is measured as a validator does it. Each measurement is a line of
 * bench/results/separation.jsonl. They are judged afterwards (with --judge: only that), each attack in a subnet of its own with the four honest
 * miners, by the spec's Gauntlet, the validator's own fold of ratings and its weights.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { TRAINING_ATTACKS, trainingAttackOf } from '../subnet-spec/finetune/attacks/list.ts'
import type { TrainingAttack } from '../subnet-spec/finetune/attacks/types.ts'
import spec from '../subnet-spec/finetune/spec.ts'
import { fareOf } from './separation/judge.ts'
import type { Line } from './separation/lines.ts'
import { type Model, nothingKept, type Player, playRound } from './separation/play.ts'
import { openSubnet } from './separation/subnet.ts'
import { rowOf } from './separation/table.ts'
import { writeShares } from './write.ts'

const HONEST = 4
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    into: { type: 'string', default: fileURLToPath(new URL('./results/separation.jsonl', import.meta.url)) },
    judge: { type: 'boolean', default: false },
  },
})

/** What a miner would do who has read how norms are treated: half of the steps, sent at twice their length. */
const stretched: TrainingAttack = {
  ...trainingAttackOf('half-work'),
  name: 'half-work, stretched',
  progress: ({ progress }) => progress.map((value) => 2 * value),
}

if (!values.judge) await play()
judge(
  readFileSync(values.into, 'utf8')
    .trim()
    .split('\n')
    .map((line): Line => JSON.parse(line)),
)
process.exit(0)

async function play(): Promise<void> {
  const subnet = await openSubnet()
  const { size } = subnet.trainer.layout
  const player = (who: string, attack: Player['attack'], uid: number): Player => ({
    who,
    uid,
    attack,
    isFresh: who === 'fresh',
    kept: nothingKept(size),
    last: null,
  })
  const players = [
    ...Array.from({ length: HONEST }, (_, uid) => player('honest', null, uid)),
    player('fresh', null, HONEST),
    ...[...TRAINING_ATTACKS, stretched].map((attack, index) => player(attack.name, attack, HONEST + 1 + index)),
  ]
  let model: Model = { params: subnet.trainer.initial(), outer: new Float32Array(size) }
  writeFileSync(values.into, '')
  const { signal } = new AbortController()
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const played = await playRound({ subnet, round, model, players, signal })
    model = played.model
    for (const line of played.lines) appendFileSync(values.into, `${JSON.stringify(line)}\n`)
    const [own] = played.lines
    const { user } = process.cpuUsage()
    console.log(`round ${round}: loss ${own?.measured?.unseen[0]?.before.toFixed(3)}, ${(user / 1e6).toFixed(0)} CPU s`)
  }
}

/** Judges the lines that are there, each attack in a subnet of its own. */
function judge(lines: readonly Line[]): void {
  const rounds = 1 + Math.max(...lines.map(({ round }) => round))
  const whole = lines.filter(({ round }) => round < rounds - 1 || rounds === Number(values.rounds))
  const honest = whole.filter(({ who }) => who === 'honest')
  const guests = [...new Set(whole.map(({ who }) => who))].filter((who) => who !== 'honest')
  const cells = guests.map((guest) => {
    const fared = fareOf({ spec, lines: inRounds([...honest, ...whole.filter(({ who }) => who === guest)]) })
    return rowOf(guest, fared)
  })
  const alone = fareOf({ spec, lines: inRounds(honest) })
  writeShares({
    benchmark: 'finetune-separation',
    head: [
      'miner',
      'verdicts',
      'value where accepted',
      'accepted',
      'rating at the end',
      "paid, of an honest miner's share",
    ],
    cells: [rowOf('honest', alone), ...cells],
    notes: [`${new Set(whole.map(({ round }) => round)).size} rounds.`],
  })
}

function inRounds(lines: readonly Line[]): readonly Line[] {
  return lines.toSorted((a, b) => a.round - b.round || a.uid - b.uid)
}
