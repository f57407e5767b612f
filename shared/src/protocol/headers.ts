import { CERTIFICATE_HEADER, ENVELOPE_HEADER, MAX_HEADER_LENGTH } from './limits.ts'

const PREFIX = 'arbor-'

/** Our headers of a message, and its announced length. */
export interface OwnHeaders {
  readonly envelope: string | null
  readonly certificate: string | null
  /** Null when it is absent or repeated, or when the body is chunked. */
  readonly contentLength: string | null
}

/**
 * Collects our headers; null when one is unknown, repeated, empty or oversized: a header that no proof covers may decide nothing.
 * @param rawHeaders names and values in turn, as the socket brought them
 */
export const readOwnHeaders = (rawHeaders: readonly string[]): OwnHeaders | null => {
  let envelope: string | null = null
  let certificate: string | null = null
  const lengths: (string | null)[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    const value = rawHeaders[index + 1] ?? ''
    if (name === 'content-length') lengths.push(value)
    else if (name === 'transfer-encoding') lengths.push(null)
    if (!name.startsWith(PREFIX)) continue
    if (value.length === 0 || value.length > MAX_HEADER_LENGTH) return null
    if (name === ENVELOPE_HEADER && envelope === null) envelope = value
    else if (name === CERTIFICATE_HEADER && certificate === null) certificate = value
    else return null
  }
  return { envelope, certificate, contentLength: lengths.length === 1 ? (lengths[0] ?? null) : null }
}
