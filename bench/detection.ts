/**
 * Measures answers, honest ones and those of every cheat, as the check does.
 *   node bench/detection.ts MODEL [--honest 2000] [--cheats 200] [--tokens 48] [--only honest,int8] [--proof residue]
 *                           [--into FOLDER] [--minutes 60] [--python PYTHON]
 * Questions are this benchmark's own and no calibration's. Each judged answer is a line of bench/results/detection/MODEL.csv; a run that
 * was stopped goes on with the next one. bench/detection-summary.ts judges them by the limits that the model's card ships.
 * With --proof toploc and a PYTHON that has the package toploc 0.1.6 (pip install --no-build-isolation --no-binary toploc toploc==0.1.6), that
 * package verifies the same proofs beside ours, into MODEL.package.csv.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { floorThresholds } from '../engine/src/calibrate/floors.ts'
import { findModel } from '../engine/src/find-model.ts'
import { engineOf, openModel } from '../engine/src/open.ts'
import { prepareRequest } from '../engine/src/request.ts'
import type { Check, ProofKind } from '../shared/src/inference.ts'
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
    python: { type: 'string' },
  },
})
/** Questions of cheats are numbered from here, so that none is an honest one's. */
const CHEATS_FROM = 3_000
const folder = findModel({ model: positionals[0] ?? 'arbor-2m', cwd: process.cwd() })
const only = values.only.split(',').filter((name) => name !== '')
const ends = performance.now() + Number(values.minutes) * 60_000
const proof = values.proof as ProofKind

const model = await openModel({ folder })
const { card, id } = model.folder
const chat = model.tokenizer.chats && model.config.context > 1_024 // the small models' template is there for the tools alone
/** The limits of the profile where the card has none yet: measurements do not depend on them, and the summary judges by the card. */
const floors = [floorThresholds({ profile: id.profile, provider: 'cpu' })].flat()
const judge = await engineOf(model, card.thresholds.length > 0 ? {} : { thresholds: floors })
const file = resultsPath(proof === 'residue' ? id.name : `${id.name}.${proof}`)
const head = { model: id.name, hash: id.hash, proof, machine: machineOf() }
const records = openRecords(file, head)
const { python } = values
const packaged =
  python === undefined || proof !== 'toploc' ? null : openRecords(resultsPath(`${id.name}.package`), head)
const scratch = mkdtempSync(join(tmpdir(), 'bench-detection-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
/** What the package has still to verify: proofs, beside the activations that they are compared with. */
let forPackage: { readonly group: string; readonly answered: Answered; readonly line: string }[] = []
const question = { model: id.name, maxTokens: Number(values.tokens), chat, proof }

/** Judges an answer and writes the line; a run that is out of time ends between two lines. */
const take =
  (group: string) =>
  async ({ index, request, answer }: Answered): Promise<void> => {
    const check = await judge.check(request, answer)
    records.add(group, index, answer.tokens.length, check)
    if (packaged !== null && !packaged.has(group, index) && check.exponentMismatches !== null)
      forPackage.push({
        group,
        answered: { index, request, answer },
        line: await activationsOf({ index, request, answer }),
      })
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
  verifyByPackage()
}

/** Writes the validator's own activations of an answer, and the proofs that came with it, as a line for the package. */
async function activationsOf({ request, answer }: Answered): Promise<string> {
  const { prompt } = prepareRequest({ request, ...model })
  const { hidden, width } = await model.decoder.prefill([...prompt, ...answer.tokens.slice(0, -1)], [0])
  const rows = Float32Array.from(hidden.subarray((prompt.length - 1) * width))
  return JSON.stringify({ proofs: answer.fingerprint, rows: Buffer.from(rows.buffer).toString('base64'), width })
}

/** Lets the package verify what answers came with. */
function verifyByPackage(): void {
  if (packaged === null || python === undefined || forPackage.length === 0) return
  const lines = join(scratch, 'answers.jsonl')
  writeFileSync(lines, forPackage.map(({ line }) => `${line}\n`).join(''))
  const script = fileURLToPath(new URL('./detection/toploc_package.py', import.meta.url))
  const said = execFileSync(python, [script, lines], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .trim()
    .split('\n')
  for (const [place, { group, answered }] of forPackage.entries()) {
    const found = JSON.parse(said[place] ?? '') as Pick<Check, 'exponentMismatches' | 'mantissaError'> | null
    if (found === null) continue // too short an answer for it
    const rest = { residueError: null, marginMean: null, marginMax: null, mismatches: null, prefilled: 0 }
    packaged.add(group, answered.index, answered.answer.tokens.length, { reason: 'ok', ...rest, ...found })
  }
  forPackage = []
}
