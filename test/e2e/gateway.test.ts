import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import OpenAI, { APIUserAbortError, AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Net, startNet } from './support/net.ts'
import { main, type Running, type Said } from './support/process.ts'

const run = promisify(execFile)
const model = 'arbor-tiny'
const messages = [{ role: 'user', content: 'What is a borrow?' }] as const
let net: Net
let gateway: Running
let killed: Running | undefined
let validator: Running
let url: string
let key: string
let client: OpenAI

const keysFile = (): string => join(net.folder, 'keys.json')
const dataOf = (name: string): string => join(net.folder, name)
const addKey = async (...words: readonly string[]): Promise<string> =>
  (await run(process.execPath, [main, 'gateway', 'key', 'add', ...words, '--keys', keysFile()])).stdout.trim()
const metric = async (line: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find((each) => each.startsWith(`${line} `))
      ?.split(' ')
      .at(-1),
  )
}

beforeAll(async () => {
  net = await startNet({ honest: 2, validators: 1, address: 191 })
  net.start('miner-1')
  validator = net.start('validator-1')
  killed = net.start('miner-2')
  key = await addKey('tests')
  const { hotkey } = net.member('validator-1')
  await net.until((metagraph) => net.neuron(hotkey, metagraph).validatorPermit || undefined)
  await net.until(({ neurons }) => neurons.filter(({ axon }) => axon !== null).length >= 2 || undefined)
  gateway = net.run([
    ...['gateway', '--json', '--network', net.url, '--wallets', net.wallets, '--wallet', 'validator-1'],
    ...['--spec', 'inference-tiny', '--listen', '0', '--keys', keysFile(), '--validator-data', dataOf('validator-1')],
  ])
  url = String((await gateway.event('gateway.ready')).url)
  client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 })
}, 360_000)
afterAll(() => net?.close())

describe('OpenAI’s client', () => {
  test('lists the model', async () => {
    expect((await client.models.list()).data).toMatchObject([{ id: model, object: 'model', owned_by: 'subnet-1' }])
    expect(await client.models.retrieve(model)).toMatchObject({ id: model })
  })

  test('gets a chat’s answer whole, marked with who gave it and recorded for audits', async () => {
    const { data, response } = await client.chat.completions
      .create({ model, messages: [...messages], max_tokens: 12, temperature: 0.7, top_p: 0.9, seed: 7 })
      .withResponse()
    expect(data.choices[0]).toMatchObject({
      finish_reason: expect.stringMatching(/length|stop/),
      message: { role: 'assistant' },
    })
    expect(data.choices[0]?.message.content).not.toBe('')
    expect(data.usage?.completion_tokens).toBeGreaterThan(0)
    expect(data.usage?.completion_tokens).toBeLessThanOrEqual(12)
    const { arbor } = data as unknown as { arbor: { miner: string; receipt: string } }
    expect([net.member('miner-1').hotkey, net.member('miner-2').hotkey]).toContain(arbor.miner)
    expect(response.headers.get('x-arbor-miner')).toBe(arbor.miner)
    expect(response.headers.get('x-arbor-receipt')).toBe(arbor.receipt)
    expect(arbor.receipt).toMatch(/^[0-9a-f]{64}$/)
  })

  test('gets a chat’s answer piece by piece', async () => {
    const stream = await client.chat.completions.create({
      model,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'Grüße 🌳?' }] },
      ],
      max_completion_tokens: 16,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    })
    const pieces: string[] = []
    let usage = 0
    let finish: string | null = null
    for await (const { choices, usage: told } of stream) {
      if (choices[0]?.delta.content) pieces.push(choices[0].delta.content)
      finish = choices[0]?.finish_reason ?? finish
      usage = told?.completion_tokens ?? usage
    }
    expect(pieces.length).toBeGreaterThan(1)
    expect(finish).toBe(usage === 16 ? 'length' : 'stop')
  })

  test('gets texts continued, whole and piece by piece', async () => {
    const whole = await client.completions.create({ model, prompt: 'A borrow is', max_tokens: 8, stop: ['\n\n'] })
    expect(whole).toMatchObject({ object: 'text_completion', choices: [{ text: expect.any(String) }] })
    const stream = await client.completions.create({ model, prompt: 'A borrow is', max_tokens: 8, stream: true })
    let text = ''
    for await (const { choices } of stream) text += choices[0]?.text ?? ''
    expect(text).not.toBe('')
  })

  test('has its helper for streams work', async () => {
    const helper = client.chat.completions.stream({ model, messages: [...messages], max_tokens: 8 })
    expect((await helper.finalChatCompletion()).choices[0]?.message.content).not.toBe('')
  })

  test('gets its own errors', async () => {
    const ask = (more: object, by = client): Promise<unknown> =>
      by.chat.completions.create({ model, messages: [...messages], ...more } as Parameters<
        typeof client.chat.completions.create
      >[0])
    const stranger = new OpenAI({ apiKey: `${key}x`, baseURL: `${url}/v1`, maxRetries: 0 })
    await expect(ask({}, stranger)).rejects.toThrow(AuthenticationError)
    await expect(ask({ model: 'gpt-4o' })).rejects.toThrow(NotFoundError)
    await expect(ask({ n: 2 })).rejects.toThrow(BadRequestError)
    await expect(ask({ n: 2 })).rejects.toMatchObject({ status: 400, param: 'n', code: 'unsupported_value' })
    await expect(ask({ max_tokens: 100_000 })).rejects.toMatchObject({ param: 'max_tokens' })
    await expect(ask({ messages: [{ role: 'user', content: 'the '.repeat(510) }] })).rejects.toMatchObject({
      code: 'context_length_exceeded',
    })
    const one = new OpenAI({
      apiKey: await addKey('once', '--requests-per-minute', '1'),
      baseURL: `${url}/v1`,
      maxRetries: 0,
    })
    await expect
      .poll(
        () =>
          one.models.list().then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true)
    await expect(ask({}, one)).rejects.toThrow(RateLimitError)
  })

  test('stops the miner’s work when it hangs up', async () => {
    const stop = new AbortController()
    const stream = await client.chat.completions.create(
      { model, messages: [...messages], max_tokens: 200, stream: true },
      { signal: stop.signal },
    )
    const read = async (): Promise<void> => {
      for await (const _ of stream) stop.abort()
    }
    await read().catch((error: unknown) => expect(error).toBeInstanceOf(APIUserAbortError))
    await expect.poll(() => metric('arbor_gateway_in_flight'), { timeout: 10_000 }).toBe(0)
  })
})

