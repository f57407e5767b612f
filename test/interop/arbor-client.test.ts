import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { genesisHash, miner, rich } from '../../miner/test/net.ts'
import { describeWith } from './support/pythons.ts'
import { type Passed, startTappedMiner, type TappedMiner } from './support/tapped-miner.ts'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const script = path('python/arbor_client.py')
const word = 'éichenholz 樹'
const question = JSON.stringify({ word })
const net = ['--genesis', genesisHash.slice(2), '--netuid', '1', '--registered-at', '1', '--uri', '//Rich']
const execute = promisify(execFile)

describeWith('bittensor-10.5', 'a client written from docs/protocol.md alone', ({ python }) => {
  let tapped: TappedMiner
  beforeEach(async () => {
    tapped = await startTappedMiner()
  })
  afterEach(() => tapped.close())

  /** Starts the client; each line that it is given is a question, each line that it prints an answer. */
  const start = (...flags: readonly string[]) => {
    const child = spawn(python, [script, tapped.url, miner.address, 'echo', '-', ...net, ...flags])
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const said = text(child.stderr)
    const gone = once(child, 'close')
    return {
      ask: async (line = question): Promise<Record<string, unknown>> => {
        child.stdin.write(`${line}\n`)
        const { value } = await lines.next()
        if (value === undefined) throw new Error(`Python ended:\n${await said}`)
        return JSON.parse(value) as Record<string, unknown>
      },
      end: async (): Promise<number | null> => {
        child.stdin.end()
        const [code] = await gone
        expect(await said).toBe('')
        return code as number | null
      },
    }
  }

  /** Asks one question with a client of its own, and expects its exit code. */
  const askOnce = async (flags: readonly string[], line = question): Promise<Record<string, unknown>> => {
    const client = start(...flags)
    const result = await client.ask(line)
    expect(await client.end()).toBe('answer' in result ? 0 : 1)
    return result
  }

  /** What a request's proof and body were. */
  const shapeOf = ({ headers, body }: Passed) => ({
    proof: Buffer.from(String(headers['arbor-envelope']).split('.')[1] ?? '', 'base64url').length,
    sealed: !body.includes(word),
    certificate: headers['arbor-certificate'] !== undefined,
  })
  const posts = (): readonly Passed[] => tapped.passed.filter(({ method }) => method === 'POST')

  it('works the example of the document through, and takes no hostile certificate', async () => {
    const { stdout } = await execute(python, [path('python/arbor_client_check.py'), path('../../docs/protocol.md')])
    expect(stdout).toBe('checked 28 wrong\n')
  })

  it('asks what its command line says', async () => {
    const { stdout } = await execute(python, [script, tapped.url, miner.address, 'echo', question, ...net])
    expect(JSON.parse(stdout)).toEqual({ status: 200, answer: { word } })
  })

  it.each([
    ['sealed, with a MAC', [], { proof: 32, sealed: true }],
    ['sealed and signed', ['--sign'], { proof: 64, sealed: true }],
    ['openly, with a MAC', ['--plain'], { proof: 32, sealed: false }],
    ['openly and signed, without keys of a pair', ['--plain', '--sign'], { proof: 64, sealed: false }],
  ])('asks %s, and once more in the session that the miner knows', async (_name, flags, shape) => {
    const client = start(...flags)
    expect(await client.ask()).toEqual({ status: 200, answer: { word } })
    expect(await client.ask()).toEqual({ status: 200, answer: { word } })
    expect(await client.end()).toBe(0)
    expect(posts().map(shapeOf)).toEqual([
      { ...shape, certificate: true },
      { ...shape, certificate: false },
    ])
    expect(posts().map(({ answer }) => !answer.includes(word))).toEqual([shape.sealed, shape.sealed])
  })

  it.each([[[]], [['--sign']], [['--plain']], [['--plain', '--sign']]])('reads streams (%s)', async (flags) => {
    expect(await askOnce(['--stream', ...flags])).toEqual({ status: 200, answer: { word }, text: word })
  })

  it('tells refusals, and which of them the miner signed', async () => {
    expect(await askOnce(['--uri', '//Stranger'])).toEqual({ status: 403, code: 'MINER_UNKNOWN_CALLER', signed: false })
    expect(await askOnce(['--registered-at', '2'])).toEqual({ status: 401, code: 'WIRE_REGISTRATION', signed: false })
    expect(await askOnce(['--uri', '//Unpermitted'])).toEqual({ status: 403, code: 'MINER_NO_PERMIT', signed: false })
    for (const flags of [[], ['--stream'], ['--plain', '--sign']]) {
      expect(await askOnce(flags, '{"word":1}')).toEqual({ status: 422, code: 'MINER_BAD_REQUEST', signed: true })
    }
  })

  it('tells why work broke off, be it in the middle of a stream', async () => {
    const failed = { status: 500, code: 'MINER_FAILED', signed: true }
    expect(await askOnce([], '{"word":"boom"}')).toEqual(failed)
    expect(await askOnce(['--stream'], '{"word":"boom"}')).toEqual(failed)
    const broken = posts().at(-1)
    expect([broken?.status, broken?.answer[0]]).toEqual([200, 1]) // frames came first
  })

  it('recovers by itself when the miner began anew', async () => {
    const client = start()
    expect(await client.ask()).toMatchObject({ status: 200 })
    await tapped.restart({ keepsStore: true })
    expect(await client.ask()).toEqual({ status: 200, answer: { word } })
    await tapped.restart({ keepsStore: false })
    expect(await client.ask()).toEqual({ status: 200, answer: { word } })
    expect(await client.end()).toBe(0)
    const codes = posts().map(({ code }) => code)
    expect(codes.slice(0, 5)).toEqual([null, 'WIRE_SESSION', 'WIRE_SESSION_OLD', 'WIRE_KEYS', null])
    expect(codes.slice(5)).toEqual(['WIRE_SESSION', 'WIRE_KEYS', null])
  })

  it('believes no certificate but that of the hotkey it asks', async () => {
    tapped.path = () => `/.arbor/certificate/${miner.address}`
    const asked = execute(python, [script, tapped.url, rich.address, 'echo', question, ...net])
    await expect(asked).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('of another chain, subnet') })
    tapped.path = (to) => to
    expect((await askOnce(['--miner-registered-at', '2'])).fault).toContain('of another slot')
    expect((await askOnce(['--netuid', '2'])).fault).toContain('of another chain, subnet')
    tapped.tamper = (token) => flip(token, token.length - 40)
    expect((await askOnce([])).fault).toContain('the hotkey did not sign the certificate')
    expect(posts()).toEqual([])
  })

  it.each([
    ['a sealed answer', [], 5],
    ['an open answer', ['--plain'], 5],
    ['a chunk of a sealed stream', ['--stream'], 7],
    ['a chunk of an open stream', ['--stream', '--plain'], 6],
    ['the signed end of a stream', ['--stream', '--plain'], -30],
  ])('believes no answer when a byte of %s is another', async (_name, flags, at) => {
    const client = start(...flags)
    tapped.tamper = (answer) => (posts().length === 1 ? flip(answer, at) : answer)
    expect(await client.ask()).toEqual({ fault: expect.any(String) })
    tapped.tamper = (answer) => answer
    expect(await client.ask()).toMatchObject({ status: 200, answer: { word } })
    expect(await client.end()).toBe(1)
    expect(posts().map(({ status }) => status)).toEqual([200, 200])
  })

  it('believes no stream that is cut off, and none with bytes after its end', async () => {
    const client = start('--stream')
    for (const tamper of [(whole: Buffer) => whole.subarray(0, -1), (whole: Buffer) => Buffer.concat([whole, whole])]) {
      tapped.tamper = (answer) => (answer[0] === 1 ? tamper(answer) : answer)
      expect(await client.ask()).toEqual({ fault: expect.any(String) })
    }
    expect(await client.end()).toBe(1)
  })
})

/** Another byte in one place; from the end when `at` is negative. A letter of a token stays one. */
const flip = (bytes: Buffer, at: number): Buffer => {
  const changed = Buffer.from(bytes)
  const place = at < 0 ? changed.length + at : at
  changed[place] = changed[place] === 0x41 ? 0x42 : 0x41
  return changed
}
