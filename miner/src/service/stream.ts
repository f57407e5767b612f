import { toBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { STREAM_TYPE } from '@arbor/shared/protocol/limits'
import { createStreamWriter, MAX_OPEN_CHUNK_BYTES, type StreamWriter } from '@arbor/shared/protocol/stream'
import { statusOf } from '../refusal.ts'
import { boundTo, explain, tellAnswered, type Working } from './answer.ts'
import type { ServingParts } from './deps.ts'
import { certificateFor, sealOf } from './reply.ts'
import type { StreamedAnswer } from './types.ts'

/** What a task emits, on its way to a reader who may be slower. */
interface Emitted {
  /** Takes the pieces that came since the last call. */
  take(): readonly string[]
  /** Resolves when there is a piece to take, or the task has ended. */
  changed(): Promise<void>
}

/** A task at work. */
interface Work extends Emitted {
  /** How it ended; null while it works. */
  outcome(): { readonly ok: true; readonly response: unknown } | { readonly ok: false; readonly error: unknown } | null
  readonly stop: () => void
}

/**
 * Answers as a stream: the text as the task emits it, an empty chunk as the mark, then the whole response as JSON, as an answer that
 * is no stream has it. The head goes out with the first piece, so that what fails before is refused like any other request.
 */
export const answerStream = async (deps: ServingParts, working: Working, request: unknown): Promise<StreamedAnswer> => {
  const work = startWork(deps, working, request)
  await work.changed()
  const outcome = work.outcome()
  if (outcome?.ok === false) throw outcome.error
  const head = { status: 200, contentType: STREAM_TYPE, envelope: null, certificate: certificateFor(working) }
  return { kind: 'stream', head: { ...head, retryAfterS: null }, frames: frames(deps, working, work) }
}

const startWork = (deps: ServingParts, working: Working, request: unknown): Work => {
  const { task, taskName } = working
  const stopped = new AbortController()
  let pieces: string[] = []
  let emittedBytes = 0
  let outcome: ReturnType<Work['outcome']> = null
  let change = Promise.withResolvers<void>()
  /** What is emitted waits for its reader here: no more than an answer may have. */
  const emit = (text: string): void => {
    if (text === '' || outcome !== null) return
    emittedBytes += Buffer.byteLength(text)
    if (emittedBytes > task.maxResponseBytes) stopped.abort(tooMuch(taskName, task.maxResponseBytes))
    else pieces.push(text)
    change.resolve()
  }
  const signal = AbortSignal.any([working.signal, stopped.signal])
  const failed = (error: unknown): void =>
    settle({ ok: false, error: stopped.signal.aborted ? stopped.signal.reason : error })
  deps
    .solve({ task: taskName, request, binding: boundTo(deps, working), signal, emit })
    .then((response) => (stopped.signal.aborted ? failed(null) : settle({ ok: true, response })), failed)
  const settle = (how: NonNullable<ReturnType<Work['outcome']>>): void => {
    outcome = how
    working.leave()
    change.resolve()
  }
  return {
    take: () => {
      const taken = pieces
      pieces = []
      if (outcome === null) change = Promise.withResolvers()
      return taken
    },
    changed: () => change.promise,
    outcome: () => outcome,
    stop: () => stopped.abort(new SubnetError({ code: 'MINER_CALLER_GONE', message: 'Nobody reads the stream' })),
  }
}

async function* frames(deps: ServingParts, working: Working, work: Work): AsyncGenerator<Uint8Array> {
  const { serve, request } = working
  const writer = createStreamWriter({ session: serve, requestHash: request.hash, seal: sealOf(working) })
  try {
    for (;;) {
      await work.changed()
      const outcome = work.outcome() // before the pieces are taken: what is emitted later is taken in another turn
      for (const text of work.take()) yield* chunks(writer, toBytes(text))
      if (outcome === null) continue
      const now = deps.clock.now()
      if (!outcome.ok) {
        const code = explain(deps, working, outcome.error)
        yield writer.end({ status: statusOf(code), code, answeredAt: now })
        return
      }
      const whole = toBytes(JSON.stringify(outcome.response))
      yield writer.chunk(new Uint8Array(0))
      yield* chunks(writer, whole)
      yield writer.end({ status: 200, code: '', answeredAt: now })
      tellAnswered(deps, working, whole.length)
      return
    }
  } finally {
    work.stop()
  }
}

function* chunks(writer: StreamWriter, bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += MAX_OPEN_CHUNK_BYTES)
    yield writer.chunk(bytes.subarray(at, at + MAX_OPEN_CHUNK_BYTES))
}

const tooMuch = (task: string, limit: number): SubnetError =>
  new SubnetError({
    code: 'MINER_STREAM_TOO_LONG',
    message: `The task ${task} emits more than its maxResponseBytes of ${limit}; emit less, or raise it`,
    details: { task, limit },
  })
