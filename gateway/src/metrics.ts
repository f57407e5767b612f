import { FAULTS, OURS } from '@arbor/validator/dendrite/answer'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Router } from './routing/router.ts'

/** What the gateway counts; each label has few values, none of them a caller's. */
export interface Metrics {
  request(route: string, status: number, seconds: number): void
  firstText(seconds: number): void
  tokens(of: { readonly prompt: number; readonly completion: number }): void
  attempt(outcome: string): void
  retry(): void
  refused(code: string): void
  stalled(): void
  readonly contentType: string
  /** All of it in Prometheus' text format. */
  text(): Promise<string>
}

/** From a cached word to the longest deadline. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const OUTCOMES: ReadonlySet<string> = new Set([...FAULTS, ...OURS, 'ok', 'other-text'])

/** Creates the metrics of one gateway, in a registry of its own. */
export const createMetrics = (of: {
  readonly router: Router
  readonly about: Readonly<Record<string, string>>
}): Metrics => {
  const registry = new Registry()
  const registers = [registry]
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name: `arbor_gateway_${name}`, help, labelNames, registers })
  const histogram = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Histogram({ name: `arbor_gateway_${name}`, help, labelNames, buckets: SECONDS, registers })

  const requests = counter('requests_total', 'Requests that were answered or refused', ['route', 'status'])
  const seconds = histogram('request_seconds', 'Time from a request to the end of its answer', ['route'])
  const first = histogram('first_text_seconds', 'Time from a request to the first text of its answer')
  const tokens = counter('tokens_total', 'Tokens of answered requests', ['kind'])
  const attempts = counter('attempts_total', 'Questions put to miners, by what came of them', ['outcome'])
  const retries = counter('retries_total', 'Questions that were put to another miner')
  const refused = counter('keys_refused_total', 'Requests without a key that opens', ['code'])
  const stalled = counter('stalled_readers_total', 'Answers cut off because nobody read them')
  gauges(of, registers)

  return {
    request: (route, status, took) => {
      requests.inc({ route, status: String(status) })
      seconds.observe({ route }, took)
    },
    firstText: (took) => first.observe(took),
    tokens: ({ prompt, completion }) => {
      tokens.inc({ kind: 'prompt' }, prompt)
      tokens.inc({ kind: 'completion' }, completion)
    },
    attempt: (outcome) => attempts.inc({ outcome: OUTCOMES.has(outcome) ? outcome : 'other' }),
    retry: () => retries.inc(),
    refused: (code) => refused.inc({ code }),
    stalled: () => stalled.inc(),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  }
}

/** What is read off the router whenever somebody looks. A uid is a slot of the subnet, so there are few. */
const gauges = (
  { router, about }: { readonly router: Router; readonly about: Readonly<Record<string, string>> },
  registers: Registry[],
): void => {
  const gauge = (name: string, help: string, labelNames: readonly string[], collect: (self: Gauge) => void) =>
    new Gauge({
      name: `arbor_gateway_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        collect(this)
      },
    })
  gauge('info', 'What this gateway serves', Object.keys(about), (self) => self.set(about, 1))
  gauge('in_flight', 'Questions that miners work on', [], (self) => self.set(router.inFlight))
  gauge('waiting', 'Questions that wait for a miner', [], (self) => self.set(router.waiting))
  gauge('miners', 'Miners by whether they are asked', ['state'], (self) => {
    const miners = router.miners()
    const resting = miners.filter((miner) => miner.resting).length
    self.set({ state: 'resting' }, resting)
    self.set({ state: 'ready' }, miners.length - resting)
  })
  const each = (name: string, help: string, value: (miner: ReturnType<Router['miners']>[number]) => number | null) =>
    gauge(name, help, ['uid'], (self) => {
      for (const state of router.miners()) {
        const is = value(state)
        if (is !== null) self.set({ uid: String(state.miner.uid) }, is)
      }
    })
  each('miner_in_flight', 'Questions that a miner works on', ({ inFlight }) => inFlight)
  each('miner_resting', 'Whether a miner is left alone after failures', ({ resting }) => Number(resting))
  each('miner_weight', "A miner's share of questions, relative to others", ({ miner }) => miner.weight)
  each('miner_seconds', "Moving average of the time of a miner's answers", ({ latencyMs }) =>
    latencyMs === null ? null : latencyMs / 1_000,
  )
}
