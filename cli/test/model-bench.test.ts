import { fileURLToPath } from 'node:url'
import type { Ms } from '@arbor/shared/units'
import { expect, test } from 'vitest'
import { benchSchema } from '../src/model/bench.ts'
import { measureEngine } from '../src/model/bench-measure.ts'
import { modelCommand } from '../src/model/command.ts'

const tiny = fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url))

/** Runs `arbor model bench` here. @returns what it prints */
const bench = async (...words: readonly string[]): Promise<string> => {
  let out = ''
  const sink = {
    write: (text: string): void => {
      out += text
    },
  }
  const context = { signal: new AbortController().signal, env: {}, cwd: '/', homedir: '/nowhere' }
  const command = modelCommand({ ...context, stdout: sink, stderr: sink })
  for (const each of command.commands) each.exitOverride().configureOutput({ writeErr: () => undefined })
  await command.parseAsync(['bench', ...words], { from: 'user' })
  return out
}

test('figures are those of the clock and the gauges when an engine takes a known time for each token', async () => {
  let now = 0
  let running = 0
  let most = 0
  const asked: string[] = []
  const figures = await measureEngine({
    engine: {
      generate: async ({ prompt, maxTokens }, options) => {
        asked.push(String(prompt))
        most = Math.max(most, ++running)
        await Promise.resolve()
        const tokens = Array.from({ length: maxTokens }, (_, index) => index)
        for (const token of tokens) {
          now += 10
          options?.onToken?.(token, 'x')
        }
        running--
        return { text: '', tokens, finish: 'length', fingerprint: [] }
      },
    },
    plan: { batch: 3, tokens: 20 },
    gauges: { clock: { monotonic: () => now as Ms }, cpuMs: () => now / 2, residentBytes: () => 123 },
    signal: new AbortController().signal,
  })
  expect(figures).toEqual({
    firstTokenMs: 10,
    tokensPerSecond: 100,
    tokensPerCpuSecond: 200,
    tokens: 60,
    residentBytes: 123,
  })
  expect(most).toBe(3)
  expect(new Set(asked).size).toBe(asked.length) // a question that comes again would be answered from kept prefixes
})

test('bench measures each batch size, and says why a provider was refused', async () => {
  const found = benchSchema.parse(
    JSON.parse(await bench(tiny, '--batch', '1,2', '--providers', 'cpu,cuda', '--tokens', '4', '--json')),
  )
  expect(found).toMatchObject({ name: 'arbor-tiny', profile: 'fp32', threads: 1 })
  expect(found.runs.filter(({ provider }) => provider === 'cpu').map(({ batch }) => batch)).toEqual([1, 2])
  for (const run of found.runs) {
    expect(run.tokens).toBeLessThanOrEqual(4 * run.batch)
    expect(Math.min(run.tokensPerSecond, run.tokensPerCpuSecond, run.firstTokenMs)).toBeGreaterThan(0)
    expect(run.residentBytes).toBeGreaterThan(10 * 2 ** 20)
    expect(run.single).toBeNull()
  }
  const cuda = found.runs.some(({ provider }) => provider === 'cuda') ? [] : ['ENGINE_NO_PROVIDER']
  expect(found.refused.map(({ code }) => code)).toEqual(cuda)
})

test('bench refuses a provider that it does not know, and a batch of nothing', async () => {
  await expect(bench(tiny, '--providers', 'tpu')).rejects.toThrow(/cpu, cuda and webgpu are known/)
  await expect(bench(tiny, '--batch', '1,0')).rejects.toThrow(/from 1 to 256/)
})
