import { readFileSync } from 'node:fs'
import { parseJson } from '@arbor/shared/bittensor/json'
import { readSignature, verifyText } from '@arbor/shared/bittensor/signature'
import { type Synapse, synapseOf } from '@arbor/shared/bittensor/synapse'
import { isDict, type PyDict } from '@arbor/shared/bittensor/value'
import { createManualClock } from '@arbor/shared/manual-clock'
import { decodeSs58, ss58 } from '@arbor/shared/ss58'
import type { Block, NetUid } from '@arbor/shared/units'
import type { TaskDefinition } from '@arbor/subnet-spec/define'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readAnswer } from '../src/bittensor/answer.ts'
import { readHead } from '../src/bittensor/head.ts'
import { writeRequest } from '../src/bittensor/request.ts'
import type { Question, SpeakerContext } from '../src/dendrite/speaker.ts'

type Headers = readonly (readonly [string, string])[]

/** One exchange of Bittensor's own client with its own axon, as it went over the wire. */
interface Dump {
  readonly name: string
  readonly request: { readonly start_line: string; readonly headers: Headers; readonly body: string }
  readonly response: { readonly start_line: string; readonly headers: Headers; readonly body: string }
  readonly client_view?: {
    readonly dendrite: { readonly status_code: number; readonly status_message: string | null }
    readonly fields: Readonly<Record<string, unknown>>
  }
}

const { cases } = JSON.parse(
  readFileSync(new URL('../../test/vectors/wire/dumps_10.5.0.json', import.meta.url), 'utf8'),
) as { cases: readonly Dump[] }
const seen = cases.filter((dump) => dump.client_view !== undefined && dump.response.start_line !== '')

const x = z.object({ x: z.int() })
const none = z.object({})
const many = {
  ...{ s: z.string(), i: z.int(), f: z.number(), b: z.boolean(), l: z.array(z.int()) },
  ...{ d: z.record(z.string(), z.unknown()), o: z.string().nullable().default(null) },
}
const plain = (name: string) => ({ name, hashed: [], request: x, response: none })
const synapses: Readonly<Record<string, Synapse>> = Object.fromEntries(
  [
    { name: 'Synapse', hashed: [], request: none, response: none },
    {
      ...{ name: 'Echo', hashed: ['text', 'n'] },
      ...{ request: z.object({ text: z.string(), n: z.int() }), response: z.object({ reply: z.string().nullable() }) },
    },
    {
      ...{ name: 'Dummy', hashed: [], request: z.object({ dummy_input: z.int() }) },
      response: z.object({ dummy_output: z.int().nullable() }),
    },
    {
      ...{ name: 'Many', hashed: ['s', 'i', 'f', 'b', 'l', 'd', 'o'], request: z.object(many) },
      response: z.object({ out: z.record(z.string(), z.unknown()).nullable() }),
    },
    {
      ...{ name: 'StreamEcho', hashed: ['prompt'], stream: 'completion', request: z.object({ prompt: z.string() }) },
      response: z.object({ completion: z.string().default('') }),
    },
    ...['Slow', 'Boom', 'Black', 'Prio', 'Custom'].map(plain),
    { ...plain('Unknown'), request: z.object({ x: z.int().default(1) }) },
  ].map((options) => [options.name, synapseOf(options)]),
)

const synapseFor = (dump: Dump): Synapse => {
  const synapse = synapses[dump.request.start_line.split(' ')[1]?.slice(1) ?? '']
  if (synapse === undefined) throw new Error(`no synapse for ${dump.name}`)
  return synapse
}
const never = (): never => {
  throw new Error('nothing is planned, solved or scored here')
}
const unused: TaskDefinition = {
  ...{ request: none, response: none, deadlineMs: 1, maxRequestBytes: 1, maxResponseBytes: 1 },
  ...{ plan: never, solve: never, score: never },
}
const dictOf = (json: string): PyDict => {
  const read = parseJson(json)
  if (!read.ok || read.value === null || typeof read.value !== 'object' || !isDict(read.value)) throw new Error(json)
  return read.value
}
/** Sizes are numbers of CPython's memory; the others are the HTTP client's. */
const OWN = new Set(
  'header_size total_size bt_header_dendrite_ip host accept accept-encoding user-agent content-length content-type'.split(
    ' ',
  ),
)
const bittensors = (headers: Headers): Headers => headers.filter(([name]) => !OWN.has(name.toLowerCase()))

