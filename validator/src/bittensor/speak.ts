import { parseJson, printJson } from '@arbor/shared/bittensor/json'
import { type Synapse, synapseOf } from '@arbor/shared/bittensor/synapse'
import { isDict } from '@arbor/shared/bittensor/value'
import { toBytes } from '@arbor/shared/bytes'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { bittensorBindingOf } from '@arbor/subnet-spec/binding'
import type { TaskDefinition } from '@arbor/subnet-spec/define'
import { type Answer, LAGGED_MS } from '../dendrite/answer.ts'
import { readResponse } from '../dendrite/response.ts'
import type { Question, Speaker, SpeakerContext, SpeakerLog } from '../dendrite/speaker.ts'
import { unsignedHash } from '../evidence.ts'
import { askSynapse, type SynapseAnswer } from './ask.ts'
import { openLanes } from './lanes.ts'

/** Creates what asks Python axons in Bittensor's protocol; nothing that they answer is signed. */
export function createBittensorSpeaker(deps: {
  readonly clock: Clock
  readonly randomBytes: (length: number) => Uint8Array
}): Speaker {
  const lanes = openLanes(deps)
  const synapses = new WeakMap<TaskDefinition, Synapse>()
  const synapseFor = (definition: TaskDefinition, log: SpeakerLog): Synapse => {
    const known = synapses.get(definition)
    if (known !== undefined) return known
    const { request, response, synapse: options } = definition
    if (options === undefined) throw new Error('the task has no synapse')
    const synapse = synapseOf({ ...options, request, response })
    synapses.set(definition, synapse)
    if (synapse.hashed.length === 0 && synapse.request.length > 0)
      log.warn(
        { event: 'bittensor.unprotected', synapse: synapse.name },
        `synapse ${synapse.name} hashes no field: whoever stands on the way can change our questions; name its fields in hashed`,
      )
    return synapse
  }
  return async (question, context, signal) => {
    const synapse = synapseFor(question.definition, context.log)
    try {
      return answerOf(question, context, await askSynapse({ question, synapse, context, lanes }, signal))
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof SubnetError)) throw error
      return { kind: 'ours', reason: 'session', why: `the hotkey did not sign: ${error.code}` }
    }
  }
}

/** Says in the dendrite's words what asking an axon came to; the axon's own words stay behind. */
function answerOf(question: Question, context: SpeakerContext, of: SynapseAnswer): Answer {
  const { fault, why, response, timing, stale, signedText, signature } = of
  if (fault === 'sockets') return { kind: 'ours', reason: 'sockets', why }
  if (fault !== null) return { kind: 'fault', reason: fault, why, timing, stale }
  if (response === null || timing === null) return { kind: 'fault', reason: 'malformed', why: 'no response', timing }
  const { definition } = question
  const fits = (json: Uint8Array): boolean => readResponse(definition, json).ok
  const without = fits(response) ? null : withoutNone(response)
  if (without !== null && !fits(without))
    return { kind: 'fault', reason: 'schema', why: 'a response that its schema refuses', timing }
  const lagged = timing.lagMs >= LAGGED_MS
  const body = without ?? response
  return {
    kind: 'answered',
    body,
    timing: { ...timing, deadlineMs: question.deadlineMs, lagged },
    signed: false,
    binding: bittensorBindingOf({ ...context, hotkey: question.hotkey, signedText }),
    answerHash: unsignedHash({ signedText, body }),
    evidence: { protocol: 'bittensor', signedText, signature },
  }
}

/** Leaves out what is None, which is how Python says that an optional field is not there. */
function withoutNone(response: Uint8Array): Uint8Array {
  const json = parseJson(response)
  if (!json.ok || json.value === null || typeof json.value !== 'object' || !isDict(json.value)) return response
  return toBytes(printJson(new Map([...json.value].filter(([, value]) => value !== null))))
}
