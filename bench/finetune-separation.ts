/**
 * Measures what each attack on a training subnet earns beside honest miners.
 *   node bench/finetune-separation.ts [--rounds 50] [--part 1/1] [--into FOLDER] [--judge]
 * Every round, four honest miners, one that always joins anew, and one miner of each attack train the built-in subnet's model from the same
 * checkpoint, in this process, and each update is measured as a validator does it, on data and by draws that hashes fix. Each measurement is a
 * line of a file in the folder. A part is every n-th attack beside the same honest miners; parts run in processes of their own. With --judge all
 * parts are judged: each attack in a subnet of its own with the four honest miners, by the spec's Gauntlet, the validator's own fold of ratings
 * and its weights.
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
    part: { type: 'string', default: '1/1' },
    into: { type: 'string', default: join(tmpdir(), 'arbor-bench-separation') },
    judge: { type: 'boolean', default: false },
  },
})

/** What a miner would do who has read how norms are treated: half of the steps, sent at twice their length. */
const stretched: TrainingAttack = {
  ...trainingAttackOf('half-work'),
  name: 'half-work, stretched',
  progress: ({ progress }) => progress.map((value) => 2 * value),
}

const [part = 1, parts = 1] = values.part.split('/').map(Number)
mkdirSync(values.into, { recursive: true })
const file = join(values.into, `${part}.jsonl`)

if (values.judge) judge(allLines())
else await play()
process.exit(0)

/** Reads all parts; what the honest miners did has to be the same in each. */
function allLines(): readonly Line[] {
  const lines = new Map<string, string>()
  for (const name of readdirSync(values.into).filter((each) => each.endsWith('.jsonl'))) {
    for (const text of readFileSync(join(values.into, name), 'utf8').trim().split('\n')) {
      const { round, uid } = JSON.parse(text) as Line
      const key = `${round}/${uid}`
      if ((lines.get(key) ?? text) !== text) throw new Error(`round ${round} of uid ${uid} came out twice, and differs`)
      lines.set(key, text)
    }
  }
  return [...lines.values()].map((text): Line => JSON.parse(text))
}

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
  ].filter(({ uid }) => uid < HONEST || uid % parts === part - 1)
  let model: Model = { params: subnet.trainer.initial(), outer: new Float32Array(size) }
  writeFileSync(file, '')
  const { signal } = new AbortController()
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const played = await playRound({ subnet, round, model, players, signal })
    model = played.model
    for (const line of played.lines) appendFileSync(file, `${JSON.stringify(line)}\n`)
    const [own] = played.lines
    const { user } = process.cpuUsage()
    console.log(`round ${round}: loss ${own?.measured?.unseen[0]?.before.toFixed(3)}, ${(user / 1e6).toFixed(0)} CPU s`)
  }
}

/** Judges the lines that are there, each attack in a subnet of its own. */
function judge(lines: readonly Line[]): void {
  const who = new Set(lines.map(({ uid }) => uid)).size
  const whole = [...Map.groupBy(lines, ({ round }) => round).values()].filter((each) => each.length === who).flat()
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
    notes: [
      `${new Set(whole.map(({ round }) => round)).size} rounds, the first ones among them, in which ratings settle and little is known of anybody.`,
    ],
  })
}

function inRounds(lines: readonly Line[]): readonly Line[] {
  return lines.toSorted((a, b) => a.round - b.round || a.uid - b.uid)
}
