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

/** Draws the rows of a setting. */
export const rowsOf = (byArm: ReadonlyMap<string, readonly Run[]>, label: string): Result['rows'] => {
  const base = new Map(byArm.get(BASE)?.map((run) => [run.seed, run]))
  const row = (what: string, unit: string, of: (run: Run) => number | undefined): Result['rows'][number] => ({
    what: `${label}: ${what}`,
    unit,
    runs: Object.fromEntries(
      [...byArm].map(([arm, runs]) => [arm, runs.map(of).filter((value) => value !== undefined)]),
    ),
  })
  return [
    row('held-out loss at the end', 'nats a token', ({ loss }) => loss),
    row('above DDP of the same seed', '%', ({ loss, seed }) => {
      const best = base.get(seed)
      return best === undefined ? undefined : round(100 * (loss / best.loss - 1))
    }),
    row('bytes that a worker sends', 'MB', ({ bytes }) => bytes / 1e6),
    row('fewer than DDP', '×', ({ bytes, seed }) => {
      const best = base.get(seed)
      return best === undefined ? undefined : Math.round(best.bytes / bytes)
    }),
    row('exchanges', '', ({ rounds }) => rounds),
    row('bytes of one', 'KB', ({ bytes, rounds }) => round(bytes / rounds / 1e3)),
  ]
}

/** Says of each goal whether an arm reached it: by the median of its seeds. */
export const goalsOf = (byArm: ReadonlyMap<string, readonly Run[]>): readonly string[] => {
  const base = new Map(byArm.get(BASE)?.map((run) => [run.seed, run]))
  const points = [...byArm].flatMap(([arm, runs]) => {
    const paired = runs.flatMap((run) => {
      const best = base.get(run.seed)
      return best === undefined ? [] : [{ gap: run.loss / best.loss - 1, times: best.bytes / run.bytes }]
    })
    return paired.length === 0
      ? []
      : [{ arm, gap: median(paired.map(({ gap }) => gap)), times: median(paired.map(({ times }) => times)) }]
  })
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
    [...notesOf(main, SETTING), ...goalsOf(main), ...notesOf(confirming, CONFIRMING)],
  )
}
