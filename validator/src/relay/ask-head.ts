import type { IncomingMessage } from 'node:http'
import { MAX_PATH_CHARS } from '@arbor/shared/dial/messages'
import { readOwnHeaders } from '@arbor/shared/protocol/headers'
import { SEALED_TYPE } from '@arbor/shared/protocol/limits'
import { readRequest } from '@arbor/shared/protocol/request'
import { encodeSs58 } from '@arbor/shared/ss58'
import type { Ms, Ss58 } from '@arbor/shared/units'
import type { AskerRefusal } from './refusal.ts'

/** What a relay reads of a question; the proof in it is the miner's to judge. */
export interface AskHead {
  readonly method: string
  readonly path: string
  readonly envelope: string
  readonly certificate: string | null
  readonly receiver: Ss58
  readonly timeoutMs: Ms
  readonly bodyLength: number
}

/** Reads to whom a question goes; whatever is not sealed, or not of a known length, is refused unread. */
export const readAskHead = (of: {
  readonly request: IncomingMessage
  /** Largest body. */
  readonly bodyBytes: number
}): { readonly ok: true; readonly head: AskHead } | { readonly ok: false; readonly code: AskerRefusal } => {
  const { rawHeaders, method = '', url = '' } = of.request
  if (url.length > MAX_PATH_CHARS) return refuse('RELAY_BAD_HTTP')
  const own = readOwnHeaders(rawHeaders)
  const read = readRequest(rawHeaders)
  if (!read.ok || own === null || own.envelope === null) return refuse('RELAY_ENVELOPE')
  const { fields, certificate, contentLength } = read.request
  if (fields.contentType !== SEALED_TYPE) return refuse('RELAY_UNSEALED')
  if (contentLength !== String(fields.bodyLength)) return refuse('RELAY_LENGTH')
  if (fields.bodyLength > of.bodyBytes) return refuse('RELAY_TOO_LARGE')
  const { timeoutMs, bodyLength } = fields
  const receiver = encodeSs58(fields.receiver)
  return {
    ok: true,
    head: { method, path: url, envelope: own.envelope, certificate, receiver, timeoutMs, bodyLength },
  }
}

const refuse = (code: AskerRefusal) => ({ ok: false, code }) as const
