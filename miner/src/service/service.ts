import { startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex } from '@arbor/shared/hex'
import type { Certificate } from '@arbor/shared/protocol/certificate'
import { judgeLength, judgeTarget, judgeTime } from '@arbor/shared/protocol/judge'
import { createPairKeyCache } from '@arbor/shared/protocol/keys'
import { SEALED_TYPE } from '@arbor/shared/protocol/limits'
import type { SessionStore } from '@arbor/shared/protocol/session-store'
import { openSessionTable, type SessionLimits } from '@arbor/shared/protocol/sessions'
import { decodeSs58 } from '@arbor/shared/ss58'
import type { Alpha, Ms } from '@arbor/shared/units'
import type { TaskDefinition } from '@arbor/subnet-spec/define'
import { either } from '../admission/either.ts'
import type { RefusalCode } from '../refusal.ts'
import type { ServeSessions } from '../sessions.ts'
import { answerRequest } from './answer.ts'
import { type Contact, type ContactDeps, contact } from './contact.ts'
import type { ServingParts } from './deps.ts'
import { refuseProven, refuseUnproven } from './reply.ts'
import type { Admitted, AdmittedRequest, Opened, RequestHead, Service, WholeAnswer } from './types.ts'

export interface ServiceDeps extends ServingParts {
  readonly sessions: ServeSessions
  /** What outlives a restart of whose sessions were met. */
  readonly store: SessionStore
  readonly limits?: SessionLimits
  /** Whether questions that are not sealed are refused, whatever brings them. */
  readonly requireSeal: boolean
}

/** What refuses a proven request. */
interface Objection {
  readonly ok: false
  readonly code: RefusalCode
  readonly retryAfterS?: number | null
}

/** Creates the service of one miner: transports bring heads and bodies, and take answers away. */
export const createService = (deps: ServiceDeps): Service => {
  const table = openSessionTable({ store: deps.store, ...(deps.limits === undefined ? {} : { limits: deps.limits }) })
  const receiver = decodeSs58(deps.receiver)
  const parts: Parts = {
    ...deps,
    contact: { ...deps, table, receiver, genesisHash: fromHex(deps.genesisHash, 32), pairs: createPairKeyCache() },
  }
  const admissions = new WeakMap<Admitted, AdmittedRequest>()
  return {
    open: async (head, gone) => {
      const opened = open(parts, head, gone)
      if (opened.kind === 'refused') return opened
      const { bodyLength, signal, release } = opened.admitted
      const admitted: Admitted = { bodyLength, signal, release }
      admissions.set(admitted, opened.admitted)
      return { kind: 'admitted', admitted }
    },
    answer: (admitted, body) => {
      const request = admissions.get(admitted)
      if (request === undefined) throw new Error('an admission is answered once, by the service that gave it')
      admissions.delete(admitted)
      return answerRequest(deps, request, body)
    },
    certificateOf: (hotkey) => (hotkey === deps.receiver ? (deps.sessions.current()?.certificate.text ?? null) : null),
  }
}

type Parts = ServiceDeps & { readonly contact: ContactDeps }

const open = (
  deps: Parts,
  head: RequestHead,
  gone: AbortSignal,
): Refused | { readonly kind: 'admitted'; readonly admitted: AdmittedRequest } => {
  const { clock, log } = deps
  const startedAt = clock.monotonic()
  const met = contact(deps.contact, head, clock.now())
  if (!met.ok) {
    log.debug({ event: 'miner.refused', code: met.code, remote: head.remote }, 'stranger refused')
    return refused(refuseUnproven(met.code, met.retryAfterS ?? null))
  }
  const caller = met.certificate.address
  const judged = judge(deps, met, head)
  const admitted = judged.ok ? enter(deps, { met, gone, startedAt, ...judged }) : judged
  if (admitted.ok) return { kind: 'admitted', admitted: admitted.admitted }
  const { code, retryAfterS = null } = admitted
  log.debug({ event: 'miner.refused', code, caller }, 'request refused')
  return refused(refuseProven({ ...met, code, retryAfterS, now: clock.now() }))
}

type Refused = Exclude<Opened, { kind: 'admitted' }>
const refused = (answer: WholeAnswer): Refused => ({ kind: 'refused', answer })

/** Judges a proven request: time, target, seal, caller, session, counter, length, in this order. */
const judge = (
  deps: Parts,
  met: Contact,
  head: RequestHead,
):
  | { readonly ok: true; readonly stake: Alpha; readonly taskName: string; readonly task: TaskDefinition }
  | Objection => {
  const { request } = met
  const timely = judgeTime(request, deps.clock.now())
  if (!timely.ok) return timely
  const target = judgeTarget(request, head)
  if (!target.ok) return target
  if ((deps.requireSeal || head.sealedOnly) && request.fields.contentType !== SEALED_TYPE)
    return { ok: false, code: 'WIRE_SEAL_REQUIRED' }
  const registered = deps.admission.caller(met.certificate.address, met.certificate.registeredAt)
  if (!registered.ok) return registered
  const session = admitSession(deps, met.certificate)
  if (!session.ok) return session
  const counted = session.session.window.take(request.fields.counter)
  if (!counted.ok) return counted
  const taskName = (request.fields.path.split('?')[0] ?? '').slice(1)
  const task = Object.hasOwn(deps.spec.tasks, taskName) ? deps.spec.tasks[taskName] : undefined
  if (task === undefined || head.method !== 'POST') return { ok: false, code: 'MINER_NO_TASK' }
  const length = judgeLength(request, task.maxRequestBytes)
  return length.ok ? { ok: true, stake: registered.neuron.totalStake, taskName, task } : length
}

/** Lets a proven session into the table; one that is new is written down before its first request is accepted. */
const admitSession = ({ contact: { table }, clock, log }: Parts, certificate: Certificate) => {
  try {
    return table.admit(certificate, clock.now())
  } catch (error) {
    log.error({ event: 'miner.store_failed', error: String(error) }, 'a session cannot be written down')
    return { ok: false, code: 'MINER_FAILED' } as const
  }
}

/** Gives the request its seat, and starts its time. */
const enter = (
  deps: Parts,
  of: {
    readonly met: Contact
    readonly gone: AbortSignal
    readonly startedAt: number
    readonly stake: Alpha
    readonly taskName: string
    readonly task: TaskDefinition
  },
): { readonly ok: true; readonly admitted: AdmittedRequest } | Objection => {
  const { met, gone, startedAt, stake, taskName, task } = of
  const { request, serve, keys } = met
  const { bodyLength, timeoutMs } = request.fields
  const caller = met.certificate.address
  const seat = deps.admission.seat({ caller, stake, bytes: bodyLength })
  if (!seat.ok) return seat
  const ms = Math.min(task.deadlineMs, timeoutMs) as Ms
  const parent = either(gone, seat.evicted)
  const deadline = startDeadline({ clock: deps.clock, ms, parent, reason: late })
  const release = (): void => {
    seat.leave()
    deadline[Symbol.dispose]()
  }
  const { signal } = deadline
  return {
    ok: true,
    admitted: { request, caller, task, taskName, serve, keys, startedAt, seat, bodyLength, signal, release },
  }
}

const late = (): SubnetError =>
  new SubnetError({ code: 'MINER_LATE', message: 'The deadline of the request passed', retryable: true })
