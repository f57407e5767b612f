import type { Clock } from '@arbor/shared/clock'
import type { GenerateRequest, InferenceEngine } from '@arbor/shared/inference'

/** What answers cost at one batch size. */
export interface BenchFigures {
  /** From the request to its first token, with no other request. */
  readonly firstTokenMs: number
  /** All answers' tokens by the time on the wall, and by the CPU time of all threads. */
  readonly tokensPerSecond: number
  readonly tokensPerCpuSecond: number
  readonly tokens: number
  /** Of the process that holds the model. */
  readonly residentBytes: number
}

/** What one measurement asks. */
export interface BenchPlan {
  readonly batch: number
  /** Tokens of each answer at most. */
  readonly tokens: number
}

/** The machine, as far as it is measured. */
export interface BenchGauges {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly cpuMs: () => number
  readonly residentBytes: () => number
}

const WARM_UP_TOKENS = 4
/** First tokens that are waited for; the median counts. */
const FIRST_TOKENS = 3

/** Measures an engine: first tokens one after the other, then a whole batch of different questions at once. */
export const measureEngine = async (of: {
  readonly engine: Pick<InferenceEngine, 'generate'>
  readonly plan: BenchPlan
  readonly gauges: BenchGauges
  readonly signal: AbortSignal
}): Promise<BenchFigures> => {
  const { engine, plan, signal } = of
  const { clock, cpuMs, residentBytes } = of.gauges
  let asked = 0
  const ask = (maxTokens: number, onToken?: () => void): Promise<number> =>
    engine
      .generate(requestOf(asked++, maxTokens), { signal, ...(onToken === undefined ? {} : { onToken }) })
      .then(({ tokens }) => tokens.length)
  await Promise.all(Array.from({ length: plan.batch }, () => ask(WARM_UP_TOKENS)))
  const firsts: number[] = []
  for (let index = 0; index < FIRST_TOKENS; index++) {
    const start = clock.monotonic()
    await ask(1, () => firsts.push(clock.monotonic() - start))
  }
  const [start, cpu] = [clock.monotonic(), cpuMs()]
  const counts = await Promise.all(Array.from({ length: plan.batch }, () => ask(plan.tokens)))
  const [wallMs, spentMs] = [clock.monotonic() - start, cpuMs() - cpu]
  const tokens = counts.reduce((sum, count) => sum + count, 0)
  return {
    firstTokenMs: firsts.sort((a, b) => a - b)[firsts.length >> 1] ?? Number.NaN,
    tokensPerSecond: (tokens / wallMs) * 1_000,
    tokensPerCpuSecond: (tokens / spentMs) * 1_000,
    tokens,
    residentBytes: residentBytes(),
  }
}

const ZEROS = `0x${'00'.repeat(32)}` as const

/** Questions differ from their first word on, so that no prefix is reused. */
const requestOf = (index: number, maxTokens: number): GenerateRequest => ({
  prompt: `${index} is the number of this chapter, which tells in plain words how a small town built its bridge, its school and its library. It begins`,
  maxTokens,
  temperature: 0.8,
  seed: ZEROS,
})
