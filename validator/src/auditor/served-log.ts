import { SubnetError } from '@arbor/shared/errors'
import { fromHex, isHex } from '@arbor/shared/hex'
import { peaksFromInclusion, peaksOf } from '@arbor/shared/merkle'
import { readHead, type SignedHead } from '@arbor/shared/tree-head'
import type { Block, Hex } from '@arbor/shared/units'
import { z } from 'zod'
import type { LogHttp } from './http.ts'

/** A stretch of entries as they came, from `from` on; an entry that the server pruned is null. */
export interface LogPage {
  readonly from: number
  readonly entries: readonly (string | null)[]
}

/** A validator's log as some server gives it: nothing that comes is true before it was proven. */
export interface ServedLog {
  readonly url: string
  readonly bytes: number
  head(signal: AbortSignal): Promise<SignedHead>
  /** Entries from a position on, or from the newest `terms` entry before a block on that has all that later rows need. */
  page(where: { readonly from: number } | { readonly state: Block }, signal: AbortSignal): Promise<LogPage>
  /** Roots of the perfect subtrees over the first `size` entries, largest first; null when they cannot be those. */
  peaks(size: number, signal: AbortSignal): Promise<readonly Uint8Array[] | null>
  inclusion(of: { readonly index: number; readonly size: number }, signal: AbortSignal): Promise<readonly Uint8Array[]>
  consistency(of: { readonly from: number; readonly to: number }, signal: AbortSignal): Promise<readonly Uint8Array[]>
  /** The body of a planned question's answer, as its receipt file has it. */
  body(id: string, signal: AbortSignal): Promise<string>
}

/** Entries that are asked for at once. */
const PAGE = 1_000
/** A proof in a tree of 2⁵³ leaves has fewer. */
const MOST_STEPS = 128

const count = z.int().min(0)
const hashHex = z.string().refine((text): text is Hex => isHex(text, 32), 'is no hash')
const pageSchema = z.looseObject({
  from: count,
  entries: z.array(z.union([z.string(), z.looseObject({ leaf: hashHex })])).max(PAGE),
})
const proofSchema = z.looseObject({ proof: z.array(hashHex).max(MOST_STEPS) })
const headSchema = z.looseObject({ head: z.unknown() })

/** Reads a log's pages and proofs. Every method throws AUDIT_HTTP and others of `LogHttp.get`, and AUDIT_ANSWER for what is none. */
export function openServedLog(http: LogHttp): ServedLog {
  const ask = async <T extends z.ZodType>(path: string, schema: T, signal: AbortSignal): Promise<z.output<T>> => {
    const text = await http.get(path, signal)
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch (cause) {
      throw noAnswer(http.url, path, 'it is no JSON', cause)
    }
    const read = schema.safeParse(json)
    if (read.success) return read.data
    const issue = read.error.issues[0]
    throw noAnswer(http.url, path, `its ${issue?.path.join('.') || 'whole'} ${issue?.message ?? 'is wrong'}`)
  }
  const proof = async (path: string, signal: AbortSignal): Promise<readonly Uint8Array[]> =>
    (await ask(path, proofSchema, signal)).proof.map((step) => fromHex(step, 32))
  const inclusion: ServedLog['inclusion'] = ({ index, size }, signal) =>
    proof(`proof?index=${index}&size=${size}`, signal)
  return {
    url: http.url,
    get bytes() {
      return http.bytes
    },
    head: async (signal) => readHead((await ask('head', headSchema, signal)).head),
    page: async (where, signal) => {
      const start = 'from' in where ? `from=${where.from}` : `state=${where.state}`
      const { from, entries } = await ask(`receipts?${start}&count=${PAGE}`, pageSchema, signal)
      return { from, entries: entries.map((entry) => (typeof entry === 'string' ? entry : null)) }
    },
    peaks: async (size, signal) => {
      if (size === 0) return []
      const peaks = peaksFromInclusion(await inclusion({ index: size, size: size + 1 }, signal))
      return peaks.length === peaksOf(size).length ? peaks : null
    },
    inclusion,
    consistency: ({ from, to }, signal) =>
      from === 0 || from === to ? Promise.resolve([]) : proof(`proof?from=${from}&to=${to}`, signal),
    body: (id, signal) => http.get(`bodies/${id}`, signal),
  }
}

const noAnswer = (url: string, path: string, why: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'AUDIT_ANSWER',
    message: `${url}${path} answered what no validator's log answers: ${why}; name the log's own place with --url`,
    cause,
  })
