import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { createManualClock } from '@arbor/shared/manual-clock'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ArborAxon, startArborAxon } from './support/arbor-axon.ts'

/** One exchange with Bittensor's axon, as it went over the wire. */
interface Dump {
  readonly name: string
  readonly request: {
    readonly start_line?: string
    readonly headers: readonly (readonly [string, string])[]
    readonly body: string
  }
  readonly response: {
    readonly start_line?: string
    readonly headers: readonly (readonly [string, string])[]
    readonly body: string
  }
}

const { cases } = JSON.parse(await readFile(new URL('../vectors/wire/dumps_10.5.0.json', import.meta.url), 'utf8')) as {
  cases: readonly Dump[]
}

/** Where ours answers otherwise than Python: the rule in docs/bittensor.md, and what it answers. */
const otherwise: Readonly<Record<string, { readonly rule: string; readonly status: number; readonly says: RegExp }>> = {
  wrong_receiver_hotkey: { rule: 'no-echo', status: 401, says: /^Not Verified with error: Signature mismatch$/ },
  raw_bad_signature: { rule: 'no-echo', status: 401, says: /^Not Verified with error: Signature mismatch$/ },
  raw_bad_hotkey: { rule: 'no-echo', status: 401, says: /^Not Verified with error: Invalid SS58 address$/ },
  unknown_synapse: { rule: 'no-list', status: 404, says: /^Synapse name 'Unknown' not found\.$/ },
  raw_lowercase_path: { rule: 'no-list', status: 404, says: /^Synapse name 'echo' not found\.$/ },
  raw_root: { rule: 'no-list', status: 404, says: /^$/ },
  raw_docs: { rule: 'no-list', status: 404, says: /^$/ },
  raw_openapi: { rule: 'no-list', status: 404, says: /^$/ },
  raw_no_version: { rule: 'new-versions', status: 401, says: /Version is too old/ },
  raw_old_version: { rule: 'new-versions', status: 401, says: /Version is too old/ },
  raw_nonce_17s_old_timeout1000: { rule: 'timeout-cap', status: 200, says: /^$/ },
  raw_nonce_future: { rule: 'no-future', status: 401, says: /Nonce is too new/ },
  raw_replay_3_lower: { rule: 'any-order', status: 200, says: /^$/ },
  raw_old_after_seen_2: {
    rule: 'always-aged',
    status: 401,
    says: /Nonce is too old: acceptable delta is 4\.50 seconds/,
  },
  client_timeout: { rule: 'deadline', status: 408, says: /^Response timeout after: 1\.0s$/ },
  raw_body_bad_json: { rule: 'no-echo', status: 422, says: /^$/ },
  raw_large_header_60k: { rule: 'bounds', status: 400, says: /^$/ },
  raw_large_header_70k: { rule: 'bounds', status: 400, says: /^$/ },
  raw_body_full_synapse_tampered_axon: { rule: 'own-identity', status: 200, says: /^$/ },
}

/** Nothing listened, so that nothing was sent. */
const unsent = ['connection_refused']
const replayed = cases.filter(({ name }) => !unsent.includes(name))

/** The dump shortens long texts; what was sent is known from its length, and its hash was signed. */
const bodyOf = ({ name, request }: Dump): Buffer =>
  Buffer.from(name === 'raw_big_body_3mb' ? `{"text": "${'x'.repeat(3 * 1_048_576)}", "n": 1}` : request.body)
const headersOf = ({ name, request }: Dump): readonly (readonly [string, string])[] => {
  const size = { raw_large_header_60k: 60_000, raw_large_header_70k: 70_000 }[name]
  return request.headers.map(([key, value]) => (key === 'x-junk' ? [key, 'a'.repeat(size ?? 0)] : [key, value]))
}

const statusOf = (startLine: string | undefined): number => Number(startLine?.split(' ')[1])
/** When a request came, by the clock of the axon that was dumped: its date, or its nonce where that is later. */
const timeOf = ({ request, response }: Dump): number => {
  const nonce = Number(request.headers.find(([name]) => name === 'bt_header_dendrite_nonce')?.[1] ?? 0) / 1_000_000
  const date = Date.parse(response.headers.find(([name]) => name === 'date')?.[1] ?? '')
  return nonce > date && nonce < date + 1_000 ? nonce : date
}

