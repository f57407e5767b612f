import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { keypairFromUri } from '@arbor/shared/keys'
import type { SynapseAnswer } from '@arbor/validator/bittensor/ask'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Asker, openAsker } from './support/asker.ts'
import { type RawAxon, rawAnswer, startRawAxon } from './support/raw-axon.ts'

/** What Bittensor 10.5.0 made of an answer to Echo(text='a', n=1). */
interface Case {
  readonly case: string
  readonly http_status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly result: {
    readonly 'dendrite.status_code': number | null
    readonly 'dendrite.status_message': string | null
    readonly is_success: boolean
    readonly reply: string | null
  }
}

/** Where ours differs from Bittensor's client: the name of the rule in docs/bittensor.md, and what it gives instead. */
const safer: Readonly<Record<string, { readonly rule: string; readonly gives: Partial<Case['result']> }>> = {
  'http 503 but header status 200': {
    rule: 'http-status-counts',
    gives: { 'dendrite.status_code': 503, 'dendrite.status_message': null, is_success: false },
  },
  'non numeric status header': { rule: 'nothing-by-halves', gives: { reply: null } },
}

const { cases } = JSON.parse(
  await readFile(new URL('../vectors/wire/dendrite_response_cases.json', import.meta.url), 'utf8'),
) as { cases: readonly Case[] }

describe('an axon that answers as in dendrite_response_cases.json', () => {
  let axon: RawAxon
  let asker: Asker
  let current: Case | undefined

  beforeAll(async () => {
    axon = await startRawAxon((socket) => {
      if (current === undefined) return void socket.destroy()
      const gzipped = current.body === '<gzip>'
      const body = gzipped ? gzipSync('{"text":"a","n":1,"reply":"a|1"}') : Buffer.from(current.body)
      socket.write(rawAnswer({ status: current.http_status, headers: Object.entries(current.headers), body }))
    })
    const hotkey = keypairFromUri('//Bob').address
    asker = openAsker({ ip: '127.0.0.1', port: axon.port, hotkey, signer: keypairFromUri('//Alice') })
  })
  afterAll(async () => {
    await asker?.close()
    await axon?.close()
  })

  it('has all the cases', () => {
    expect(cases).toHaveLength(21)
    expect(Object.keys(safer).filter((name) => !cases.some((entry) => entry.case === name))).toEqual([])
  })

  it.each(cases.map((entry) => [entry.case, entry] as const))('%s', async (name, entry) => {
    current = entry
    const answer = await asker.ask({ synapse: 'Echo', request: '{"text":"a","n":1}' })
    const expected = { ...entry.result, ...safer[name]?.gives }
    expect(summary(answer)).toEqual({
      status: expected['dendrite.status_code'],
      message: ownWords(expected['dendrite.status_message']),
      success: expected.is_success,
      reply: expected.reply,
    })
  })

  it('has documented every rule', async () => {
    const doc = await readFile(new URL('../../docs/bittensor.md', import.meta.url), 'utf8')
    const rules = ['request-kept', 'identity-kept', 'own-words', ...Object.values(safer).map(({ rule }) => rule)]
    expect(rules.filter((rule) => !doc.includes(`| ${rule} |`))).toEqual([])
  })
})

/** Rule own-words: the parser's own text is not passed on. */
const ownWords = (message: string | null): string | null =>
  message?.startsWith('Failed to parse response: ') ? 'Failed to parse response: …' : message

const summary = (answer: SynapseAnswer) => ({
  status: answer.statusCode,
  message: ownWords(answer.statusMessage),
  success: answer.fault === null,
  reply:
    answer.response === null
      ? null
      : (JSON.parse(Buffer.from(answer.response).toString()) as { reply: string | null }).reply,
})
