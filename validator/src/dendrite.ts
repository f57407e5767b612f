import { toBytes } from '@arbor/shared/bytes'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import type { Keypair } from '@arbor/shared/keypair'
import type { Ms, NetUid } from '@arbor/shared/units'
import { signRequest } from '@arbor/shared/wire/request'
import { verifyResponse } from '@arbor/shared/wire/response'
import type { SubnetSpec, TaskDefinition, Timing } from '@arbor/subnet-spec/define'
import { Agent, type Dispatcher, errors } from 'undici'
import type { PlannedTask } from './plan.ts'

/** Why an answer is no answer; each counts against the miner. */
export type Fault = 'unreachable' | 'timeout' | 'refused' | 'busy' | 'oversized' | 'unsigned' | 'malformed'

/** What asking a miner came to. */
export type Answer =
  | { readonly kind: 'answered'; readonly response: unknown; readonly timing: Timing }
  | { readonly kind: 'fault'; readonly reason: Fault; readonly totalMs: number | null }

export interface Dendrite {
  ask(task: PlannedTask, signal: AbortSignal): Promise<Answer>
  close(): Promise<void>
}

export interface DendriteDeps {
  readonly spec: SubnetSpec
  readonly hotkey: Keypair
  readonly netuid: NetUid
  readonly clock: Clock
  /** Fills a nonce: 16 bytes. */
  readonly randomBytes: (length: number) => Uint8Array
  /** Questions in flight at once. */
  readonly maxInFlight: number
}

/** Opens the client that asks miners. One slow or hostile miner costs the others nothing but its place in flight. */
export function openDendrite(deps: DendriteDeps): Dendrite {
  const agent = new Agent({
    connections: 2,
    pipelining: 1,
    connect: { timeout: 3_000 }, // a miner that does not accept within three seconds is not reachable
    maxHeaderSize: 16_384,
    keepAliveTimeout: 30_000,
  })
  const places = semaphore(deps.maxInFlight)
  return {
    ask: (task, signal) => places(signal, () => ask(deps, agent, task, signal)),
    close: () => agent.destroy(),
  }
}

async function ask(deps: DendriteDeps, agent: Agent, task: PlannedTask, signal: AbortSignal): Promise<Answer> {
  const definition = deps.spec.tasks[task.task]
  if (definition === undefined) throw new Error(`the spec ${deps.spec.name} has no task ${task.task}`)
  const startedAt = deps.clock.monotonic()
  const elapsed = (): number => deps.clock.monotonic() - startedAt
  const late = new Error('the deadline passed')
  using deadline = startDeadline({
    clock: deps.clock,
    ms: definition.deadlineMs as Ms,
    parent: signal,
    reason: () => late,
  })
  try {
    return await exchange(deps, { agent, task, definition, signal: deadline.signal, elapsed })
  } catch (error) {
    signal.throwIfAborted()
    return { kind: 'fault', reason: deadline.signal.aborted ? 'timeout' : faultOf(error), totalMs: null }
  }
}

interface Exchange {
  readonly agent: Agent
  readonly task: PlannedTask
  readonly definition: TaskDefinition
  readonly signal: AbortSignal
  readonly elapsed: () => number
}

async function exchange(deps: DendriteDeps, { agent, task, definition, signal, elapsed }: Exchange): Promise<Answer> {
  const body = toBytes(JSON.stringify(task.request))
  const path = `/${task.task}`
  const request = signRequest({
    signer: deps.hotkey,
    receiver: task.hotkey,
    netuid: deps.netuid,
    method: 'POST',
    path,
    timestamp: deps.clock.now(),
    timeoutMs: definition.deadlineMs as Ms,
    nonce: deps.randomBytes(16),
    body,
  })
  const reply = await agent.request({
    origin: `http://${hostOf(task.axon.ip)}:${task.axon.port}`,
    path,
    method: 'POST',
    headers: { ...request.headers, 'content-type': 'application/json' },
    body,
    signal,
    headersTimeout: 0, // the deadline above covers the whole exchange
    bodyTimeout: 0,
  })
  const bytes = await readBounded(reply, definition.maxResponseBytes)
  const totalMs = elapsed()
  const fault = (reason: Fault): Answer => ({ kind: 'fault', reason, totalMs })
  if (bytes === null) return fault('oversized')
  if (reply.statusCode !== 200) return fault(reply.statusCode === 503 || reply.statusCode === 429 ? 'busy' : 'refused')
  const signed = verifyResponse({
    headers: reply.headers,
    status: reply.statusCode,
    body: bytes,
    requestHash: request.hash,
    sender: task.hotkey,
    receiver: deps.hotkey.address,
  })
  if (!signed.ok) return fault('unsigned')
  const response = parse(definition, bytes)
  if (response === undefined) return fault('malformed')
  return { kind: 'answered', response, timing: { totalMs, deadlineMs: definition.deadlineMs } }
}

/** Reads a body up to a limit; null when it is larger, and the rest is never read. */
async function readBounded({ body, headers }: Dispatcher.ResponseData, limit: number): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = []
  let size = 0
  const tooLarge = Number(headers['content-length'] ?? 0) > limit
  for await (const part of body) {
    size += part.length
    if (tooLarge || size > limit) break // leaving the loop destroys the body, and with it the socket
    parts.push(part)
  }
  return tooLarge || size > limit ? null : Buffer.concat(parts)
}

/** Parses an answer by the task's schema; undefined when it does not fit. */
function parse(definition: TaskDefinition, bytes: Uint8Array): unknown {
  try {
    const parsed = definition.response.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

const hostOf = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip)

/** Sorts what undici throws: a miner that was never reached, or one that broke off in the middle. */
function faultOf(error: unknown): Fault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'oversized'
  if (error instanceof errors.HTTPParserError || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return 'malformed'
  return 'unreachable'
}

/** Bounds how many run at once; the others wait in line, and leave it when the signal says so. */
function semaphore(places: number) {
  let free = places
  const line: (() => void)[] = []
  return async <T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => line.push(resolve))
    try {
      signal.throwIfAborted()
      return await run()
    } finally {
      const next = line.shift()
      if (next) next()
      else free += 1
    }
  }
}
