import { loadSpec } from '@arbor/subnet-spec/load'
import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { inferenceSubnet } from '../../subnet-spec/inference/subnet.ts'
import { type BackendFlags, backendOf, mustSuit, withBackend } from '../src/backend.ts'

const parsed = (...flags: string[]): BackendFlags =>
  withBackend(new Command().exitOverride()).parse(flags, { from: 'user' }).opts()

describe('the flags of a backend', () => {
  test.each([
    [[], null],
    [['--backend', 'onnx'], null],
    [
      ['--backend', 'openai', '--backend-url', 'http://127.0.0.1:8000/v1', '--backend-key-file', 'key'],
      { kind: 'openai', url: 'http://127.0.0.1:8000/v1', model: undefined, keyFile: '/here/key' },
    ],
    [
      ['--backend', 'llama', '--gguf', 'weights.gguf', '--gguf-gpu', 'vulkan'],
      { kind: 'llama', gguf: '/here/weights.gguf', gpu: 'vulkan', from: '/here' },
    ],
  ] as const)('%j mean what they say', (flags, backend) => {
    expect(backendOf(parsed(...flags), '/here')).toEqual(backend)
  })

  test.each([
    ['--backend-url', ['--backend', 'openai']],
    ['--gguf', ['--backend', 'llama']],
    ['--backend-url', ['--backend-url', 'http://127.0.0.1/v1']],
    ['--gguf-gpu', ['--backend', 'openai', '--backend-url', 'http://127.0.0.1/v1', '--gguf-gpu', 'cuda']],
    ['--backend-key-file', ['--backend', 'llama', '--gguf', 'x', '--backend-key-file', 'key']],
  ])('are refused with the name %s when they are %j', (name, flags) => {
    expect(() => backendOf(parsed(...flags), '/here')).toThrow(
      expect.objectContaining({ code: 'MINER_BACKEND', message: expect.stringContaining(name) }),
    )
  })

  test('do not go with a cheat', () => {
    const flags = { ...parsed('--backend', 'llama', '--gguf', 'x'), cheat: 'int8' }
    expect(() => backendOf(flags, '/here')).toThrow(expect.objectContaining({ code: 'MINER_BACKEND' }))
  })
})

test('a model server suits a subnet that asks greedily, and no other', async () => {
  const backend = { kind: 'openai', url: 'http://127.0.0.1/v1', model: undefined, keyFile: undefined } as const
  const spec = await loadSpec('inference')
  const speed = { tokensPerSecond: 100, context: 512 }
  const greedy = inferenceSubnet({ name: 'greedy', model: spec.model, speed, proof: 'none' })
  expect(() => mustSuit({ spec: greedy, backend })).not.toThrow()
  expect(() => mustSuit({ spec, backend })).toThrow(expect.objectContaining({ code: 'MINER_BACKEND' }))
  expect(() => mustSuit({ spec, backend: null })).not.toThrow()
  const llama = { kind: 'llama', gguf: 'x', gpu: undefined, from: undefined } as const
  expect(() => mustSuit({ spec, backend: llama })).not.toThrow()
})
