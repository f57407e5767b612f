import { BASE_FIELDS, type Synapse } from './synapse.ts'
import { pyFloat } from './text.ts'
import { isDict, isList, type PyDict, type PyFields, PyTuple, type PyValue } from './value.ts'

/** The version that we speak: that of bittensor 10.5.0. @source bittensor/core/settings.py version_as_int */
export const SPOKEN_VERSION = 10_005_000

/** What a synapse says of one of its two ends; null is not said. */
export interface Terminal {
  readonly statusCode: number | null
  readonly statusMessage: string | null
  /** Seconds. */
  readonly processTime: number | null
  readonly ip: string | null
  readonly port: number | null
  readonly version: number | null
  /** Nanoseconds of Unix time. */
  readonly nonce: bigint | null
  readonly uuid: string | null
  readonly hotkey: string | null
  readonly signature: string | null
}

/** An end of which nothing is said. */
export const NO_TERMINAL: Terminal = {
  statusCode: null,
  statusMessage: null,
  processTime: null,
  ip: null,
  port: null,
  version: null,
  nonce: null,
  uuid: null,
  hotkey: null,
  signature: null,
}

/** A synapse on its way, with the members that all of them have. */
export interface SynapseMessage {
  readonly synapse: Synapse
  /** Its own fields: the request's, and the response's when answered. */
  readonly values: PyFields
  /** Seconds. */
  readonly timeoutS: number
  readonly dendrite: Terminal
  readonly axon: Terminal
  /** As it came, or the hash of the values. */
  readonly bodyHash: string
}

/** Writes the whole object, its members in Python's order; what the axon has not answered yet is null. */
export const messageBody = ({ synapse, values, timeoutS, dendrite, axon }: SynapseMessage): PyDict => {
  const base: Readonly<Record<(typeof BASE_FIELDS)[number], PyValue>> = {
    name: synapse.name,
    timeout: timeoutS,
    total_size: 0n,
    header_size: 0n,
    dendrite: terminalBody(dendrite),
    axon: terminalBody(axon),
    computed_body_hash: '',
  }
  const own = [...synapse.request, ...synapse.response].map(
    ({ name, fallback }) => [name, values.get(name) ?? fallback ?? null] as const,
  )
  return new Map<string, PyValue>([...BASE_FIELDS.map((name) => [name, base[name]] as const), ...own])
}

/** Writes Bittensor's headers in Python's order, lower case as its readers demand; sizes are of the body in bytes. */
export const messageHeaders = (message: SynapseMessage, bodyBytes: number): readonly (readonly [string, string])[] => {
  const { synapse, values, timeoutS, dendrite, axon } = message
  const inputs = synapse.request.flatMap(({ name, fallback }) => {
    const zero = fallback === undefined ? zeroOf(values.get(name) ?? null) : null
    return zero === null ? [] : [[`bt_header_input_obj_${name}`, Buffer.from(zero).toString('base64')] as const]
  })
  return [
    ['name', synapse.name],
    ['timeout', pyFloat(timeoutS)],
    ...terminalHeaders('axon', axon),
    ...terminalHeaders('dendrite', dendrite),
    ...inputs,
    ['header_size', '0'],
    ['total_size', String(bodyBytes)],
    ['computed_body_hash', message.bodyHash],
  ]
}

/** Names of a terminal's members in Python's order, beside ours. */
const MEMBERS = [
  ['status_code', 'statusCode'],
  ['status_message', 'statusMessage'],
  ['process_time', 'processTime'],
  ['ip', 'ip'],
  ['port', 'port'],
  ['version', 'version'],
  ['nonce', 'nonce'],
  ['uuid', 'uuid'],
  ['hotkey', 'hotkey'],
  ['signature', 'signature'],
] as const

const terminalBody = (terminal: Terminal): PyDict =>
  new Map(
    MEMBERS.map(([name, member]) => {
      const value = terminal[member]
      return [name, typeof value === 'number' && member !== 'processTime' ? BigInt(value) : value]
    }),
  )

/** Writes what is said of one end as headers. */
export const terminalHeaders = (end: 'axon' | 'dendrite', terminal: Terminal): readonly (readonly [string, string])[] =>
  MEMBERS.flatMap(([name, member]) => {
    const value = terminal[member]
    if (value === null) return []
    return [[`bt_header_${end}_${name}`, member === 'processTime' ? pyFloat(Number(value)) : String(value)] as const]
  })

/** Writes the empty value of a value's type as JSON: from these an axon makes its object before it has the body. Null for None. */
const zeroOf = (value: PyValue): string | null => {
  if (value === null) return null
  if (typeof value === 'boolean') return 'false'
  if (typeof value === 'bigint') return '0'
  if (typeof value === 'number') return '0.0'
  if (typeof value !== 'object') return '""'
  if (value instanceof PyTuple || isList(value)) return '[]'
  return isDict(value) ? '{}' : '""'
}
