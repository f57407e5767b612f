import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { keypairFromUri } from '@arbor/shared/keys'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWith } from './support/pythons.ts'

const alice = keypairFromUri('//Alice').address
const bob = keypairFromUri('//Bob').address
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

interface Served {
  readonly port: number
  close(): Promise<number | null>
}

/** Starts serve.ts as a user does. */
async function serve(): Promise<Served> {
  const child = spawn(process.execPath, [path('serve.ts'), '--port', '0', '--uri', '//Bob'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const gone = once(child, 'close')
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
  const { port, hotkey } = JSON.parse(value ?? '{}') as { port: number; hotkey: string }
  expect(hotkey).toBe(bob)
  return {
    port,
    close: async () => {
      child.kill('SIGTERM')
      const kill = setTimeout(() => child.kill('SIGKILL'), 10_000) // one that does not end fails its test by its exit code
      const [code] = await gone
      clearTimeout(kill)
      return code as number | null
    },
  }
}

/** What Bittensor's dendrite made of one answer. */
interface Seen {
  readonly name: string
  readonly status: number
  readonly message: string
  readonly success: boolean
  readonly axon: string
  readonly dendrite: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly chunks?: readonly string[]
  readonly asked?: number
  readonly lost?: readonly string[]
}

/** Has Bittensor's own dendrite ask the table. */
async function askWith(python: string, port: number): Promise<ReadonlyMap<string, Seen>> {
  const home = await mkdtemp(join(tmpdir(), 'arbor-dendrite-'))
  const child = spawn(python, ['-u', path('python/dendrite.py'), '127.0.0.1', String(port), bob, '--crowd', '64'], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, BT_LOGGING_INFO: '0', BT_LOGGING_RECORD_LOG: '0', NO_PROXY: '*' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, said, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  await rm(home, { recursive: true, force: true })
  if (code !== 0) throw new Error(`Python ended with ${code}:\n${said.slice(-2_000)}`)
  const lines = out.trimEnd().split('\n')
  return new Map(lines.map((line) => JSON.parse(line) as Seen).map((seen) => [seen.name, seen]))
}

const unicode = 'h\u00e9llo "w\u00f6rld" \'x\' \\ \n\t \u2713 \u{1d11e} \u200b'
const long = '\u00e4bc '.repeat(40_000)
const many = { s: 'q"uo\'te', i: -5, f: 1e-7, b: true, l: [1, 2, 3], d: { k: [1, null, "x'y", 1.5, false] }, o: null }
const option = { s: '', i: 0, f: 1, b: false, l: [], d: { '10': 1, '9': 2 }, o: 'here' }

/** Answers with success: the fields as the dendrite has them afterwards. */
const answered: Readonly<Record<string, object>> = {
  Synapse: {},
  Echo: { text: unicode, n: -7, reply: `${unicode}|-7` },
  'Echo of a big number': { text: '', n: 1e30, reply: `|1${'0'.repeat(30)}` },
  'Echo of 200 KB': { text: long, n: 1, reply: `${long}|1` },
  Dummy: { dummy_input: 21, dummy_output: 42 },
  Many: { ...many, out: { got: [1, 2, 3] } },
  'Many with an option': { ...option, out: { got: [] } },
  Slow: { x: 5 },
  StreamEcho: { prompt: 'alpha b\u00eata gamma', completion: 'alpha b\u00eata gamma END' },
}

/** All the others: status and message. */
const refused: Readonly<Record<string, readonly [number, RegExp]>> = {
  'Slow with too little time': [408, /^Request timeout after 1\.0 seconds$/],
  Boom: [500, /^Internal Server Error #[0-9a-f-]{36}$/],
  Black: [403, /^Forbidden\. Key is blacklisted: not a validator\.$/],
  Prio: [408, /^Response timeout after: 12\.0s$/],
  Custom: [418, /^teapot$/],
  Unknown: [404, /^Synapse name 'Unknown' not found\.$/],
  'Echo for another axon': [401, /^Not Verified with error: Signature mismatch$/],
}

for (const version of ['bittensor-10.5', 'bittensor-10.2'] as const) {
  describeWith(version, `a dendrite of ${version}.0 at an axon of ours`, ({ python }) => {
    let served: Served
    let seen: ReadonlyMap<string, Seen>
    beforeAll(async () => {
      served = await serve()
      seen = await askWith(python, served.port)
    })
    afterAll(async () => void (await served?.close()))

    it('has an answer to everything', () => {
      expect([...seen.keys()].sort()).toEqual([...Object.keys(answered), ...Object.keys(refused), 'crowd'].sort())
    })

    it.each(Object.entries(answered))('has the answer of %s', (name, fields) => {
      expect(seen.get(name)).toMatchObject({
        status: 200,
        message: 'Success',
        success: true,
        axon: bob,
        dendrite: alice,
      })
      expect(seen.get(name)?.fields).toEqual(fields)
    })

    it.each(Object.entries(refused))('has the refusal of %s', (name, [status, message]) => {
      expect(seen.get(name)).toMatchObject({ status, success: false })
      expect(seen.get(name)?.message).toMatch(message)
    })

    it('has the stream in pieces', () => {
      const chunks = seen.get('StreamEcho')?.chunks ?? []
      expect(chunks.join('')).toBe('alpha b\u00eata gamma END')
      expect(chunks.length).toBeGreaterThan(1)
    })

    it('loses none of 64 questions under one uuid, which arrive in any order', () => {
      expect(seen.get('crowd')).toMatchObject({ asked: 64, lost: [] })
    })
  })
}

describe('serve.ts', () => {
  it('passes every check of query.ts, and ends when told', async () => {
    const served = await serve()
    const child = spawn(process.execPath, [path('query.ts'), '127.0.0.1', String(served.port), bob], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
    const ended = await served.close()
    expect(out.split('\n').filter((line) => line.startsWith('FAIL'))).toEqual([])
    expect(out).toMatch(/\n23 passed, 0 failed\n$/)
    expect({ code, ended }).toEqual({ code: 0, ended: 0 })
  })
})
