import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hostPort } from '@arbor/chain/address'
import type { Feature } from '@arbor/chain/client/needs/features'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { type Loop, type StepListener, supervise } from '@arbor/shared/supervise'
import type { Logger } from 'pino'
import { createBell } from './health/bell.ts'
import { readinessOf, type Vitals } from './health/conditions.ts'
import { jsonDocument } from './health/document.ts'
import { type Guard, openGuard } from './health/guard.ts'
import type { LoopBounds } from './health/liveness.ts'
import { HEALTH_FILE } from './health/messages.ts'
import type { Meter } from './health/meter.ts'
import { createMetrics, type Metrics, type Readings } from './health/metrics.ts'
import type { HealthOptions } from './health/options.ts'
import { type Included, type Sight, temposSinceInclusion } from './health/sight.ts'
import { readWebhook } from './health/webhook.ts'
import { createKeep, type Keep } from './keep.ts'

export interface SupervisionOptions {
  readonly options: HealthOptions
  /** Data folder: where the health's address and the alarms that are on are written. */
  readonly data: string
  /** Names the process in notices and metrics. */
  readonly about: Readonly<Record<string, string | number>>
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
}

/** What the loops run as, once all that they need is open. */
export interface Run {
  readonly loops: Readonly<Record<string, Loop>>
  readonly signal: AbortSignal
  readonly sight: () => Sight
  /** What the ledger knows of our last weights. */
  readonly included: () => Included
  readonly queues: Readings['queues']
  readonly link: Readings['link']
  readonly receipts: Readings['log']
  readonly training?: Readings['training']
}

/** Supervision as the loops of a process use it. */
export interface Supervised {
  readonly keep: Keep
  readonly meter: Meter
  /** Hears of upgrades of the chain's code. */
  readonly onUpgrade: (change: { readonly broken: readonly string[]; readonly mended: readonly string[] }) => void
  /** Runs the loops until the signal, or until one of them ends. @throws that one's reason */
  run(run: Run): Promise<void>
}

/** Time that a process may take to stop. */
const STOP_MS = 30_000

/**
 * Does a process's work under supervision: a thread watches over it, serves its health and posts its alarms. Whatever the work ends with
 * is told before everything is closed.
 */
export async function supervised(of: SupervisionOptions, work: (given: Supervised) => Promise<void>): Promise<void> {
  const { options, data, about, clock, log, signal } = of
  const webhook = options.webhook === undefined ? null : readWebhook(options.webhook).href
  const bounds = { hangMs: options.hangAfter * 1_000, stopMs: STOP_MS }
  const alarms = webhook === null ? null : join(data, 'alarms.json')
  const guard = await openGuard({ ...bounds, health: options.health ?? null, webhook, alarms, about, clock, log })
  const pulse = createPulse(of, guard, alarms)
  signal.addEventListener('abort', guard.stopping, { once: true })
  try {
    await work(pulse)
    pulse.bell.end(null)
  } catch (error) {
    if (!signal.aborted) pulse.bell.end(error)
    throw error
  } finally {
    guard.stopping()
    await guard.close()
    signal.removeEventListener('abort', guard.stopping)
  }
}

