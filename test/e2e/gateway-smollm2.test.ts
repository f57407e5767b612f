import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readModelFolder } from '@arbor/engine/folder'
import OpenAI from 'openai'
import { afterAll, describe, expect, test } from 'vitest'
import { inferenceSpecifier } from '../../subnet-spec/inference/specifier.ts'
import { type Net, startNet } from './support/net.ts'

/** Made by `arbor model add --recipe smollm2`. */
const folder = fileURLToPath(new URL('../../.arbor/models/smollm2', import.meta.url))

describe.skipIf(!existsSync(folder))('a gateway to a real model', () => {
  let net: Net | undefined
  afterAll(() => net?.close())

  test('answers a question as that model does, with its own chat template', { timeout: 240_000 }, async () => {
    const { id, config } = await readModelFolder({ folder })
    const speed = { tokensPerSecond: 15, context: config.context } // what two busy cores do
    const spec = inferenceSpecifier({ model: { name: id.name, hash: id.hash }, speed, vocabulary: config.vocabulary })
    net = await startNet({ honest: 1, validators: 1, address: 195 })
    const common = ['--network', net.url, '--wallets', net.wallets, '--spec', spec, '--model', folder]
    const miner = ['--wallet', 'miner-1', '--ip', '127.0.0.195', '--port', '0', '--data', join(net.folder, 'miner-1')]
    await net.run(['miner', ...common, ...miner]).event('miner.ready')
    const { hotkey } = net.member('validator-1')
    await net.until((metagraph) => net?.neuron(hotkey, metagraph).validatorPermit || undefined)
    const words = ['gateway', '--json', ...common, '--wallet', 'validator-1', '--listen', '0', '--no-keys']
    const { url } = await net.run(words).event('gateway.ready')
    const client = new OpenAI({ apiKey: 'none', baseURL: `${url}/v1`, maxRetries: 0 })
    const stream = await client.chat.completions.create({
      model: id.name,
      messages: [{ role: 'user', content: 'What is the capital of France?' }],
      max_tokens: 24,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let tokens = 0
    for await (const { choices, usage } of stream) {
      text += choices[0]?.delta.content ?? ''
      tokens = usage?.prompt_tokens ?? tokens
    }
    expect(text).toContain('Paris')
    // by the jinja2 and tokenizers packages of Python: the template adds a system message of its own
    expect(tokens).toBe(37)
  })
})
