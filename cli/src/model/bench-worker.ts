import type { WorkerContext } from '@arbor/engine/contained/worker-context'
import { openEngine } from '@arbor/engine/open'
import { systemClock } from '@arbor/shared/clock'
import type { Provider } from '@arbor/shared/inference'
import { type BenchFigures, type BenchPlan, measureEngine } from './bench-measure.ts'

/** One provider at one batch size. */
export interface BenchJob extends BenchPlan {
  readonly folder: string
  readonly provider: Provider
  readonly threads: number
}

export interface BenchOutcome extends BenchFigures {
  /** Why answers ran one by one although more were asked for; null where they did not. */
  readonly single: string | null
  /** Where keys and values stayed between two tokens, and why. */
  readonly cache: string
}

/** Opens the model as the job says, measures it and closes it. */
export default async function bench(job: BenchJob, { signal }: WorkerContext): Promise<BenchOutcome> {
  const { folder, provider, threads, batch } = job
  const engine = await openEngine({ folder, providers: [provider], threads, batch })
  try {
    const gauges = {
      clock: systemClock,
      cpuMs: () => {
        const { user, system } = process.cpuUsage()
        return (user + system) / 1_000
      },
      residentBytes: () => process.memoryUsage().rss,
    }
    const figures = await measureEngine({ engine, plan: job, gauges, signal })
    const { limits, cache } = engine.stats()
    return { ...figures, single: limits.single, cache: `${cache.place}: ${cache.reason}` }
  } finally {
    await engine.close()
  }
}
