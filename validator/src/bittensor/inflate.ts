import { promisify } from 'node:util'
import { gunzip, inflate as inflateZlib } from 'node:zlib'

/** A body as it was meant, or why there is none. */
export type Inflated =
  | { readonly ok: true; readonly body: Uint8Array }
  | { readonly ok: false; readonly reason: 'oversized' | 'malformed'; readonly why: string }

const decoders = { gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), deflate: promisify(inflateZlib) }

/** What a body may be packed with. */
export const ENCODINGS: readonly string[] = Object.keys(decoders)

/**
 * Unpacks a body up to a limit, so that a small one cannot become a large one.
 * @param of.encoding the answer's content-encoding, undefined for none; one encoding, never a chain of them
 * @param of.maxBytes size of the unpacked body
 */
export async function inflate(of: {
  readonly body: Uint8Array
  readonly encoding: string | undefined
  readonly maxBytes: number
}): Promise<Inflated> {
  const name = of.encoding?.trim().toLowerCase() ?? ''
  if (name === '' || name === 'identity') return { ok: true, body: of.body }
  const decode = Object.hasOwn(decoders, name) ? decoders[name as keyof typeof decoders] : undefined
  if (decode === undefined) return { ok: false, reason: 'malformed', why: 'a content-encoding that was not asked for' }
  try {
    return { ok: true, body: await decode(of.body, { maxOutputLength: of.maxBytes }) }
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
      ? { ok: false, reason: 'oversized', why: `more than ${of.maxBytes} bytes when unpacked` }
      : { ok: false, reason: 'malformed', why: `a body that is no ${name}` }
  }
}
