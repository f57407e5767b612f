import type { SubnetError } from '@arbor/shared/errors'
import { endpointName, type Fault, isRefusal } from './faults.ts'
import type { ConnectionLimits, EndpointStatus } from './socket-types.ts'

/** One address of a chain, and how it did so far. Times are milliseconds of the monotonic clock. */
export interface Endpoint {
  readonly url: string
  readonly name: string
  /** Failures since it last served for a while. */
  failures: number
  /** It is not chosen before, while another one can be. */
  notBefore: number
  fault: Fault | null
  failedAt: number
}

/** The addresses of one chain in order of preference. */
export interface Endpoints {
  readonly all: readonly Endpoint[]
  /** Chooses the most preferred one that may be tried, else the one that may be soonest; null when all are refused. */
  pick(now: number): { readonly endpoint: Endpoint; readonly waitMs: number } | null
  /** Writes down why one was lost, and how long it had served. */
  failed(endpoint: Endpoint, fault: Fault, of: { readonly now: number; readonly servedMs: number }): void
  /** Those before this one that may be tried now. */
  better(endpoint: Endpoint, now: number): readonly Endpoint[]
  /** Why there is none left; that of the most preferred. */
  refusal(): SubnetError | null
  status(used: Endpoint | null, now: number): readonly EndpointStatus[]
}

/** An endpoint that serves this long is well again; one that is lost sooner each time is tried ever more seldom. */
const WELL_MS = 1_000
/** First pause; each further failure doubles it. */
const FIRST_PAUSE_MS = 100

export const createEndpoints = (urls: readonly string[], limits: ConnectionLimits): Endpoints => {
  const all: readonly Endpoint[] = urls.map((url) => ({
    url,
    name: endpointName(url),
    failures: 0,
    notBefore: 0,
    fault: null,
    failedAt: -1,
  }))
  const isRefused = ({ fault, notBefore }: Endpoint, now: number): boolean =>
    fault !== null && isRefusal(fault) && (all.length === 1 || notBefore > now)

  const pauseMs = (endpoint: Endpoint, { kind }: Fault): number => {
    if (kind === 'left') return 0
    const pause = Math.min(limits.backoffMs, FIRST_PAUSE_MS * 2 ** (endpoint.failures - 1))
    if (all.length === 1 || kind === 'cut' || kind === 'unreachable') return pause
    return kind === 'fork' || kind === 'genesis' ? limits.refusedMs : Math.max(pause, limits.shunMs)
  }

  return {
    all,
    pick: (now) => {
      const left = all.filter((endpoint) => !isRefused(endpoint, now))
      const ready = left.find(({ notBefore }) => notBefore <= now)
      const soonest = ready ?? left.toSorted((a, b) => a.notBefore - b.notBefore)[0]
      if (soonest === undefined) return null
      return { endpoint: soonest, waitMs: Math.min(limits.backoffMs, Math.max(0, soonest.notBefore - now)) }
    },
    failed: (endpoint, fault, { now, servedMs }) => {
      endpoint.failures = (servedMs >= WELL_MS ? 0 : endpoint.failures) + 1
      endpoint.fault = fault
      endpoint.failedAt = now
      endpoint.notBefore = now + pauseMs(endpoint, fault)
    },
    better: (endpoint, now) => all.slice(0, all.indexOf(endpoint)).filter(({ notBefore }) => notBefore <= now),
    refusal: () => all.find(({ fault }) => fault?.error !== undefined && isRefusal(fault))?.fault?.error ?? null,
    status: (used, now) =>
      all.map((endpoint) => ({
        url: endpoint.name,
        state:
          endpoint === used
            ? 'used'
            : isRefused(endpoint, now)
              ? 'refused'
              : endpoint.notBefore > now
                ? 'waiting'
                : 'ready',
        failures: endpoint.failures,
        lastFault: endpoint.fault === null ? null : `${endpoint.fault.kind}: ${endpoint.fault.cause}`,
      })),
  }
}
