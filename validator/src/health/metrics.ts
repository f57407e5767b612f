import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { TrainingReading } from '../training/meter.ts'
import { type Meter, PHASES } from './meter.ts'

/** What is read off the process whenever somebody looks; null where it is not known yet. */
export interface Readings {
  /** Tempos since the chain last took weights of ours. */
  temposSinceInclusion(): number | null
  metagraph(): { readonly ageBlocks: number; readonly ageSeconds: number } | null
  /** Work that waits, by queue. */
  queues(): Readonly<Record<string, number>>
  link(): { readonly reconnects: number; readonly failovers: number; readonly isConnected: boolean } | null
  loops(): readonly LoopReading[]
  /** Entries and bytes of the log of receipts. */
  log(): { readonly entries: number; readonly bytes: number } | null
  /** Names of the alarms that are on. */
  alarms(): readonly string[]
  /** Where a training subnet's model stands; absent in all others. */
  training?(): TrainingReading
}

export interface LoopReading {
  readonly loop: string
  readonly done: number
  readonly failed: number
  readonly failedInRow: number
}

export interface Metrics extends Meter {
  readonly contentType: string
  /** All of it in Prometheus' text format. */
  text(): Promise<string>
  /** One step of a loop was done in so many milliseconds. */
  step(loop: string, ms: number): void
}

/** From a read of the ledger to a round of 4 096 miners. */
const SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800]
/** Values of a label that a subnet's spec chooses; further ones count as "other". */
const MOST_VALUES = 32

/** Creates the metrics of one validator, in a registry of its own; no label holds what a miner chose. */
export function createMetrics(readings: Readings, about: Readonly<Record<string, string>>): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 }) // ms; a finer one costs more wake-ups
  const counter = (name: string, help: string, label: string) =>
    new Counter({ name: `arbor_validator_${name}`, help, labelNames: [label], registers })
  const histogram = (name: string, help: string, label: string) =>
    new Histogram({ name: `arbor_validator_${name}`, help, labelNames: [label], buckets: SECONDS, registers })

  const phases = histogram('phase_seconds', 'Time that a phase took', 'phase')
  for (const phase of PHASES) phases.zero({ phase })
  const steps = histogram('step_seconds', "Time of a loop's steps that succeeded", 'loop')
  const verdicts = counter('verdicts_total', 'Verdicts, by their reason', 'reason')
  const outcomes = counter('weight_outcomes_total', 'Tries to set weights, by what came of them', 'kind')
  gauges(readings, about, registers)
  const reasonOf = bounded()
  const kindOf = bounded()
  return {
    phase: (phase, ms) => phases.observe({ phase }, ms / 1_000),
    step: (loop, ms) => steps.observe({ loop }, ms / 1_000),
    verdict: (reason) => verdicts.inc({ reason: reasonOf(reason) }),
    outcome: (kind) => outcomes.inc({ kind: kindOf(kind) }),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  }
}

/** Makes a reader of a label's values that lets through only so many, each of them short and plain. */
const bounded = (): ((value: string) => string) => {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (known.size >= MOST_VALUES || !/^[a-z][a-z0-9-]{0,31}$/.test(value)) return 'other'
    known.add(value)
    return value
  }
}

function gauges(readings: Readings, about: Readonly<Record<string, string>>, registers: Registry[]): void {
  const gauge = (name: string, help: string, labelNames: readonly string[], collect: (self: Gauge) => void): void => {
    new Gauge({
      name: `arbor_validator_${name}`,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset()
        if (labelNames.length === 0) this.remove() // a reading that is not known has no value, and not zero
        collect(this)
      },
    })
  }
  const plain = (name: string, help: string, value: () => number | null | undefined): void =>
    gauge(name, help, [], (self) => {
      const is = value()
      if (is !== null && is !== undefined) self.set(is)
    })
  gauge('info', 'Which validator this is', Object.keys(about), (self) => self.set({ ...about }, 1))
  plain('tempos_since_inclusion', 'Tempos since the chain took weights of ours; above 3 something is wrong', () =>
    readings.temposSinceInclusion(),
  )
  plain(
    'metagraph_age_blocks',
    'Blocks between the newest head and the metagraph',
    () => readings.metagraph()?.ageBlocks,
  )
  plain('metagraph_age_seconds', 'Time since a newer finalised head came', () => readings.metagraph()?.ageSeconds)
  plain('chain_connected', 'Whether an endpoint of the chain is connected', () =>
    asNumber(readings.link()?.isConnected),
  )
  plain('chain_reconnects', 'Times that the connection to the chain was made anew', () => readings.link()?.reconnects)
  plain('chain_failovers', 'Times that another endpoint of the chain was taken', () => readings.link()?.failovers)
  plain('log_entries', 'Entries written to the log of receipts', () => readings.log()?.entries)
  plain('log_bytes', 'Size of the ledger with the log of receipts', () => readings.log()?.bytes)
  gauge('queue_depth', 'Work that waits', ['queue'], (self) => {
    for (const [queue, depth] of Object.entries(readings.queues())) self.set({ queue }, depth)
  })
  gauge('alarm', 'Alarms that are on', ['alarm'], (self) => {
    for (const alarm of readings.alarms()) self.set({ alarm }, 1)
  })
  const each = (name: string, help: string, value: (loop: LoopReading) => number): void =>
    gauge(name, help, ['loop'], (self) => {
      for (const loop of readings.loops()) self.set({ loop: loop.loop }, value(loop))
    })
  if (readings.training !== undefined) trainingGauges(readings.training, { gauge, plain })
  each('loop_steps', "A loop's steps that succeeded since the start", ({ done }) => done)
  each('loop_failures', "A loop's steps that failed since the start", ({ failed }) => failed)
  each('loop_failures_in_row', "A loop's failures since its last success", ({ failedInRow }) => failedInRow)
}

type AddGauge = (name: string, help: string, labels: readonly string[], collect: (self: Gauge) => void) => void
type AddPlain = (name: string, help: string, value: () => number | null | undefined) => void

function trainingGauges(
  read: () => TrainingReading,
  { gauge, plain }: { readonly gauge: AddGauge; readonly plain: AddPlain },
): void {
  plain('training_round', 'Newest round that was merged into the model', () => read().round)
  plain('training_tokens', 'Tokens that merged updates were trained on since the start', () => read().tokens)
  plain('training_held_out_loss', 'Loss a token of the model on held-out text, in nats', () => read().heldOut)
  plain('training_fetched_bytes', 'Bytes of updates and states that were fetched', () => read().bytesFetched)
  plain('training_scored_updates', 'Updates that were measured since the start', () => read().scored)
  plain('training_scored_seconds', 'Time that measuring and replaying updates took', () => read().scoredMs / 1_000)
  plain('training_round_seconds', 'Time that judging the newest round took', () => seconds(read().roundMs))
  plain('training_merge_seconds', 'Time that the newest merge took', () => seconds(read().mergeMs))
  gauge('training_rating', "A miner's rating, from 0 to 50", ['uid'], (self) => {
    for (const [uid, { mu }] of read().ratings) self.set({ uid: String(uid) }, mu)
  })
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1_000)

const asNumber = (value: boolean | undefined): number | undefined => (value === undefined ? undefined : Number(value))
