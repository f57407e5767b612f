/**
 * Judges the answers of bench/detection.ts by the limits that each model's card ships, and makes the tables.
 *   node bench/detection-summary.ts [--models arbor-tiny,arbor-2m,smollm2]
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ATTACK_NAMES } from '../engine/src/attacks/list.ts'
import { floorThresholds } from '../engine/src/calibrate/floors.ts'
import { findModel } from '../engine/src/find-model.ts'
import { readModelFolder } from '../engine/src/folder.ts'
import { mismatchesAllowed, shareInterval } from '../engine/src/statistics.ts'
import { findThresholds, type Thresholds, thresholdsHash } from '../engine/src/thresholds.ts'
import type { ProofKind } from '../shared/src/inference.ts'
import { VARIATIONS } from './detection/honest.ts'
import { type Record, readRecords, resultsPath } from './detection/records.ts'
import { writeShares } from './write.ts'

const { values } = parseArgs({ options: { models: { type: 'string', default: 'arbor-tiny,arbor-2m,smollm2' } } })
const names = values.models.split(',')

/** Judges what was measured as the check does. */
const refuses = (limits: Thresholds, record: Record, part: 'whole' | 'proof' = 'whole'): boolean => {
  if (['malformed', 'truncated', 'text'].includes(record.reason)) return true
  const within = (key: 'residueError' | 'exponentMismatches' | 'mantissaError'): boolean =>
    limits[key] === null || (record[key] ?? Number.NaN) <= limits[key]
  if (!within('residueError') || !within('exponentMismatches') || !within('mantissaError')) return true
  if (part === 'proof') return false
  const { marginMean, marginMax, mismatches } = record
  return !(
    (marginMean ?? Number.NaN) <= limits.marginMean &&
    (marginMax ?? Number.NaN) <= limits.marginMax &&
    (mismatches ?? Number.NaN) <= mismatchesAllowed(record.tokens, limits.mismatchRate)
  )
}

interface Measured {
  readonly name: string
  readonly all: readonly Record[]
  readonly limits: Thresholds
}

/** Reads what was measured of a model, and its limits; null where nothing was. */
const read = async (name: string, proof: ProofKind, file: string): Promise<Measured | null> => {
  if (!existsSync(resultsPath(file))) return null
  const { id, card } = await readModelFolder({ folder: findModel({ model: name, cwd: process.cwd() }) })
  const { head, all } = readRecords(resultsPath(file))
  if (head.hash !== id.hash) throw new Error(`${file} was measured on another ${name}`)
  // A model that is not committed may have no card with limits here; they are the floors of its profile then.
  const own =
    card.thresholds.length > 0 ? card.thresholds : [floorThresholds({ profile: id.profile, provider: 'cpu' })].flat()
  const limits = findThresholds(own, { profile: id.profile, provider: 'cpu', proof })
  if (limits === undefined) throw new Error(`${name} has no limits for ${proof}`)
  if (proof === 'residue')
    notes.push(
      `${name}: model ${id.hash.slice(2, 14)}, limits ${card.thresholds.length > 0 ? thresholdsHash(card.thresholds).slice(2, 14) : `of the profile ${id.profile}`}; ${worst(all)}.`,
    )
  return { name, all, limits }
}

const notes: string[] = []

/** Says how far honest answers were from the validator's. */
const worst = (all: readonly Record[]): string => {
  const honest = all.filter(({ group }) => group.startsWith('honest'))
  const most = (key: 'residueError' | 'marginMax' | 'mismatches'): string =>
    `${Math.max(0, ...honest.map((record) => record[key] ?? 0))}`
  return `the worst of ${honest.length} honest answers had a residue error of ${most('residueError')}, a margin of ${most('marginMax')} logits, ${most('mismatches')} other tokens`
}

const percent = (share: number): string => Number((100 * share).toPrecision(3)).toString()

const share = (refused: number, answers: number): string => {
  const [low, high] = shareInterval(refused, answers)
  return `${refused} of ${answers} (${percent(low)}–${percent(high)} %)`
}

const counted = ({ all, limits }: Measured, group: (name: string) => boolean, part?: 'proof') => {
  const own = all.filter((record) => group(record.group))
  return { answers: own.length, refused: own.filter((record) => refuses(limits, record, part)).length }
}

/** Counts the answers that have to be looked at until one shows with 99 %, when each shows with a probability. */
const answersFor = (low: number): string => {
  if (low >= 1) return '1'
  return low <= 0 ? 'never' : `${Math.ceil(Math.log(0.01) / Math.log1p(-low))}`
}

const residue = (await Promise.all(names.map((name) => read(name, 'residue', name)))).filter((each) => each !== null)
const rowOf = (title: string, group: (name: string) => boolean, isCheat: boolean): string[] => {
  const counts = residue.map((measured) => counted(measured, group))
  const known = counts.filter(({ answers }) => answers > 0)
  const low = Math.min(...known.map(({ answers, refused }) => shareInterval(refused, answers)[0]))
  return [
    title,
    'refused answers',
    ...counts.map(({ answers, refused }) => (answers === 0 ? 'not measured' : share(refused, answers))),
    isCheat && known.length > 0 ? answersFor(low) : '',
  ]
}
writeShares({
  benchmark: 'detection',
  head: ['', 'unit', ...residue.map(({ name }) => name), 'answers for 99 %'],
  cells: [
    rowOf('honest, all', (group) => group.startsWith('honest'), false),
    ...VARIATIONS.map(({ name }) => rowOf(`honest: ${name}`, (group) => group === `honest: ${name}`, false)),
    ...ATTACK_NAMES.map((name) => rowOf(name, (group) => group === name, true)),
  ],
  notes,
})

const toploc: { readonly ours: Measured; readonly theirs: Measured | null }[] = []
for (const name of names) {
  const ours = await read(name, 'toploc', `${name}.toploc`)
  if (ours !== null) toploc.push({ ours, theirs: await read(name, 'toploc', `${name}.package`) })
}
if (toploc.length > 0) {
  const write = ({ answers, refused }: { readonly answers: number; readonly refused: number }): string =>
    answers === 0 ? 'not measured' : share(refused, answers)
  const cellsOf = (group: (name: string) => boolean): string[] =>
    toploc.flatMap(({ ours, theirs }) => [
      theirs === null ? 'not measured' : write(counted(theirs, group, 'proof')),
      write(counted(ours, group, 'proof')),
      write(counted(ours, group)),
    ])
  writeShares({
    benchmark: 'detection-toploc',
    head: [
      '',
      'unit',
      ...toploc.flatMap(({ ours: { name } }) => [
        `${name}: the package`,
        `${name}: our check of the same proof`,
        `${name}: with the sampling check`,
      ]),
    ],
    cells: ['honest', ...ATTACK_NAMES].map((name) => [
      name,
      'refused answers',
      ...cellsOf((group) => (name === 'honest' ? group.startsWith('honest') : group === name)),
    ]),
  })
}
