import { printable } from '@arbor/shared/printable'

/** Longest status message that is kept, in characters; a Python axon's 404 lists all its routes. */
const MAX_MESSAGE = 1_024

/** What an answer's head says in Bittensor's own headers; null where it says nothing. */
export interface AnswerHead {
  readonly statusCode: number | null
  readonly statusMessage: string | null
  readonly contentType: string
  readonly encoding: string | undefined
}

/** A head that cannot be read. */
export interface BadHead {
  readonly bad: string
}

/**
 * Reads the head of an answer. Names of Bittensor's headers count in lower case only, as in Python; of a repeated one the last counts.
 * Everything else that an axon says there, its hotkey above all, is a copy of what it was sent, or a claim that nobody signed: not read.
 * @param rawHeaders names and values in turn as they came, bytes as latin-1
 */
export function readHead(rawHeaders: readonly string[]): AnswerHead | BadHead {
  let statusCode: number | null = null
  let statusMessage: string | null = null
  let contentType = ''
  let encoding: string | undefined
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const value = rawHeaders[index + 1] ?? ''
    if (name === 'bt_header_axon_status_code') {
      statusCode = statusOf(value)
      if (statusCode === null) return { bad: 'a status code that is no number' }
    } else if (name === 'bt_header_axon_status_message') statusMessage = messageOf(asText(value))
    else if (name.toLowerCase() === 'content-type') contentType = value.trim().toLowerCase()
    else if (name.toLowerCase() === 'content-encoding')
      encoding = encoding === undefined ? value : `${encoding},${value}`
  }
  return { statusCode, statusMessage, contentType, encoding }
}

/** Reads a status as Python's int() would a sane one; null when it is none. */
export function statusOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 1_000_000 ? value : null
  if (typeof value === 'bigint') return statusOf(Number(value))
  return typeof value === 'string' && /^\s*[+-]?\d{1,6}\s*$/.test(value) ? Number(value) : null
}

/** Bounds a miner's words, and takes out what a terminal would obey. */
export const messageOf = (text: string): string =>
  printable(text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE - 1)}…` : text)

/** Tells whether a body may be read as JSON: application/json or application/…+json, in UTF-8. */
export function isJson(contentType: string): boolean {
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length)
  if (charset !== undefined && !/^"?(?:utf-?8|us-ascii|ascii)"?$/.test(charset)) return false
  return /^(?:application\/json|[\w.-]+\/[\w.+-]+?\+json)$/.test(type)
}

/** Tells whether a body comes as a stream of the task's own chunks. */
export const isStream = (contentType: string): boolean => contentType.split(';')[0]?.trim() === 'text/event-stream'

/** Header bytes are UTF-8 where they can be, else latin-1, which is what Python's axon writes. */
function asText(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return latin1
  }
}
