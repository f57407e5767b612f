import type { IncomingMessage } from 'node:http'
import type { Clock } from '@arbor/shared/clock'
import type { Gate } from '@arbor/shared/gate'
import type { Alpha, NetUid, Ss58 } from '@arbor/shared/units'
import type { Envelope } from '@arbor/shared/wire/envelope'
import type { ReplayStore } from '@arbor/shared/wire/replay'
import { checkLength, expiresAt, verifyHead } from '@arbor/shared/wire/request'
import type { TaskDefinition } from '@arbor/subnet-spec/define'
import type { RateLimit } from './rate-limit.ts'
import type { RefusalCode } from './refusal.ts'
import { admitCaller, type SubnetView } from './subnet-view.ts'

export interface AdmissionDeps {
  readonly clock: Clock
  readonly receiver: Ss58
  readonly netuid: NetUid
  readonly minStake: Alpha
  /** The newest view of the subnet. */
  readonly view: () => SubnetView
  readonly replay: ReplayStore
  readonly rate: RateLimit
  readonly gate: Gate
}

/** A request that may use the engine; `release` gives its place back. */
export type Admitted =
  | { readonly ok: true; readonly envelope: Envelope; readonly release: () => void }
  | { readonly ok: false; readonly code: RefusalCode; readonly caller: Ss58 | null }

/**
 * Decides on a request's head, before a byte of its body is asked for: headers, window, receiver, netuid, signature, permit and
 * stake, replay, length, rate, and last a place in the queue by stake. A nonce is spent before rate and queue, so that a copied
 * request cannot use up its sender's share of either.
 */
export const admit = async (
  deps: AdmissionDeps,
  of: { readonly head: IncomingMessage; readonly task: TaskDefinition; readonly signal: AbortSignal },
): Promise<Admitted> => {
  const { head, task, signal } = of
  const now = deps.clock.now()
  const context = { now, receiver: deps.receiver, netuid: deps.netuid }
  const read = verifyHead({ rawHeaders: head.rawHeaders, method: head.method ?? '', path: head.url ?? '', context })
  if (!read.ok) return { ok: false, code: read.code, caller: null }
  const { envelope } = read
  const caller = envelope.sender
  const refused = (code: RefusalCode): Admitted => ({ ok: false, code, caller })

  const permitted = admitCaller({ view: deps.view(), caller, minStake: deps.minStake })
  if (!permitted.ok) return refused(permitted.code)
  const claimed = deps.replay.claim({ sender: caller, nonce: envelope.nonce, expiresAt: expiresAt(envelope), now })
  if (!claimed.ok) return refused(claimed.code)
  const length = checkLength({ contentLength: head.headers['content-length'], limit: task.maxRequestBytes })
  if (!length.ok) return refused(length.code)
  if (!deps.rate.take(caller)) return refused('MINER_RATE')
  const place = await deps.gate.enter({ priority: permitted.stake, signal })
  return place.admitted ? { ok: true, envelope, release: place.release } : refused('MINER_BUSY')
}
