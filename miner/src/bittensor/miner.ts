import { randomUUID } from 'node:crypto'
import type { NonceStore } from '@arbor/shared/bittensor/nonce-store'
import { openNonces } from '@arbor/shared/bittensor/nonces'
import { synapseOf } from '@arbor/shared/bittensor/synapse'
import { SubnetError } from '@arbor/shared/errors'
import { bittensorBindingOf } from '@arbor/subnet-spec/binding'
import type { SubnetSpec, TaskDefinition } from '@arbor/subnet-spec/define'
import type { FastifyInstance } from 'fastify'
import type { Admission } from '../admission/admission.ts'
import type { RefusalCode } from '../refusal.ts'
import type { ServingParts } from '../service/deps.ts'
import { mountAxon } from './routes.ts'
import type { Door, DoorRefusal, Seat, ServedSynapse } from './types.ts'

/** What a Python dendrite reads after "Key is blacklisted". */
const REASONS: Partial<Readonly<Record<RefusalCode, string>>> = {
  MINER_UNKNOWN_CALLER: 'not registered on this subnet',
  MINER_NO_PERMIT: 'no validator permit',
  MINER_LOW_STAKE: 'not enough stake',
  MINER_DENIED: 'not on the list of this miner',
}

/**
 * Checks that there is something to serve to Bittensor's dendrites, and a port to serve it at.
 * @throws MINER_BITTENSOR when there is not
 */
export const mustServeBittensor = (of: {
  readonly spec: SubnetSpec
  readonly port: number | null
  readonly requireSeal: boolean
}): void => {
  const refuse = (why: string): SubnetError =>
    new SubnetError({ code: 'MINER_BITTENSOR', message: `--bittensor cannot be: ${why}, or leave the flag out` })
  if (of.port === null)
    throw refuse('its dendrites come to a port and the miner listens at none; say which with --port')
  if (of.requireSeal) throw refuse('its questions are never sealed and --require-seal refuses such; leave that out')
  if (Object.values(of.spec.tasks).every(({ synapse }) => synapse === undefined))
    throw refuse(`no task of ${of.spec.name} has a synapse; add one to the spec`)
}

/** Makes what adds an axon of the miner's tasks to its HTTP application; warns of synapses that protect nothing. */
export const bittensorMount = (parts: ServingParts, store: NonceStore): ((app: FastifyInstance) => void) => {
  const { receiver, clock, log } = parts
  const served = Object.entries(parts.spec.tasks).flatMap(([task, definition]) => servedTask(parts, task, definition))
  for (const { synapse } of served) {
    if (synapse.hashed.length > 0) continue
    log.warn(
      { event: 'bittensor.unprotected', synapse: synapse.name },
      'this synapse hashes no field: whoever stands on the way can change what is asked',
    )
  }
  const nonces = openNonces({ store })
  const door = doorOf(parts.admission)
  return (app) => mountAxon(app, { receiver, served, nonces, door, clock, log, randomUuid: randomUUID })
}

const servedTask = (
  { solve, log, clock, genesisHash, netuid, receiver }: ServingParts,
  task: string,
  { synapse, request, response, maxRequestBytes, maxResponseBytes, deadlineMs }: TaskDefinition,
): readonly ServedSynapse[] => {
  if (synapse === undefined) return []
  return [
    {
      synapse: synapseOf({ ...synapse, request, response }),
      request,
      maxRequestBytes,
      maxResponseBytes,
      deadlineMs,
      answer: async ({ request, signedText, caller, signal, emit }) => {
        const startedAt = clock.monotonic()
        const binding = bittensorBindingOf({ genesisHash, netuid, hotkey: receiver, signedText })
        const solved = await solve({ task, request, binding, signal, emit })
        const ms = Math.round(clock.monotonic() - startedAt)
        log.info({ event: 'bittensor.answered', task, caller, ms }, 'request answered')
        if (typeof solved !== 'object' || solved === null) throw new Error('the task answered with no object')
        return { response: solved }
      },
    },
  ]
}

/** Lets in whom the miner's admission lets in, whichever protocol they speak. */
const doorOf = (admission: Admission): Door => ({
  claimed: (hotkey) => {
    const verdict = admission.caller(hotkey)
    return verdict.ok ? { ok: true, stake: verdict.neuron.totalStake } : refusal(verdict.code, null)
  },
  seat: (of) => {
    const seat = admission.seat(of)
    if (!seat.ok) return refusal(seat.code, seat.retryAfterS)
    const work: Seat['work'] = async (signal) => {
      const entry = await seat.work(signal)
      return entry.ok ? { ok: true } : refusal(entry.code, entry.retryAfterS)
    }
    return { ok: true, evicted: seat.evicted, work, leave: seat.leave }
  },
})

const refusal = (code: RefusalCode, retryAfterS: number | null): DoorRefusal => {
  const reason = REASONS[code]
  if (reason !== undefined) return { ok: false, kind: 'blacklisted', reason, retryAfterS }
  return { ok: false, kind: code === 'MINER_RATE' ? 'rate' : 'busy', reason: code, retryAfterS }
}
