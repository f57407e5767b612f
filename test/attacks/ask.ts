import { createHash } from 'node:crypto'
import type { InferenceEngine } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import type { SubnetSpec, TaskDefinition, Verdict } from '@arbor/subnet-spec/define'

/** A question of a subnet, as one asker puts it to one miner. */
export interface Question {
  readonly request: unknown
  /** 32 bytes that name asker, miner and request. */
  readonly binding: Hex
}

/** What is tried: a subnet's task with the engine that judges. */
export interface Bench {
  readonly task: TaskDefinition
  /** Opened as validators open it. */
  readonly judge: InferenceEngine
}

/** Hashes text to 32 bytes: all that is random in the suite. */
export const bytesOf = (text: string): Hex => `0x${createHash('sha256').update(text).digest('hex')}`

/** Plans a question as validators do, and binds it to an asker. */
export const planned = (spec: SubnetSpec, label: string, asker: string): Question => {
  const seed = bytesOf(label)
  const name = spec.pick({ seed })
  const task = spec.tasks[name]
  if (task === undefined) throw new Error(`the spec picked the unknown task ${name}`)
  return { request: task.plan({ seed }), binding: bytesOf(`${label} ${asker}`) }
}

/** Lets an engine answer, and carries the answer as JSON, as the wire does. */
export const answer = async (
  { task }: Pick<Bench, 'task'>,
  engine: InferenceEngine,
  { request, binding }: Question,
  options: { readonly signal?: AbortSignal; readonly emit?: (text: string) => void } = {},
): Promise<unknown> => {
  const { signal = new AbortController().signal, emit } = options
  return JSON.parse(JSON.stringify(await task.solve({ request, binding, engine, signal, emit })))
}

/** Judges an answer by the whole of it, as a validator does where it audits all chunks. */
export const judge = async (
  { task, judge: engine }: Bench,
  { request, binding }: Question,
  given: unknown,
): Promise<Verdict> => {
  const parsed = task.response.safeParse(given)
  if (!parsed.success) return { reason: 'malformed', value: 0, sigma: 0 }
  return task.score({ request, binding, response: parsed.data, engine, timing: { class: 0 } })
}

/** Asks, and judges the answer. */
export const reasonOf = async (bench: Bench, engine: InferenceEngine, question: Question): Promise<string> =>
  (await judge(bench, question, await answer(bench, engine, question))).reason
