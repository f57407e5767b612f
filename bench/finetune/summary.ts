/** Makes bench/results/finetune.json of the runs: node bench/finetune/summary.ts. Runs with other terms than the arms have now are left out. */
import { fileURLToPath } from 'node:url'
import { median } from '../../shared/src/math.ts'
import type { Result } from '../report.ts'
import { writeResult } from '../write.ts'
import { ARMS, CONFIRMING, SETTING } from './arms.ts'
import { keyOf, RUNS, readRuns } from './runs.ts'
import type { Run, Setting } from './types.ts'

/** Every loss of a worker's data in fp32 is what the others are held against. */
const BASE = 'DDP'
/** Those of the grid; terms were chosen on seed 0. */
const SEEDS = [1, 2, 3]
const GOALS = [
  { times: 500, share: 0.01 },
  { times: 1_000, share: 0.01 },
]

/** Picks the runs of a setting that the arms would make now. */
export const runsOf = (runs: readonly Run[], setting: Setting): ReadonlyMap<string, readonly Run[]> =>
  new Map(
    ARMS.map(({ name, ...terms }) => [
      name,
      runs.filter((run) => keyOf(run) === keyOf({ ...setting, arm: name, seed: run.seed, terms })),
    ]),
  )

/** What DDP came to: the median of its seeds. */
const baseOf = (
  byArm: ReadonlyMap<string, readonly Run[]>,
): { readonly loss: number; readonly bytes: number } | null => {
  const runs = byArm.get(BASE) ?? []
  return runs.length === 0
    ? null
    : { loss: median(runs.map(({ loss }) => loss)), bytes: median(runs.map(({ bytes }) => bytes)) }
}

/** Draws the rows of a setting. */
export const rowsOf = (byArm: ReadonlyMap<string, readonly Run[]>, label: string): Result['rows'] => {
  const base = baseOf(byArm)
  const row = (what: string, unit: string, of: (run: Run) => number | undefined): Result['rows'][number] => ({
    what: `${label}: ${what}`,
    unit,
    runs: Object.fromEntries(
      [...byArm].map(([arm, runs]) => [arm, runs.map(of).filter((value) => value !== undefined)]),
    ),
  })
  return [
    row('held-out loss at the end', 'nats a token', ({ loss }) => loss),
    row('above the median of DDP', '%', ({ loss }) =>
      base === null ? undefined : round(100 * (loss / base.loss - 1)),
    ),
    row('bytes that a worker sends', 'MB', ({ bytes }) => bytes / 1e6),
    row('fewer than DDP', '×', ({ bytes }) => (base === null ? undefined : Math.round(base.bytes / bytes))),
    row('exchanges', '', ({ rounds }) => rounds),
    row('bytes of one', 'KB', ({ bytes, rounds }) => round(bytes / rounds / 1e3)),
  ]
}

/** Says of each goal whether an arm reached it: by the median of its seeds. */
export const goalsOf = (byArm: ReadonlyMap<string, readonly Run[]>): readonly string[] => {
  const base = baseOf(byArm)
  const points = [...byArm].flatMap(([arm, runs]) =>
    runs.length === 0 || base === null
      ? []
      : [
          {
            arm,
            gap: median(runs.map(({ loss }) => loss)) / base.loss - 1,
            times: base.bytes / median(runs.map(({ bytes }) => bytes)),
          },
        ],
  )
  return GOALS.map(({ times, share }) => {
    const reached = points.filter((point) => point.times >= times && point.gap <= share)
    const nearest = points.filter((point) => point.times >= times).sort((a, b) => a.gap - b.gap)[0]
    const said =
      reached.length > 0
        ? `reached by ${reached.map((point) => `${point.arm} (${percent(point.gap)} at ${Math.round(point.times)}×)`).join(', ')}`
        : `not reached${nearest === undefined ? '' : `; nearest: ${nearest.arm}, ${percent(nearest.gap)} at ${Math.round(nearest.times)}×`}`
    return `Goal of a loss within ${percent(share)} of DDP at ${times} × fewer bytes: ${said}.`
  })
}

/** Names the runs of the grid that are missing. */
export const missingOf = (byArm: ReadonlyMap<string, readonly Run[]>): readonly string[] => {
  const missing = [...byArm].flatMap(([arm, runs]) => {
    const seeds = SEEDS.filter((seed) => !runs.some((run) => run.seed === seed))
    return seeds.length === 0 ? [] : [`${arm} (${seeds.length} of ${SEEDS.length} seeds)`]
  })
  const tuned = [...byArm].filter(([, runs]) => runs.some(({ seed }) => !SEEDS.includes(seed))).map(([arm]) => arm)
  return [
    ...(tuned.length === 0 ? [] : [`On the seed that terms were chosen on: ${tuned.join(', ')}.`]),
    ...(missing.length === 0 ? [] : [`Not run: ${missing.join(', ')}.`]),
  ]
}

const round = (value: number): number => Math.round(value * 100) / 100
const percent = (share: number): string => `${round(100 * share)} %`

const notesOf = (byArm: ReadonlyMap<string, readonly Run[]>, setting: Setting): readonly string[] => {
  const run = [...byArm.values()].flat()[0]
  if (run === undefined) return [`${setting.model}: not measured.`]
  const { steps, batch, length, workers } = setting
  const seeds = Math.max(...[...byArm.values()].map((runs) => runs.length))
  return [
    `${setting.model}: ${workers} workers, ${steps} steps each of ${batch} windows of ${length} tokens, ${run.tokens} tokens in all, up to ${seeds} seeds; the loss is ${run.startLoss} before.`,
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const runs = readRuns(RUNS)
  const [main, confirming] = [runsOf(runs, SETTING), runsOf(runs, CONFIRMING)]
  writeResult(
    'finetune',
    [...rowsOf(main, '0.3 M'), ...rowsOf(confirming, '2.56 M')],
    [...notesOf(main, SETTING), ...goalsOf(main), ...missingOf(main), ...notesOf(confirming, CONFIRMING)],
  )
}
