import { toBytes } from '@arbor/shared/bytes'
import { openBody } from '@arbor/shared/protocol/judge'
import type { Hex } from '@arbor/shared/units'
import { bindingOf } from '@arbor/subnet-spec/binding'
import type { TaskDefinition } from '@arbor/subnet-spec/define'
import { codeOf, type RefusalCode } from '../refusal.ts'
import type { ServingParts } from './deps.ts'
import { refuseProven, reply } from './reply.ts'
import { answerStream } from './stream.ts'
import type { AdmittedRequest, StreamedAnswer, WholeAnswer } from './types.ts'

/** An admitted request with its place at work. */
export interface Working extends AdmittedRequest {
  /** Gives the place back while the answer is still on its way. */
  readonly leave: () => void
}

/** Judges the body, opens it, parses it, waits for a place, solves, and signs; never throws for what a caller sent or an engine did. */
export const answerRequest = async (
  deps: ServingParts,
  admitted: AdmittedRequest,
  body: Uint8Array,
): Promise<WholeAnswer | StreamedAnswer> => {
  const { request, task, seat } = admitted
  const refuse = (code: RefusalCode, retryAfterS: number | null = null): WholeAnswer => {
    seat.leave()
    return refuseProven({ ...admitted, code, retryAfterS, now: deps.clock.now() })
  }
  try {
    const opened = openBody(request, { body, keys: admitted.keys })
    if (!opened.ok) return refuse(opened.code)
    const parsed = parse(task, opened.body)
    if (parsed === null) return refuse('MINER_BAD_REQUEST')
    const entry = await seat.work(admitted.signal)
    if (!entry.ok) return refuse(entry.code, entry.retryAfterS)
    const working = { ...admitted, leave: entry.release }
    const isStream = request.fields.accept === 'stream' && task.stream === true
    return await (isStream ? answerStream : answerWhole)(deps, working, parsed.request)
  } catch (error) {
    return refuse(explain(deps, admitted, error))
  }
}

/** Computes what an answer is made under; the asker computes the same. */
export const boundTo = ({ genesisHash, netuid, receiver }: ServingParts, { request }: AdmittedRequest): Hex =>
  bindingOf({ genesisHash, netuid, hotkey: receiver, requestHash: request.hash })

const answerWhole = async (deps: ServingParts, working: Working, request: unknown): Promise<WholeAnswer> => {
  const binding = boundTo(deps, working)
  const response = await deps.solve({ task: working.taskName, request, binding, signal: working.signal })
  working.leave()
  const answer = reply({ ...working, body: toBytes(JSON.stringify(response)), now: deps.clock.now() })
  tellAnswered(deps, working, answer.body.length)
  const bytesPerSecond = deps.pace?.({ task: working.taskName, request }) ?? null
  return bytesPerSecond === null ? answer : { ...answer, bytesPerSecond }
}

/** Writes down what was answered to whom. */
export const tellAnswered = (
  { clock, log }: Pick<ServingParts, 'clock' | 'log'>,
  { caller, taskName, startedAt }: AdmittedRequest,
  bytes: number,
): void => {
  const ms = Math.round(clock.monotonic() - startedAt)
  log.info({ event: 'miner.answered', task: taskName, caller, ms, bytes }, 'request answered')
}

/** Finds what to tell the caller about an error; what is our own fault is written down. */
export const explain = (
  { log }: Pick<ServingParts, 'log'>,
  { taskName, signal }: AdmittedRequest,
  error: unknown,
): RefusalCode => {
  const code = signal.aborted ? 'MINER_LATE' : codeOf(error)
  if (code === 'MINER_FAILED')
    log.error({ event: 'miner.failed', error: String(error), task: taskName }, 'answering failed')
  return code
}

const parse = (task: TaskDefinition, body: Uint8Array): { readonly request: unknown } | null => {
  try {
    const parsed = task.request.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)))
    return parsed.success ? { request: parsed.data } : null
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null // no JSON, no UTF-8
    throw error
  }
}
