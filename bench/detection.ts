/**
 * Measures answers, honest ones and those of every cheat, as the check does.
 *   node bench/detection.ts MODEL [--honest 2000] [--cheats 200] [--tokens 48] [--only honest,int8] [--proof residue]
 *                           [--into FOLDER] [--minutes 60]
 * Questions are this benchmark's own and no calibration's. Each judged answer is a line of bench/results/detection/MODEL.csv; a run that
 * was stopped goes on with the next one. bench/detection-summary.ts judges them by the limits that the model's card ships.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { floorThresholds } from '../engine/src/calibrate/floors.ts'
import { findModel } from '../engine/src/find-model.ts'
import { openEngine, openModel } from '../engine/src/open.ts'
import type { ProofKind } from '../shared/src/inference.ts'
import { answerFalsely, cheatsByWeights } from './detection/cheats.ts'
import { type Answered, answerHonestly, VARIATIONS } from './detection/honest.ts'
import { openRecords, resultsPath } from './detection/records.ts'
import { machineOf } from './write.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    honest: { type: 'string', default: '2000' },
    cheats: { type: 'string', default: '200' },
    tokens: { type: 'string', default: '48' },
    only: { type: 'string', default: '' },
    proof: { type: 'string', default: 'residue' },
    into: { type: 'string', default: join(tmpdir(), 'arbor-bench-variants') },
    minutes: { type: 'string', default: '600' },
  },
})
/** Questions of cheats are numbered from here, so that none is an honest one's. */
const CHEATS_FROM = 3_000
const folder = findModel({ model: positionals[0] ?? 'arbor-2m', cwd: process.cwd() })
const only = values.only.split(',').filter((name) => name !== '')
const ends = performance.now() + Number(values.minutes) * 60_000
const proof = values.proof as ProofKind

const about = await openModel({ folder })
const { card, id } = about.folder
const chat = about.tokenizer.chats && about.config.context > 1_024 // the small models know no conversations
await about.release()
/** The limits of the profile where the card has none yet: measurements do not depend on them, and the summary judges by the card. */
const floors = [floorThresholds({ profile: id.profile, provider: 'cpu' })].flat()
const judge = await openEngine({ folder, ...(card.thresholds.length > 0 ? {} : { thresholds: floors }) })
const file = resultsPath(proof === 'residue' ? id.name : `${id.name}.${proof}`)
const records = openRecords(file, {
  model: id.name,
  hash: id.hash,
  proof,
  machine: machineOf(),
})
const question = { model: id.name, maxTokens: Number(values.tokens), chat, proof }

/** Judges an answer and writes the line; a run that is out of time ends between two lines. */
const take =
  (group: string) =>
  async ({ index, request, answer }: Answered): Promise<void> => {
    records.add(group, index, answer.tokens.length, await judge.check(request, answer))
    if (performance.now() < ends) return
    console.error(`out of time after ${records.all.length} answers; run it again to go on`)
    process.exit(0)
  }

if (only.length === 0 || only.includes('honest')) {
  let from = 0
  for (const variation of VARIATIONS) {
    const group = `honest: ${variation.name}`
    const count = Math.round(Number(values.honest) * variation.share)
    const indexes = Array.from({ length: count }, (_, index) => from + index)
    from += count
    const open = indexes.filter((index) => !records.has(group, index))
    await answerHonestly({ variation, folder, indexes: open, about: question, take: take(group) })
    say(group)
  }
}
for (const attacks of cheatsByWeights(only).values()) {
  await answerFalsely({
    attacks,
    folder,
    into: values.into,
    model: id,
    about: question,
    wanted: (name) =>
      Array.from({ length: Number(values.cheats) }, (_, index) => CHEATS_FROM + index).filter(
        (index) => !records.has(name, index),
      ),
    take: (name, answered) => take(name)(answered),
  })
  for (const { name } of attacks) say(name)
}
await judge.close()

function say(group: string): void {
  const own = records.all.filter((record) => record.group === group)
  const refused = own.filter(({ reason }) => reason !== 'ok')
  console.error(`${id.name} ${group}: ${refused.length} of ${own.length} refused`)
}
