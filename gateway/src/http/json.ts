import { type ApiError, invalidRequest } from '../openai/errors.ts'
import type { Read } from '../openai/read.ts'

/** Reads a body as JSON. Bytes that are no UTF-8 are refused rather than replaced: they would be another prompt. */
export const readJson = (body: Uint8Array): Read<unknown> => {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return { ok: false, error: unreadable('it is not valid UTF-8') }
  }
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    return { ok: false, error: unreadable('it is not valid JSON') }
  }
}

const unreadable = (why: string): ApiError =>
  invalidRequest({ message: `We could not parse the body of your request: ${why}.` })
