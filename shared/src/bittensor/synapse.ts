import type { z } from 'zod'
import { SubnetError } from '../errors.ts'
import { fieldsOf, orNone, type PyField } from './types.ts'

/** What a task says of itself for Bittensor's protocol. */
export interface SynapseOptions {
  /** Class name of the synapse, which is its route: `Echo` for POST /Echo. */
  readonly name: string
  /** Fields that the body hash covers, in its order. What is not in it may be changed on the way. */
  readonly hashed: readonly string[]
  /** Response field that the text of a stream fills; such a synapse is only answered as a stream. */
  readonly stream?: string
}

/** A typed message of Bittensor's protocol: one object of request and response fields. */
export interface Synapse {
  readonly name: string
  readonly request: readonly PyField[]
  /** All of them optional: None until answered. */
  readonly response: readonly PyField[]
  readonly hashed: readonly string[]
  readonly stream: string | null
}

/** Members that every synapse has; the first two may be hashed. */
export const BASE_FIELDS = [
  'name',
  'timeout',
  'total_size',
  'header_size',
  'dendrite',
  'axon',
  'computed_body_hash',
] as const
const HASHABLE_BASE: ReadonlySet<string> = new Set(['name', 'timeout'])

const CLASS_NAME = /^[A-Z][A-Za-z0-9_]{0,63}$/
const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

/**
 * Makes the synapse of a task's schemas: the request's fields, then the response's, each in order of declaration.
 * @throws SYNAPSE_INVALID when name, fields or hashed fields are unusable; SYNAPSE_SCHEMA when a schema has no counterpart in Python
 */
export const synapseOf = (
  task: SynapseOptions & { readonly request: z.ZodType; readonly response: z.ZodType },
): Synapse => {
  const { name, hashed, stream = null } = task
  if (!CLASS_NAME.test(name)) throw invalid(`the name "${name}" is no class name of Python, such as TextPrompt`)
  const request = fieldsOf(task.request)
  const response = fieldsOf(task.response).map((field) => ({
    name: field.name,
    type: orNone(field.type),
    fallback: field.fallback ?? null,
  }))
  const names = [...request, ...response].map((field) => field.name)
  for (const field of names) {
    if (!FIELD_NAME.test(field)) throw invalid(`${name} has a field "${field}"; use letters, digits and underscores`)
    if ((BASE_FIELDS as readonly string[]).includes(field))
      throw invalid(`${name} has a field "${field}", which every synapse has already; rename it`)
    if (names.indexOf(field) !== names.lastIndexOf(field))
      throw invalid(`${name} has "${field}" in its request and in its response; rename one`)
  }
  const strange = hashed.find((field) => !names.includes(field) && !HASHABLE_BASE.has(field))
  if (strange !== undefined) throw invalid(`${name} hashes "${strange}", which is no field of it`)
  if (new Set(hashed).size !== hashed.length) throw invalid(`${name} hashes a field twice`)
  const streamed = response.find((field) => field.name === stream)
  if (stream !== null && (streamed === undefined || !isText(streamed)))
    throw invalid(`${name} streams into "${stream}"; name a string of its response`)
  return { name, request, response, hashed: [...hashed], stream }
}

const isText = ({ type }: PyField): boolean =>
  type.kind === 'str' || (type.kind === 'union' && type.options.some(({ kind }) => kind === 'str'))

/** The message that every axon answers by sending it back. */
export const PING: Synapse = { name: 'Synapse', request: [], response: [], hashed: [], stream: null }

const invalid = (what: string): SubnetError =>
  new SubnetError({ code: 'SYNAPSE_INVALID', message: `A task's synapse is unusable: ${what}` })