test('the examples of the page work with curl', async () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/gateway.md', import.meta.url)), 'utf8')
  const examples = [...page.matchAll(/^```sh curl\n([\s\S]*?)^```/gm)].map(([, text = '']) =>
    text.replaceAll('arbor-2m', model),
  )
  expect(examples).toHaveLength(3)
  const [chat = '', text = '', models = ''] = await Promise.all(
    examples.map(
      async (example) => (await run('sh', ['-c', example], { env: { ...process.env, GATEWAY: url, KEY: key } })).stdout,
    ),
  )
  expect(JSON.parse(chat)).toMatchObject({ object: 'chat.completion' })
  expect(text).toMatch(/^data: \{.*"object":"text_completion"[\s\S]*data: \[DONE\]\n\n$/)
  expect(JSON.parse(models)).toMatchObject({ data: [{ id: model }] })
})

describe('arbor chat', () => {
  const chat = async (
    words: readonly string[],
    input: string,
  ): Promise<{ code: number | null; out: string; err: string }> => {
    writeFileSync(join(net.folder, 'key'), `${key}\n`, { mode: 0o600 })
    const access = ['--gateway', url, '--key-file', join(net.folder, 'key'), '--max-tokens', '8']
    const child = spawn(process.execPath, [main, 'chat', ...access, ...words], { stdio: ['pipe', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (bytes) => void out.push(bytes))
    child.stderr.on('data', (bytes) => void err.push(bytes))
    child.stdin.end(input)
    const [code] = await once(child, 'close')
    return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }
  }

  test('asks once, and says who answered', async () => {
    const { code, out, err } = await chat(['--verbose', 'What', 'is', 'a', 'borrow?'], '')
    expect([code, out.trim() !== '', /\(5\w+, receipt [0-9a-f]{64}\)/.test(err)]).toEqual([0, true, true])
  })

  test('talks line by line, and goes on after a refusal', async () => {
    const { code, out, err } = await chat([], `Hello\n\n${'the '.repeat(600)}\nAnd a trait?\n`)
    expect([code, out.split('\n').length > 2]).toEqual([0, true])
    expect(err).toContain('did not answer')
  })
})

test('arbor chat ends cleanly on Ctrl-C, in the middle of an answer too', async () => {
  const access = ['--gateway', url, '--key-file', join(net.folder, 'key')]
  const child = spawn(process.execPath, [main, 'chat', ...access], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.write('Tell me all about borrows\n')
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  expect(await once(child, 'close')).toEqual([0, null])
})

test('users’ answers are drawn for audits by the validator, and found honest', async () => {
  const hasUsers = ({ miners }: Said): boolean =>
    (miners as readonly { readonly answers: number }[]).some(({ answers }) => answers > 0)
  const { miners } = await validator.event('audits.done', hasUsers)
  expect(miners).toEqual(expect.arrayContaining([expect.objectContaining({ failed: 0 })]))
})

test('a miner that is gone costs its callers nothing but a moment', async () => {
  await killed?.kill9()
  for (let i = 0; i < 6; i += 1) {
    const answer = await client.chat.completions.create({ model, messages: [...messages], max_tokens: 4 })
    expect(answer).toMatchObject({ arbor: { miner: net.member('miner-1').hotkey } })
  }
})

test('no word of a key is in what the gateway says', () => {
  expect(gateway.text()).not.toContain(key.slice(18))
})

test('a gateway that is told to stop answers what it has begun', async () => {
  const stream = await client.chat.completions.create({
    model,
    messages: [...messages],
    max_tokens: 64,
    temperature: 0,
    stream: true,
  })
  let stopping: Promise<number | null> | null = null
  let finish: string | null = null
  for await (const { choices } of stream) {
    stopping ??= gateway.stop()
    finish = choices[0]?.finish_reason ?? finish
  }
  expect(finish).not.toBe(null)
  expect(await stopping).toBe(0)
})
