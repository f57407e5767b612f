import { defineSubnet, defineTask } from '@arbor/subnet-spec/define'
import { z } from 'zod'
import tiny from '../../../subnet-spec/inference/tiny.ts'

const common = {
  deadlineMs: 10_000,
  maxRequestBytes: 4_096,
  maxResponseBytes: 4_096,
}
const ok = async () => ({ reason: 'ok', value: 1, sigma: 0 })

/** A subnet whose miners are Python axons of the interop table. */
const echo = defineTask({
  ...common,
  synapse: { name: 'Echo', hashed: ['text', 'n'] },
  request: z.object({ text: z.string(), n: z.int() }),
  response: z.strictObject({ reply: z.string() }),
  plan: ({ seed }) => ({ text: seed.slice(2, 34), n: Number.parseInt(seed.slice(2, 12), 16) }),
  solve: async ({ request }) => ({ reply: `${request.text}|${request.n}` }),
  score: async ({ request: { text, n }, response }) =>
    response.reply === `${text}|${n}` ? ok() : { reason: 'wrong', value: 0, sigma: 0 },
})
const words = defineTask({
  ...common,
  synapse: { name: 'StreamEcho', hashed: ['prompt'], stream: 'completion' },
  stream: true,
  request: z.object({ prompt: z.string() }),
  response: z.strictObject({ completion: z.string() }),
  plan: () => ({ prompt: 'oak elm' }),
  solve: async ({ request }) => ({ completion: `${request.prompt} END` }),
  score: ok,
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
    score: ok,
  })

export default defineSubnet({
  name: 'python',
  version: 1,
  model: tiny.model, // every validator has one; these tasks ask nothing of it
  roundsPerEpoch: 1,
  tasks: { echo, words, slow: x('Slow', 1_000), black: x('Black', 10_000), boom: x('Boom', 10_000) },
  pick: () => 'echo',
  reward: (average) => average,
  halfLifeRounds: 8,
})
