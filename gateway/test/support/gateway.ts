import { fileURLToPath } from 'node:url'
import { readSpeech } from '@arbor/engine/folder'
import { type Clock, systemClock } from '@arbor/shared/clock'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import { type Block, type Hex, netUid, type Ss58, type Uid } from '@arbor/shared/units'
import { loadSpec } from '@arbor/subnet-spec/load'
import type { Answer } from '@arbor/validator/dendrite/answer'
import type { PlannedTask } from '@arbor/validator/plan'
import { type Asking, type AskingDeps, createAsking } from '../../src/asking.ts'
import { createServer, type ServerDeps } from '../../src/http/server.ts'
import { createLimiter } from '../../src/keys/limits.ts'
import type { KeyRing } from '../../src/keys/ring.ts'
import { openMeter } from '../../src/meter.ts'
import { createMetrics, type Metrics } from '../../src/metrics.ts'
import { openQuestions, type Questions } from '../../src/question.ts'
import { type Candidate, createRouter, type Router, type RouterLimits } from '../../src/routing/router.ts'

/** A miner of the tests, by a letter. */
export const miner = (letter: string, weight = 1): Candidate => ({
  hotkey: `5${letter}` as Ss58,
  uid: letter.charCodeAt(0) as Uid,
  registeredAt: 1 as Block,
  axon: { ip: '127.0.0.1', port: 1, version: 1, protocol: 4 },
  weight,
})

/** Numbers in [0, 1) from a seed, the same every time. @source xorshift32 */
export const seeded = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** What a scripted miner does with a question. */
export type Script = (task: PlannedTask, signal: AbortSignal, onChunk?: (bytes: Uint8Array) => void) => Promise<Answer>

const timing = { totalMs: 1, deadlineMs: 10_000, connectMs: 0, firstByteMs: 1, lagMs: 0, lagged: false }

/** An answer as the dendrite gives it. */
export const answered = (text: string, of: { readonly tokens?: number; readonly finish?: string } = {}): Answer => ({
  kind: 'answered',
  body: Buffer.from(
    JSON.stringify({
      text,
      tokens: Array.from({ length: of.tokens ?? 1 }, () => 5),
      finish: of.finish ?? 'stop',
      fingerprint: [],
    }),
  ),
  timing,
  signed: true,
  binding: `0x${'00'.repeat(32)}`,
  answerHash: `0x${'00'.repeat(32)}`,
  evidence: {} as never, // only the recorder looks at it
})
export const fault = (reason: Extract<Answer, { kind: 'fault' }>['reason']): Answer => ({
  kind: 'fault',
  reason,
  why: 'as the test says',
  timing: null,
})

/** Says a text piece by piece, then answers with it. */
export const speaking =
  (...pieces: readonly string[]): Script =>
  async (_task, signal, onChunk) => {
    for (const piece of pieces) {
      signal.throwIfAborted()
      onChunk?.(Buffer.from(piece))
      await Promise.resolve()
    }
    return answered(pieces.join(''), { tokens: pieces.length })
  }

/** Never answers; rejects when it is told to stop. */
export const silent: Script = (_task, signal) =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

export const spec = await loadSpec('inference-tiny')
const folder = fileURLToPath(new URL('../../../models/arbor-tiny', import.meta.url))
const names = ['config.json', 'tokenizer.json', 'tokenizer_config.json']
export const questions: Questions = openQuestions({
  spec,
  task: 'chat',
  meter: openMeter(await readSpeech({ folder, names })),
})

/** A gateway's asking over scripted miners. */
export const askingOf = (of: {
  readonly script: Script
  readonly miners?: readonly Candidate[]
  readonly clock?: Clock
  readonly limits?: RouterLimits
  readonly record?: AskingDeps['record']
  readonly outcomes?: string[]
}): { readonly asking: Asking; readonly router: Router } => {
  const clock = of.clock ?? createManualClock()
  const router = createRouter({
    limits: of.limits ?? { inFlight: 8, perMiner: 4, waiting: 8 },
    clock,
    random: seeded(7),
  })
  router.update(of.miners ?? [miner('A'), miner('B'), miner('C')])
  const asking = createAsking({
    router,
    clock,
    task: 'chat',
    deadlineMs: 10_000,
    streams: true,
    ask: of.script,
    record: of.record ?? (() => 'ab'.repeat(32)),
    patienceMs: 30_000,
    events: { attempt: (_miner, outcome) => void of.outcomes?.push(outcome), retry: () => undefined },
  })
  return { asking, router }
}

/** A gateway without a chain: what it would ask of miners, a script answers. */
export const gatewayOf = (
  of: Parameters<typeof askingOf>[0] & {
    readonly keys?: KeyRing | null
    readonly isLoopback?: boolean
    readonly stop?: AbortSignal
    readonly isStopping?: () => boolean
    readonly connections?: number
    readonly ready?: boolean
  },
): { readonly app: ReturnType<typeof createServer>; readonly router: Router; readonly metrics: Metrics } => {
  const clock = of.clock ?? systemClock
  const { asking, router } = askingOf({ ...of, clock })
  const metrics = createMetrics({ router, about: { spec: spec.name } })
  let drawn = 0
  const deps: ServerDeps = {
    model: { id: 'arbor-tiny', hash: `0x${'ab'.repeat(32)}` as Hex, netuid: netUid(1), created: 1_800_000_000 },
    questions,
    asking,
    keys: of.keys ?? null,
    limiter: createLimiter(clock),
    isLoopback: of.isLoopback ?? true,
    metrics,
    clock,
    log: createLogger({ name: 'test', level: 'silent' }),
    randomBytes: (length) => new Uint8Array(length).fill(++drawn % 256),
    readiness: () => ({ ready: of.ready ?? true, why: null }),
    quietMs: 60_000,
    isStopping: of.isStopping ?? (() => false),
    stop: of.stop ?? new AbortController().signal,
    ...(of.connections === undefined ? {} : { connections: of.connections }),
  }
  return { app: createServer(deps), router, metrics }
}
