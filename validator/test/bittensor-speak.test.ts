import { SubnetError } from '@arbor/shared/errors'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Block, NetUid, Ss58 } from '@arbor/shared/units'
import type { TaskDefinition } from '@arbor/subnet-spec/define'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createBittensorSpeaker } from '../src/bittensor/speak.ts'
import type { HttpFailure, HttpReply, HttpRequest } from '../src/dendrite/http.ts'
import type { Question, SpeakerContext } from '../src/dendrite/speaker.ts'

const never = (): never => {
  throw new Error('nothing is planned, solved or scored here')
}
const definition = (over: Partial<TaskDefinition> = {}): TaskDefinition => ({
  ...{ deadlineMs: 1_500, maxRequestBytes: 1_000, maxResponseBytes: 1_000, plan: never, solve: never, score: never },
  synapse: { name: 'Echo', hashed: ['text'] },
  request: z.object({ text: z.string() }),
  response: z.object({ reply: z.string().optional(), more: z.string().nullable().optional() }),
  ...over,
})
const question = (over: Partial<Question> = {}): Question => ({
  task: 'echo',
  hotkey: '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty' as Ss58,
  registeredAt: 1 as Block,
  address: { ip: '192.0.2.1', port: 8091 },
  isOwn: false,
  version: 10_005_000,
  body: Buffer.from('{"text":"oak"}'),
  deadlineMs: 1_500,
  maxResponseBytes: 1_000,
  definition: definition(),
  ...over,
})
const timing = { connectMs: 1, firstByteMs: 2, totalMs: 3, lagMs: 0 }
const failure: HttpFailure = { ok: false, reason: 'early-close', why: 'gone', timing, stale: false }

/** Answers as a socket would: the head, then the body in pieces. */
const says =
  (body: string, { lagMs = 0 } = {}) =>
  (request: HttpRequest): HttpReply => {
    const head = { status: 200, headers: { 'content-length': '1' }, rawHeaders: ['content-type', 'application/json'] }
    const rawHeaders = [...head.rawHeaders, 'bt_header_axon_status_code', '200']
    expect(request.onHead?.({ ...head, rawHeaders })).toBeNull()
    for (const byte of Buffer.from(body)) expect(request.onChunk?.(Buffer.of(byte))).toBeNull()
    return { ok: true, ...head, rawHeaders, body: new Uint8Array(0), timing: { ...timing, lagMs } }
  }

const open = (reply: (request: HttpRequest) => HttpReply) => {
  const clock = createManualClock()
  const sent: HttpRequest[] = []
  const warned: string[] = []
  const context: SpeakerContext = {
    send: async (request) => {
      sent.push(request)
      return reply(request)
    },
    sign: async () => new Uint8Array(64).fill(7),
    hotkey: { address: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY' as Ss58, publicKey: new Uint8Array(32) },
    netuid: 1 as NetUid,
    genesisHash: `0x${'00'.repeat(32)}` as const,
    clock,
    randomBytes: (length) => new Uint8Array(length),
    log: { debug: () => {}, warn: (_, text) => void warned.push(text) },
  }
  const speak = createBittensorSpeaker({ clock, randomBytes: (length) => new Uint8Array(length).fill(sent.length) })
  const signal = new AbortController().signal
  return {
    sent,
    warned,
    ask: (over: Partial<Question> = {}, own = context) => speak(question(over), own, signal),
    context,
  }
}

describe('the speaker for Python axons', () => {
  it('bounds an answer by the task, the question sent back, and what a synapse has', async () => {
    const { ask, sent } = open(says('{"text":"oak","reply":"elm"}'))
    await ask()
    expect(sent[0]).toMatchObject({ path: '/Echo', timeoutMs: 1_500, maxBytes: 1_000 + 2 * 28 + 16_384 })
    expect(Buffer.from(sent[0]?.body ?? []).toString()).toBe('{"name":"Echo","text":"oak"}')
    expect(sent[0]?.headers).toMatchObject({ timeout: '1.5', 'accept-encoding': 'gzip, deflate' })
  })

  it('takes None for a field that is not there where the schema has no null', async () => {
    const answer = await open(says('{"text":"oak","reply":null,"more":null}')).ask()
    expect(answer).toMatchObject({ kind: 'answered', signed: false })
    expect(answer.kind === 'answered' && Buffer.from(answer.body).toString()).toBe('{}')
  })

  it('keeps null where the schema has it', async () => {
    const response = z.object({ reply: z.string().nullable() })
    const answer = await open(says('{"text":"oak","reply":null}')).ask({ definition: definition({ response }) })
    expect(answer.kind === 'answered' && Buffer.from(answer.body).toString()).toBe('{"reply":null}')
  })

  it('refuses a response that its schema refuses though its types fit', async () => {
    const response = z.object({ reply: z.string().max(2) })
    const answer = await open(says('{"text":"oak","reply":"elm"}')).ask({ definition: definition({ response }) })
    expect(answer).toMatchObject({ kind: 'fault', reason: 'schema' })
  })

  it('marks timings that its own lag made worthless', async () => {
    expect(await open(says('{"text":"oak"}', { lagMs: 25 })).ask()).toMatchObject({ timing: { lagged: true } })
    expect(await open(says('{"text":"oak"}', { lagMs: 5 })).ask()).toMatchObject({ timing: { lagged: false } })
  })

  it('says when a connection was stale, so that the question is put again, under another nonce', async () => {
    const { ask, sent } = open(() => ({ ...failure, stale: true }))
    expect(await ask()).toEqual({ kind: 'fault', reason: 'early-close', why: 'gone', timing, stale: true })
    await ask()
    const [first, second] = sent.map(({ headers }) => headers)
    expect(second?.['bt_header_dendrite_uuid']).toBe(first?.['bt_header_dendrite_uuid'])
    expect(BigInt(second?.['bt_header_dendrite_nonce'] ?? 0)).toBe(
      BigInt(first?.['bt_header_dendrite_nonce'] ?? 0) + 1n,
    )
  })

  it('gives no verdict for what this machine ran out of, or what its signer refused', async () => {
    const sockets = open(() => ({ ...failure, reason: 'sockets', why: 'EMFILE' }))
    expect(await sockets.ask()).toEqual({ kind: 'ours', reason: 'sockets', why: 'EMFILE' })
    const { ask, context, sent } = open(says('{}'))
    const sign = () => Promise.reject(new SubnetError({ code: 'SIGNER_REFUSED', message: 'no' }))
    expect(await ask({}, { ...context, sign })).toMatchObject({ kind: 'ours', reason: 'session' })
    expect(sent).toEqual([])
  })

  it('warns once of a synapse that protects nothing', async () => {
    const { ask, warned } = open(says('{"text":"oak"}'))
    const unprotected = definition({ synapse: { name: 'Echo', hashed: [] } })
    await ask({ definition: unprotected })
    await ask({ definition: unprotected })
    await ask()
    expect(warned).toHaveLength(1)
    expect(warned[0]).toContain('synapse Echo hashes no field')
  })

  it('throws for a request of ours that does not fit its own schema', async () => {
    await expect(open(says('{}')).ask({ body: Buffer.from('{"text":1}') })).rejects.toThrow(
      'does not fit its schema: text',
    )
  })
})
