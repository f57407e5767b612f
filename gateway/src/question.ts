import { SubnetError } from '@arbor/shared/errors'
import { sha256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import type { SubnetSpec, TaskDefinition } from '@arbor/subnet-spec/define'
import type { z } from 'zod'
import type { PromptMeter } from './meter.ts'
import { type ApiError, invalidRequest } from './openai/errors.ts'
import type { Read, Wish } from './openai/read.ts'
import { bySchema, paramOf, promptParam } from './schema-refusal.ts'

/** A question that fits the task's schema and the model. */
export interface Question {
  /** JSON value that miners are sent. */
  readonly request: { readonly seed: Hex; readonly [field: string]: unknown }
  readonly promptTokens: number
  readonly maxTokens: number
}

/** What questions are made for. */
export interface Questions {
  /** Most tokens of an answer, by the task's schema. */
  readonly maxTokens: number
  readonly definition: TaskDefinition
  /** @param fresh 32 bytes for who names no seed */
  ask(wish: Wish, fresh: () => Uint8Array): Read<Question>
}

/** Who names none has 1, as with OpenAI, or 0 in a subnet that verifies greedy answers only. */
const TEMPERATURES = [1, 0]

/**
 * Finds out whether a subnet's task can be asked OpenAI's way, and within which bounds.
 * @throws GATEWAY_SPEC when it has no such task
 */
export const openQuestions = (of: {
  readonly spec: SubnetSpec
  readonly task: string
  readonly meter: PromptMeter
}): Questions => {
  const { spec, task, meter } = of
  const definition = Object.hasOwn(spec.tasks, task) ? spec.tasks[task] : undefined
  if (definition === undefined) throw unfit(spec, task, `it has ${Object.keys(spec.tasks).join(', ')}`)
  const probe = { prompt: 'x', maxTokens: 1, seed: toHex(new Uint8Array(32)) }
  const temperature = TEMPERATURES.find((each) => definition.request.safeParse({ ...probe, temperature: each }).success)
  if (temperature === undefined) throw unfit(spec, task, 'its request is not {prompt, maxTokens, temperature, seed}')
  const maxTokens = Math.min(largest(definition.request, { ...probe, temperature }), meter.context - 1)
  const bounds = { definition, maxTokens, temperature, meter }
  return { maxTokens, definition, ask: (wish, fresh) => questionOf({ ...bounds, wish, fresh }) }
}

/** Reads the schema's own bound off its refusal of too much. */
const largest = (schema: z.ZodType, probe: object): number => {
  const parsed = schema.safeParse({ ...probe, maxTokens: Number.MAX_SAFE_INTEGER })
  const issue = parsed.success ? undefined : parsed.error.issues.find(({ path }) => path[0] === 'maxTokens')
  return issue?.code === 'too_big' ? Number(issue.maximum) : Number.MAX_SAFE_INTEGER
}

const unfit = (spec: SubnetSpec, task: string, why: string): SubnetError =>
  new SubnetError({
    code: 'GATEWAY_SPEC',
    message: `the subnet ${spec.name} has no task "${task}" that takes prompts and gives text: ${why}; name another with --task`,
    details: { spec: spec.name, task },
  })

interface Asked {
  readonly definition: TaskDefinition
  readonly maxTokens: number
  readonly temperature: number
  readonly meter: PromptMeter
  readonly wish: Wish
  readonly fresh: () => Uint8Array
}

/** Checks in order of cost: the schema bounds what is then tokenised. */
const questionOf = ({ definition, maxTokens: most, temperature, meter, wish, fresh }: Asked): Read<Question> => {
  const { prompt, topK, topP, stop, maxTokens: wanted } = wish
  const request = {
    prompt,
    maxTokens: 1,
    temperature: wish.temperature ?? temperature,
    ...(topK === undefined ? {} : { topK }),
    ...(topP === undefined ? {} : { topP }),
    ...(stop === undefined ? {} : { stop }),
    seed: seedOf(wish.seed, fresh),
  }
  const checked = definition.request.safeParse(request)
  if (!checked.success) return no(bySchema(checked.error.issues[0], wish))
  if (wanted !== undefined && wanted > most) return no(tooManyTokens(wish, most))
  const measured = meter.measure(request)
  if (!measured.ok) {
    if (measured.why === 'long') return no(tooLong(meter, wish))
    const param =
      measured.field === null ? promptParam(wish) : paramOf(measured.field.split(/[.[\]]+/).filter(Boolean), wish)
    return no(invalidRequest({ message: measured.message, param }))
  }
  const { promptTokens } = measured
  const room = meter.context - promptTokens
  if (wanted !== undefined && wanted > room) return no(tooLong(meter, wish, promptTokens))
  const maxTokens = wanted ?? Math.min(room, most)
  const sent = { ...request, maxTokens }
  const bytes = Buffer.byteLength(JSON.stringify(sent))
  if (bytes > definition.maxRequestBytes) return no(tooManyBytes(wish, bytes, definition.maxRequestBytes))
  return { ok: true, value: { request: sent, promptTokens, maxTokens } }
}

const no = (error: ApiError): Read<never> => ({ ok: false, error })

/** Makes 32 bytes of a caller's number, or fresh ones. */
const seedOf = (seed: number | undefined, fresh: () => Uint8Array): Hex =>
  toHex(seed === undefined ? fresh() : sha256(Buffer.from(`arbor/gateway/seed/${seed}`)))

const tooManyTokens = ({ maxTokens, maxTokensParam }: Wish, most: number): ApiError =>
  invalidRequest({
    message: `${maxTokensParam} is too large: ${maxTokens}. This subnet gives at most ${most} tokens an answer.`,
    param: maxTokensParam,
    code: 'integer_above_max_value',
  })

const tooManyBytes = (wish: Wish, bytes: number, most: number): ApiError =>
  invalidRequest({
    message: `The question has ${bytes} bytes, miners take ${most}. Please shorten it.`,
    param: promptParam(wish),
    code: 'string_above_max_length',
  })

const tooLong = ({ context }: PromptMeter, wish: Wish, promptTokens?: number): ApiError => {
  const wanted = wish.maxTokens ?? 1
  const asked =
    promptTokens === undefined
      ? 'Your prompt alone is longer.'
      : `You asked for ${promptTokens + wanted}: ${promptTokens} in the prompt, ${wanted} in the answer.`
  return invalidRequest({
    message: `This model's maximum context length is ${context} tokens. ${asked} Please shorten one of them.`,
    param: promptParam(wish),
    code: 'context_length_exceeded',
  })
}