describe('a question', () => {
  const asked = cases.filter((dump) => dump.client_view !== undefined && dump.request.start_line !== '')
  it('has the cases', () => expect(asked.length).toBe(12))

  it.each(
    asked.map((dump) => [dump.name, dump] as const),
  )('has the headers and fields of Python’s: %s', async (_, dump) => {
    const header = (name: string): string => dump.request.headers.find(([own]) => own === name)?.[1] ?? ''
    const synapse = synapseFor(dump)
    const signature = readSignature(header('bt_header_dendrite_signature'))
    const own = ss58(header('bt_header_dendrite_hotkey'))
    let signed = ''
    const context = {
      sign: async (message) => {
        signed = Buffer.from(message).toString('utf8')
        return signature ?? new Uint8Array(64)
      },
      hotkey: { address: own, publicKey: decodeSs58(own) },
      netuid: 1 as NetUid,
      genesisHash: `0x${'00'.repeat(32)}` as const,
      clock: createManualClock(),
      randomBytes: (length) => new Uint8Array(length),
      log: { debug: () => {}, warn: () => {} },
      send: () => Promise.reject(new Error('nothing is sent here')),
    } satisfies SpeakerContext
    const question = {
      task: dump.name,
      hotkey: ss58(header('bt_header_axon_hotkey')),
      registeredAt: 0 as Block,
      address: { ip: header('bt_header_axon_ip'), port: Number(header('bt_header_axon_port')) },
      isOwn: false,
      version: 10_005_000,
      body: Buffer.from(dump.request.body), // what is no field of the request is passed over
      deadlineMs: Number(header('timeout')) * 1_000,
      maxResponseBytes: 1_000,
      definition: unused,
    } satisfies Question
    const nonce = BigInt(header('bt_header_dendrite_nonce'))
    const outgoing = await writeRequest({ question, synapse, context, uuid: header('bt_header_dendrite_uuid'), nonce })
    expect(bittensors(Object.entries(outgoing.headers))).toEqual(bittensors(dump.request.headers))
    expect(Object.keys(outgoing.headers).filter((name) => name.startsWith('bt_header_dendrite_ip'))).toHaveLength(1)
    expect(`POST ${outgoing.path} HTTP/1.1`).toBe(dump.request.start_line)
    expect(signature !== null && verifyText(context.hotkey.publicKey, signed, signature)).toBe(true)
    const [ours, python] = [dictOf(Buffer.from(outgoing.body).toString('utf8')), dictOf(dump.request.body)]
    expect([...ours]).toEqual([...ours.keys()].map((name) => [name, python.get(name)]))
    expect([...ours.keys()]).toEqual(['name', ...synapse.request.map(({ name }) => name)])
  })
})

describe('an answer', () => {
  it('has the cases', () => expect(seen.length).toBe(11))

  it.each(seen.map((dump) => [dump.name, dump] as const))('is read as Python’s client reads it: %s', (_, dump) => {
    const synapse = synapseFor(dump)
    const head = readHead(dump.response.headers.flat())
    if ('bad' in head) throw new Error(head.bad)
    const body = head.contentType === 'text/event-stream' ? unchunked(dump.response.body) : dump.response.body
    const httpStatus = Number(dump.response.start_line.split(' ')[1])
    const reading = readAnswer({ synapse, head, httpStatus, body: Buffer.from(body) })
    if (!reading.ok) throw new Error(reading.why)
    const view = dump.client_view
    expect(reading.read).toMatchObject({
      statusCode: view?.dendrite.status_code,
      statusMessage: view?.dendrite.status_message,
    })
    expect(reading.read.fault === null).toBe(view?.dendrite.status_code === 200)
    const response = reading.read.response === null ? {} : JSON.parse(Buffer.from(reading.read.response).toString())
    const names = Object.keys(response)
    expect(names).toEqual(httpStatus === 200 ? synapse.response.map(({ name }) => name) : [])
    expect(response).toEqual(Object.fromEntries(names.map((name) => [name, view?.fields[name]])))
  })
})

/** Joins the chunks of a body in transfer-encoding chunked; those of the dump are ASCII. */
function unchunked(body: string): string {
  let [joined, at] = ['', 0]
  for (;;) {
    const end = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.slice(at, end), 16)
    if (size === 0) return joined
    joined += body.slice(end + 2, end + 2 + size)
    at = end + 2 + size + 2
  }
}
