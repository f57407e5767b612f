import { createReadStream, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { pipeline } from 'node:stream'
import type { Clock } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'
import type { ServeLimits } from './limits.ts'

/** A file that is served. */
export interface ServedFile {
  readonly path: string
  readonly bytes: number
}

/** Finds a file that everybody may have by its name, 64 lower-case hexadecimal digits; null where there is none. */
export type FindFile = (name: string) => ServedFile | null

/** Serves the updates that were accepted, and the checkpoints, that lie in a validator's folder; states of miners never are. */
export const publicFiles = ({ db, folder }: { readonly db: DatabaseSync; readonly folder: string }): FindFile => {
  const known = db.prepare('SELECT bytes FROM training_files WHERE name = ?')
  return (name) => {
    const row = known.get(`0x${name}`)
    if (row === undefined) return null
    const path = join(folder, name)
    const found = statSync(path, { throwIfNoEntry: false })
    return found?.isFile() === true && found.size === Number(row.bytes) ? { path, bytes: found.size } : null
  }
}

/** Bytes of a file that a request asks for; `all` where it asks for no part, `none` where it has no such part. */
export type ByteRange = { readonly from: number; readonly to: number } | 'all' | 'none'

/**
 * Reads a header of one range. What is no range, and several at once, ask for all.
 * @source RFC 9110 §14.1.2, §14.2
 */
export const rangeOf = (header: string | undefined, bytes: number): ByteRange => {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? []
  if (first === '' && last === '') return 'all'
  if (first === '') {
    const length = Math.min(Number(last), bytes)
    return length === 0 ? 'none' : { from: bytes - length, to: bytes - 1 }
  }
  const from = Number(first)
  if (last !== '' && Number(last) < from) return 'all'
  return from >= bytes ? 'none' : { from, to: last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1) }
}

/**
 * Makes what sends files. What is read too slowly is cut off, and goes on by a range.
 * @returns false where too many are being sent already
 */
export const createFileSender = (of: {
  readonly limits: Pick<ServeLimits, 'answerMs' | 'transfers'>
  readonly clock: Clock
}): ((request: IncomingMessage, response: ServerResponse, file: ServedFile & { readonly name: string }) => boolean) => {
  const { limits, clock } = of
  let sending = 0
  return (request, response, { name, path, bytes }) => {
    if (sending >= limits.transfers) return false
    const range = rangeOf(request.headers.range, bytes)
    const tag = `"${name}"`
    const always = {
      etag: tag,
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    }
    response.sendDate = false
    if (request.headers['if-none-match'] === tag) {
      response.writeHead(304, always).end()
      return true
    }
    if (range === 'none') {
      response.writeHead(416, { ...always, 'content-range': `bytes */${bytes}`, 'content-length': 0 }).end()
      return true
    }
    const { from, to } = range === 'all' ? { from: 0, to: bytes - 1 } : range
    response.writeHead(range === 'all' ? 200 : 206, {
      ...always,
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'application/octet-stream',
      'content-length': to - from + 1,
      ...(range === 'all' ? {} : { 'content-range': `bytes ${from}-${to}/${bytes}` }),
    })
    sending += 1
    const done = new AbortController()
    clock.sleep(limits.answerMs as Ms, done.signal).then(
      () => request.socket.destroy(),
      () => undefined,
    )
    pipeline(createReadStream(path, { start: from, end: to }), response, () => {
      sending -= 1
      done.abort()
    })
    return true
  }
}