function createPulse(
  { options, data, about, clock, log }: SupervisionOptions,
  guard: Guard,
  alarms: string | null,
): Supervised & { readonly bell: ReturnType<typeof createBell> } {
  const loops = new Map<string, { done: number; failed: number; failedInRow: number; lastError: string | null }>()
  const broken = new Set<string>()
  let lastOutcome: string | null = null
  let running: Run | null = null
  let metrics: Metrics | null = null
  const sight = (): Sight => running?.sight() ?? NOTHING_SEEN
  const all = () => [...loops].map(([loop, counts]) => ({ loop, ...counts }))
  const vitals = (): Omit<Vitals, 'ended' | 'isSettled'> => ({
    sight: sight(),
    included: running?.included() ?? { mechanism: 0, block: null },
    loops: all(),
    broken: [...broken],
    lastOutcome,
  })
  const bell = createBell({ file: alarms, about, clock, log, vitals, notify: guard.notify })
  const listenerOf = (bounds: LoopBounds): StepListener => {
    const board = guard.watch(bounds)
    const counts = { done: 0, failed: 0, failedInRow: 0, lastError: null as string | null }
    loops.set(bounds.name, counts)
    return {
      begun: board.begun,
      done: (ms) => {
        board.done(ms)
        counts.done += 1
        counts.failedInRow = 0
        metrics?.step(bounds.name, ms)
      },
      failed: (error, pauseMs) => {
        board.failed(error, pauseMs)
        counts.failed += 1
        counts.failedInRow += 1
        counts.lastError = error instanceof SubnetError ? `${error.code}: ${error.message}` : String(error)
      },
    }
  }
  const keep = createKeep({ clock, log, listenerOf })
  const meter: Meter = {
    phase: (phase, ms) => metrics?.phase(phase, ms),
    verdict: (reason) => metrics?.verdict(reason),
    outcome: (kind) => {
      metrics?.outcome(kind)
      if (SETTLED.has(kind)) lastOutcome = kind
    },
  }
  const readings = (run: Run): Readings => ({
    temposSinceInclusion: () => temposSinceInclusion(run.sight(), run.included()),
    metagraph: () => {
      const { snapshot, behind, headAgeMs } = run.sight()
      return snapshot === null ? null : { ageBlocks: behind, ageSeconds: headAgeMs / 1_000 }
    },
    queues: run.queues,
    link: run.link,
    loops: all,
    log: run.receipts,
    ...(run.training === undefined ? {} : { training: run.training }),
    alarms: bell.firing,
  })
  const open = (run: Run): void => {
    running = run
    bell.start()
    const file = join(data, HEALTH_FILE)
    rmSync(file, { force: true })
    if (options.health === undefined) return
    const texts = Object.fromEntries(Object.entries(about).map(([key, value]) => [key, String(value)]))
    const made = createMetrics(readings(run), texts)
    metrics = made
    guard.answer({
      ready: async () => {
        const found = readinessOf({ ...vitals(), ended: null, isSettled: true })
        return jsonDocument(found.ready ? 200 : 503, found)
      },
      metrics: async () => ({ status: 200, type: made.contentType, body: await made.text() }),
    })
    const url = `http://${hostPort({ ip: dialled(options.health.host), port: guard.port })}`
    writeFileSync(file, JSON.stringify({ url }), { mode: 0o600 })
    log.info({ event: 'health.listening', url }, `health is served at ${url}`)
  }
  return {
    keep,
    meter,
    bell,
    onUpgrade: (change) => {
      for (const feature of change.broken) if (USED.has(feature)) broken.add(feature)
      for (const feature of change.mended) broken.delete(feature)
    },
    run: async (run) => {
      open(run)
      const health: Loop = (signal) => bell.loop(keep, signal)
      try {
        await supervise({ loops: { ...run.loops, health, guard: guard.loop }, signal: run.signal, clock })
      } catch (error) {
        throw mayPass(error) ? passing(error) : error
      } finally {
        running = { ...run, included: lastOf(run) } // whoever asks later finds the ledger closed
        rmSync(join(data, HEALTH_FILE), { force: true })
      }
    },
  }
}

/** What a validator uses of a chain, as far as upgrades break it; which of the ways to set weights is in use is the subnet's to say. */
const USED: ReadonlySet<string> = new Set([
  'connect',
  'metagraph',
  'hyperparameters',
  'weights',
  'salted',
  'timelocked',
  'commitments',
] satisfies Feature[])

/** Outcomes by which it is known whether the chain holds what was sent. */
const SETTLED = new Set(['confirmed', 'mismatch', 'lost'])

/** Keeps what the ledger says now; a ledger that cannot be read any more must not hide why the loops ended. */
const lastOf = ({ included }: Run): Run['included'] => {
  try {
    const last = included()
    return () => last
  } catch {
    return () => ({ mechanism: 0, block: null })
  }
}

/** Tells an end that a new start may mend, as when the chain was away for too long. */
const mayPass = (error: unknown): error is SubnetError => error instanceof SubnetError && error.retryable

const passing = (cause: SubnetError): SubnetError =>
  new SubnetError({
    code: 'SUPERVISE_LOOP_ENDED',
    message: `${cause.code}: ${cause.message}. The process stops, so that it is started again`,
    cause,
  })

const NOTHING_SEEN: Sight = { snapshot: null, newest: null, first: null, headAgeMs: 0, behind: 0, isStale: false }

/** Address under which one listens at is dialled from the same machine. */
const dialled = (host: string): string => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host)