describe("the requests of dumps_10.5.0.json, at their own time, at Arbor's axon", () => {
  const clock = createManualClock(timeOf(cases[0] as Dump))
  let axon: ArborAxon

  beforeAll(async () => {
    axon = await startArborAxon({ port: 0, uri: '//Bob', clock })
  })
  afterAll(() => axon?.close())

  it('are all there, with every exception', () => {
    expect(cases).toHaveLength(60)
    expect(replayed).toHaveLength(59)
    expect(Object.keys(otherwise).filter((name) => !replayed.some((dump) => dump.name === name))).toEqual([])
  })

  it('differ by documented rules only', async () => {
    const doc = await readFile(new URL('../../docs/bittensor.md', import.meta.url), 'utf8')
    expect(Object.values(otherwise).filter(({ rule }) => !doc.includes(`| ${rule} |`))).toEqual([])
  })

  it.each(replayed.map((dump) => [dump.name, dump] as const))('%s', async (name, dump) => {
    const at = timeOf(dump)
    if (at > clock.now()) await clock.advance(Math.ceil(at - clock.now()))
    const answering = exchange(axon.port, dump)
    if (name === 'client_timeout') {
      while (clock.sleeping() === 0) await new Promise((resolve) => setImmediate(resolve))
      await clock.advance(1_500)
    }
    const answer = await answering
    const other = otherwise[name]
    expect(answer.status).toBe(other?.status ?? statusOf(dump.response.start_line))
    if (other !== undefined) {
      if (other.status !== 200) expect(messageOf(answer.body)).toMatch(other.says)
      else if (name !== 'raw_body_full_synapse_tampered_axon')
        expect(ownOf(answer.body)).toMatchObject({ reply: 'a|1' })
      return
    }
    if (name === 'stream_ok') {
      expect(answer.body.toString()).toBe('alpha beta gamma END')
      expect(answer.names.find((header) => header !== 'date')).toBe('content-type')
    } else if (name === 'raw_big_body_3mb') {
      expect(ownOf(answer.body)).toMatchObject({ reply: `${'x'.repeat(3 * 1_048_576)}|1` })
    } else if (answer.status === 200 || answer.status === 418) sameSynapse(answer.body, dump)
    else if (answer.status === 405 || name === 'raw_trailing_path')
      expect(answer.body.toString()).toBe(dump.response.body)
    else if (answer.status === 307) expect(answer.headers.get('location')).toBe('/Echo')
    else expect(mask(messageOf(answer.body))).toBe(mask(messageOf(Buffer.from(dump.response.body))))
    if (answer.status === 200) sameHeaders(answer, dump)
  })

  it('raw_body_full_synapse_tampered_axon answers whom the signature names, not whom the body does', async () => {
    const dump = cases.find(({ name }) => name === 'raw_body_full_synapse_tampered_axon') as Dump
    const later = { ...dump, request: { ...dump.request } }
    const answer = await exchange(axon.port, later)
    expect(answer.body.toString()).not.toContain('evil')
  })
})

/** Members that depend on the moment, on CPython's memory, or that Python copies from the unsigned body. */
const LOOSE = ['total_size', 'header_size', 'dendrite', 'axon', 'timeout', 'computed_body_hash']

const sameSynapse = (body: Buffer, dump: Dump): void => {
  const [ours, theirs] = [objectOf(body), objectOf(Buffer.from(dump.response.body))]
  expect(Object.keys(ours)).toEqual(Object.keys(theirs))
  for (const end of ['dendrite', 'axon'])
    expect(Object.keys(ours[end] as object)).toEqual(Object.keys(theirs[end] as object))
  expect(ownOf(body)).toEqual(ownOf(Buffer.from(dump.response.body)))
  const status = ({ axon }: Record<string, unknown>) => {
    const { status_code, status_message } = axon as Record<string, unknown>
    return { status_code, status_message }
  }
  expect(status(ours)).toEqual(status(theirs))
}

/** Headers that Python names after the unsigned body; ours after the signed headers. */
const sameHeaders = ({ headers }: Exchange, dump: Dump): void => {
  const loose =
    /^(?:date|server|connection|keep-alive|transfer-encoding|content-length|header_size|total_size|.*_process_time)$/i
  for (const [name, value] of dump.response.headers)
    if (!loose.test(name)) expect([name, headers.get(name)]).toEqual([name, value])
}

const objectOf = (body: Buffer): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>
const ownOf = (body: Buffer): Record<string, unknown> =>
  Object.fromEntries(Object.entries(objectOf(body)).filter(([name]) => !LOOSE.includes(name)))
const messageOf = (body: Buffer): string => {
  const message = body[0] === 0x7b ? objectOf(body).message : ''
  return typeof message === 'string' ? message : ''
}
/** Numbers of errors and parts of seconds differ from run to run. */
const mask = (message: string): string =>
  message.replace(/#[0-9a-f-]{36}/, '#').replace(/was \d+\.\d\d seconds/, 'was … seconds')

interface Exchange {
  readonly status: number
  readonly names: readonly string[]
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** Sends the dump's bytes over a socket of its own and reads until the server closes it. */
const exchange = async (port: number, dump: Dump): Promise<Exchange> => {
  const socket = connect({ port, host: '127.0.0.1' })
  const body = bodyOf(dump)
  const kept = headersOf(dump).filter(([name]) => !/^(?:connection|content-length)$/i.test(name))
  const head = [...kept, ['connection', 'close'], ['content-length', String(body.length)]]
  socket.write(`${dump.request.start_line}\r\n${head.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n`)
  socket.write(body)
  const chunks: Buffer[] = []
  socket.on('error', () => undefined) // a refused body may break the connection after the answer
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return readAnswer(Buffer.concat(chunks))
}

const readAnswer = (bytes: Buffer): Exchange => {
  const end = bytes.indexOf('\r\n\r\n')
  const [startLine, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers = lines.map(
    (line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const,
  )
  const map = new Map(headers)
  const raw = bytes.subarray(end + 4)
  const body =
    map.get('transfer-encoding') === 'chunked' || map.get('Transfer-Encoding') === 'chunked' ? unchunk(raw) : raw
  return { status: statusOf(startLine), names: headers.map(([name]) => name), headers: map, body }
}

const unchunk = (bytes: Buffer): Buffer => {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, line).toString(), 16)
    if (size === 0) return Buffer.concat(parts)
    parts.push(bytes.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
