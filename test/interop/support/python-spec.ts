import type { Hex } from '@arbor/shared/units'
import { defineSubnet, defineTask } from '@arbor/subnet-spec/define'
import { z } from 'zod'

const common = {
  deadlineMs: 10_000,
  maxRequestBytes: 4_096,
  maxResponseBytes: 4_096,
  score: async () => ({ reason: 'ok', value: 1, sigma: 0 }),
}

/** A subnet whose miners are Python axons of the interop table. */
const echo = defineTask({
  ...common,
  synapse: { name: 'Echo', hashed: ['text', 'n'] },
  request: z.object({ text: z.string(), n: z.int() }),
  response: z.strictObject({ reply: z.string() }),
  plan: () => ({ text: 'oak', n: 3 }),
  solve: async ({ request }) => ({ reply: `${request.text}|${request.n}` }),
})
const words = defineTask({
  ...common,
  synapse: { name: 'StreamEcho', hashed: ['prompt'], stream: 'completion' },
  stream: true,
  request: z.object({ prompt: z.string() }),
  response: z.strictObject({ completion: z.string() }),
  plan: () => ({ prompt: 'oak elm' }),
  solve: async ({ request }) => ({ completion: `${request.prompt} END` }),
})
const x = (name: string, deadlineMs: number) =>
  defineTask({
    ...common,
    deadlineMs,
    synapse: { name, hashed: [] },
    request: z.object({ x: z.int() }),
    response: z.strictObject({}),
    plan: () => ({ x: 1 }),
    solve: async () => ({}),
  })

export default defineSubnet({
  name: 'python',
  version: 1,
  model: { name: 'none', hash: `0x${'00'.repeat(32)}` as Hex },
  roundsPerEpoch: 1,
  tasks: { echo, words, slow: x('Slow', 1_000), black: x('Black', 10_000), boom: x('Boom', 10_000) },
  pick: () => 'echo',
  reward: (average) => average,
  halfLifeRounds: 8,
})
