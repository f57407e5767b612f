import { EXCUSED } from './excused.ts'
import type { Violation } from './invariants.ts'
import { allPoints } from './points.ts'
import type { RunReport } from './run.ts'

/** What the long form came to: `bench/results/chaos-seeds.json`. */
export interface Summary {
  readonly date: string
  readonly machine: string
  readonly seeds: readonly number[]
  /** What the runs took, added up. */
  readonly minutes: number
  readonly epochs: number
  readonly blocks: number
  readonly outcomes: {
    readonly done: number
    readonly missed: number
    readonly excused: Readonly<Record<string, number>>
  }
  readonly falseClaims: number
  readonly violations: readonly (Violation & { readonly seed: number })[]
  readonly confirmed: number
  readonly rounds: number
  readonly verdicts: number
  readonly audited: RunReport['audited']
  readonly sent: number
  readonly kills: Readonly<Record<string, number>>
  readonly reached: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
  readonly endings: Readonly<Record<string, number>>
  /** Milliseconds from the start of a process after a kill to the first step of a loop that was done. */
  readonly recovery: { readonly starts: number; readonly p50: number; readonly p95: number; readonly most: number }
  readonly most: RunReport['most']
}

/** Adds up the runs. */
export const summarise = (runs: readonly RunReport[], about: Pick<Summary, 'date' | 'machine'>): Summary => {
  const total = (of: (run: RunReport) => number): number => runs.reduce((sum, run) => sum + of(run), 0)
  const merged = (of: (run: RunReport) => Readonly<Record<string, number>>): Record<string, number> => {
    const sums: Record<string, number> = {}
    for (const run of runs) for (const [name, n] of Object.entries(of(run))) sums[name] = (sums[name] ?? 0) + n
    return Object.fromEntries(Object.entries(sums).sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  const most = (key: keyof RunReport['most']): number => Math.max(0, ...runs.map((run) => run.most[key]))
  const violations = runs.flatMap(({ seed, violations: all }) => all.map((violation) => ({ seed, ...violation })))
  const times = runs.flatMap(({ recoveriesMs }) => recoveriesMs).sort((a, b) => a - b)
  const at = (share: number): number =>
    Math.round(times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0)
  return {
    ...about,
    minutes: Math.round(total(({ seconds }) => seconds) / 60),
    seeds: runs.map(({ seed }) => seed),
    epochs: total(({ epochs }) => epochs),
    blocks: total(({ blocks }) => blocks),
    outcomes: {
      done: total(({ outcomes }) => outcomes.done),
      missed: total(({ outcomes }) => outcomes.missed),
      excused: merged(({ outcomes }) => outcomes.excused),
    },
    falseClaims: violations.filter(({ invariant }) => invariant === 'false-claim').length,
    violations,
    confirmed: total(({ confirmed }) => confirmed),
    rounds: total(({ rounds }) => rounds),
    verdicts: total(({ verdicts }) => verdicts),
    audited: {
      entries: total(({ audited }) => audited.entries),
      rows: total(({ audited }) => audited.rows),
      compared: total(({ audited }) => audited.compared),
    },
    sent: total(({ sent }) => sent),
    kills: merged(({ kills }) => kills),
    reached: merged(({ reached }) => reached),
    faults: merged(({ faults }) => faults),
    endings: merged(({ endings }) => endings),
    recovery: { starts: times.length, p50: at(0.5), p95: at(0.95), most: Math.round(times.at(-1) ?? 0) },
    most: { rssMb: Math.round(most('rssMb')), descriptors: most('descriptors'), sockets: most('sockets') },
  }
}

/** Points that were not hit and are not excused by name. */
export const missedPoints = ({ kills }: Pick<Summary, 'kills'>): readonly string[] =>
  allPoints()
    .map(({ name }) => name)
    .filter((name) => (kills[name] ?? 0) === 0 && EXCUSED[transitionOf(name)] === undefined)

/** A point's name without `before` and `after`. */
export const transitionOf = (name: string): string => name.slice(0, name.lastIndexOf(':'))
