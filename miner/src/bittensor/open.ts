import { type AskerHeaders, type Claim, readAskerHeaders, readClaim, readProof } from '@arbor/shared/bittensor/asker'
import { signatureText, verifyText } from '@arbor/shared/bittensor/signature'
import { pyFloat } from '@arbor/shared/bittensor/text'
import { takesNone } from '@arbor/shared/bittensor/types'
import { startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Alpha, Ms, Ss58 } from '@arbor/shared/units'
import { either } from '../admission/either.ts'
import { codeOf } from '../refusal.ts'
import type { Failures } from './failures.ts'
import { type AxonRefusal, busy, failed, forbidden, notVerified, tooLate, tooMany } from './refusal.ts'
import type { AxonDeps, DoorRefusal, ServedSynapse } from './types.ts'

export interface OpenDeps extends AxonDeps {
  readonly failures: Failures
}

/** The head of a request, before its body. */
export interface AxonHead {
  readonly served: ServedSynapse
  readonly rawHeaders: readonly string[]
  readonly contentType: string
  /** Bytes that the body has at most. */
  readonly bytes: number
  readonly remote: string
}

/** A verified request that has its place, until `release`. */
export interface AxonAdmitted {
  readonly kind: 'admitted'
  readonly served: ServedSynapse
  readonly headers: AskerHeaders
  /** The text that the caller signed. */
  readonly signedText: string
  /** The verified hotkey. */
  readonly caller: Ss58
  /** Aborts when the time is over, the caller gone, or the room of its body taken. */
  readonly signal: AbortSignal
  readonly startedAt: Ms
  /** Waits for a place at work once the body is there: null when it has one. */
  readonly work: () => Promise<AxonRefusal | null>
  /** Gives the place back while the answer is still on its way. */
  readonly leave: () => void
  /** Ends the request: its place, if it still has one, and its time. */
  readonly release: () => void
}

/**
 * Judges a head: shape, claim, nonce and signature first; only then blacklist, turn and place. So whoever is asked about a caller is
 * asked about the one that signed.
 * @param gone aborts when the caller has left
 */
export const openRequest = async (
  deps: OpenDeps,
  head: AxonHead,
  gone: AbortSignal,
): Promise<AxonAdmitted | AxonRefusal> => {
  const startedAt = deps.clock.monotonic()
  const read = readAskerHeaders(head.rawHeaders)
  if (!read.ok) return failed(deps.randomUuid(), read.why)
  const { headers } = read
  const { synapse } = head.served
  const absent = synapse.request.find(
    ({ name, type, fallback }) => fallback === undefined && !takesNone(type) && !headers.inputs.has(name.toLowerCase()),
  )
  if (absent !== undefined) return failed(deps.randomUuid(), `bt_header_input_obj_${absent.name} is missing`)
  const verified = verify(deps, headers, head.remote)
  if (verified.kind === 'refused') return verified
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(head.contentType))
    return failed(deps.randomUuid(), 'content-type is no JSON')
  return enter(deps, { served: head.served, bytes: head.bytes, headers, startedAt, ...verified }, gone)
}

interface Verified {
  readonly kind: 'verified'
  readonly signedText: string
  readonly caller: Ss58
  readonly stake: Alpha
}

const verify = (deps: OpenDeps, headers: AskerHeaders, remote: string): Verified | AxonRefusal => {
  const read = readClaim(headers)
  if (!read.ok) return notVerified(read.text)
  const { claim } = read
  const nonce = { ...headers, ...claim, now: deps.clock.now() }
  const objection = deps.nonces.judge(nonce)
  if (objection !== null) return notVerified(objection)
  const proof = readProof(headers)
  if (!proof.ok) return notVerified(proof.text)
  const known = deps.door.claimed(claim.hotkey)
  if (!known.ok) return fromDoor(known)
  const shutFor = deps.failures.shutFor(remote)
  if (shutFor !== null) return tooMany(shutFor)
  const signedText = textOf(deps, headers, claim)
  if (!verifyText(claim.publicKey, signedText, proof.signature)) {
    deps.failures.count(remote)
    return notVerified('Signature mismatch')
  }
  deps.nonces.accept(nonce)
  return { kind: 'verified', signedText, caller: claim.hotkey, stake: known.stake }
}

const textOf = ({ receiver }: OpenDeps, { uuid, bodyHash }: AskerHeaders, { hotkey, nonce }: Claim): string =>
  signatureText({ nonce, dendriteHotkey: hotkey, axonHotkey: receiver, uuid, bodyHash })

const fromDoor = ({ kind, reason, retryAfterS }: DoorRefusal): AxonRefusal => {
  if (kind === 'blacklisted') return forbidden(reason)
  return kind === 'rate' ? tooMany(retryAfterS) : busy(retryAfterS)
}

/** The caller's time began before ours: so it is the caller who ends the wait, and ours is for those that do not. */
const ON_THE_WAY_MS = 500

/** Starts the request's time, waits for its turn and gives it a seat. */
const enter = async (
  deps: OpenDeps,
  of: Pick<AxonAdmitted, 'served' | 'headers' | 'signedText' | 'caller' | 'startedAt'> & {
    readonly stake: Alpha
    readonly bytes: number
  },
  gone: AbortSignal,
): Promise<AxonAdmitted | AxonRefusal> => {
  const { served, headers, signedText, caller, startedAt } = of
  const reason = served.blacklist?.(caller) ?? null
  if (reason !== null) return forbidden(reason)
  const ms = Math.min(served.deadlineMs, headers.timeoutS * 1_000 + ON_THE_WAY_MS) as Ms
  const deadline = startDeadline({ clock: deps.clock, ms, parent: gone, reason: late })
  const { signal } = deadline
  const end = (refusal: AxonRefusal): AxonRefusal => {
    deadline[Symbol.dispose]()
    return refusal
  }
  const untimely = (error: unknown): AxonRefusal =>
    signal.aborted || codeOf(error) === 'MINER_LATE'
      ? tooLate(pyFloat(headers.timeoutS))
      : failed(deps.randomUuid(), String(error))
  try {
    await served.turn?.(caller, signal)
  } catch (error) {
    return end(untimely(error))
  }
  const seat = deps.door.seat(of)
  if (!seat.ok) return end(fromDoor(seat))
  const work = (): Promise<AxonRefusal | null> =>
    seat.work(signal).then((place) => (place.ok ? null : fromDoor(place)), untimely)
  const release = (): void => {
    seat.leave()
    deadline[Symbol.dispose]()
  }
  const ended = seat.evicted === undefined ? signal : either(signal, seat.evicted)
  const about = { served, headers, signedText, caller, startedAt }
  return { kind: 'admitted', ...about, signal: ended, work, leave: seat.leave, release }
}

const late = (): SubnetError =>
  new SubnetError({ code: 'MINER_LATE', message: 'The deadline of the request passed', retryable: true })
