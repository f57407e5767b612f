import { hash } from 'node:crypto'
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { guardedLookup, refusalOfUrl } from '@arbor/chain/guarded-dial'
import { blobName } from '@arbor/shared/blob'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import { Agent, request } from 'undici'
import { DEFAULT_PACE, type Pace, watchPace } from '../pace.ts'
import { mismatch, unavailable } from '../pieces.ts'
import type { BlobSource } from '../types.ts'
import { onceEach } from './once-each.ts'

/**
 * Fetches files over HTTP, from a folder of files by name (a validator's `/blobs/`) or one file's own address. A transfer goes on at the
 * byte where the one before ended, in this process or an earlier one. No redirect is followed, nothing is decompressed, no byte beyond
 * the length is taken, and addresses that are not of the public internet are dialled only where that is allowed.
 */
export function httpSource(of: {
  /** A folder when it ends with a slash; else the file itself. */
  readonly url: string
  readonly privateAllowed: boolean
  readonly clock: Clock
  /** Folder of what was begun. */
  readonly partials: string
  readonly pace?: Pace
}): BlobSource {
  const { url: given, privateAllowed, clock, partials, pace = DEFAULT_PACE } = of
  return onceEach(async ({ name, bytes, signal }) => {
    const url = urlOf(given, name, privateAllowed)
    const shown = `${url.origin}${url.pathname}`
    const refuse = (why: string): Error => unavailable(name, `${shown} is not asked: ${why}`)
    using part = openTail({ folder: partials, name, url, bytes })
    const connect = { timeout: pace.windowMs, lookup: guardedLookup(privateAllowed, refuse) }
    const agent = new Agent({ connections: 1, connect, headersTimeout: pace.windowMs, bodyTimeout: 0 })
    const slow = (came: number): Error =>
      unavailable(name, `${shown} sent ${came} bytes in ${pace.windowMs} ms, which is too slow`)
    using watched = watchPace({ clock, pace, parent: signal, reason: slow })
    try {
      if (part.length() < bytes) await transfer({ name, bytes, url, shown, part, agent, watched })
      return part.finish()
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof SubnetError) throw error
      if (watched.signal.aborted) throw watched.signal.reason
      throw unavailable(name, `${shown} gave no whole answer: ${textOf(error)}`, error)
    } finally {
      await agent.destroy()
    }
  })
}

const textOf = (error: unknown): string => {
  const inner = error instanceof Error && error.cause instanceof SubnetError ? error.cause : error
  return inner instanceof Error ? inner.message : String(inner)
}

/** @throws BLOB_UNAVAILABLE where nothing may be asked */
function urlOf(given: string, name: Hex, privateAllowed: boolean): URL {
  const text = given.endsWith('/') ? `${given}${name}` : given
  const url = URL.canParse(text) ? new URL(text) : null
  const why = url === null ? 'it is no address' : refusalOfUrl(url, privateAllowed)
  if (url === null || why !== null)
    throw unavailable(name, `"${given.split('?')[0]?.slice(0, 120)}" is not asked: ${why}`)
  return url
}

/** Takes what is left of a file. @throws BLOB_UNAVAILABLE, BLOB_MISMATCH */
async function transfer(of: {
  readonly name: Hex
  readonly bytes: number
  readonly url: URL
  readonly shown: string
  readonly part: Tail
  readonly agent: Agent
  readonly watched: { readonly signal: AbortSignal; count(bytes: number): void }
}): Promise<void> {
  const { name, bytes, url, shown, part, agent, watched } = of
  const from = part.length()
  const headers = { range: `bytes=${from}-${bytes - 1}`, 'accept-encoding': 'identity' }
  const answer = await request(url, { dispatcher: agent, signal: watched.signal, headers })
  const { statusCode: status, body } = answer
  if (status !== 200 && status !== 206) {
    discard(body)
    throw unavailable(name, `${shown} answered with status ${status}`)
  }
  const total = status === 200 ? lengthOf(answer.headers['content-length']) : totalOf(answer.headers['content-range'])
  if (total !== null && total !== bytes) {
    discard(body)
    throw part.refuse(`${shown} has ${total} bytes, and not ${bytes}`)
  }
  if (status === 200) part.restart()
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    watched.count(chunk.length)
    if (part.length() + chunk.length > bytes) throw part.refuse(`${shown} sends more than ${bytes} bytes`)
    part.append(chunk)
  }
  if (part.length() < bytes) throw unavailable(name, `${shown} ended after ${part.length()} of ${bytes} bytes`)
}

/** Ends an answer that nobody reads; that it ended early is no news. */
const discard = (body: Readable): void => {
  body.on('error', () => undefined)
  body.destroy()
}

const lengthOf = (header: string | string[] | undefined): number | null =>
  typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : null

const totalOf = (header: string | string[] | undefined): number | null =>
  typeof header === 'string' ? lengthOf(header.split('/')[1]) : null

/** The beginning of a file that one address gave; it outlives the process. */
interface Tail extends Disposable {
  length(): number
  append(bytes: Uint8Array): void
  restart(): void
  /** Forgets what came, and makes the error that says why. */
  refuse(why: string): SubnetError
  /** @throws BLOB_MISMATCH */
  finish(): Uint8Array
}

function openTail(of: {
  readonly folder: string
  readonly name: Hex
  readonly url: URL
  readonly bytes: number
}): Tail {
  const { folder, name, bytes } = of
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const whence = hash('sha256', of.url.href).slice(0, 16)
  const path = join(folder, `${name.slice(2).toLowerCase()}-${whence}.tail`)
  const handle = openSync(path, 'a', 0o600)
  let length = fstatSync(handle).size
  let isOpen = true
  const close = (): void => {
    if (isOpen) closeSync(handle)
    isOpen = false
  }
  const restart = (): void => {
    ftruncateSync(handle, 0)
    length = 0
  }
  if (length > bytes) restart()
  const forget = (): void => {
    close()
    rmSync(path, { force: true })
  }
  return {
    length: () => length,
    restart,
    append: (chunk) => {
      for (let done = 0; done < chunk.length; ) done += writeSync(handle, chunk, done)
      length += chunk.length
    },
    refuse: (why) => {
      forget()
      return mismatch(name, why)
    },
    finish: () => {
      close()
      const file = readFileSync(path)
      forget()
      if (file.length === bytes && blobName(file) === name.toLowerCase()) return file
      throw mismatch(name, `${of.url.origin}${of.url.pathname} gave a file of another name`)
    },
    [Symbol.dispose]: close,
  }
}
