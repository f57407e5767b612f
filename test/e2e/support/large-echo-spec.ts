import { defineSubnet, defineTask } from '@arbor/subnet-spec/define'
import { z } from 'zod'

const text = z.string().max(2 ** 21)

/** A subnet of one task that needs no model: the answer is the question. */
export default defineSubnet({
  name: 'echo',
  version: 1,
  model: { name: 'none', hash: `0x${'00'.repeat(32)}` },
  roundsPerEpoch: 1,
  tasks: {
    echo: defineTask({
      synapse: { name: 'Echo', hashed: ['text'] },
      request: z.object({ text }),
      response: z.object({ reply: text }),
      deadlineMs: 60_000,
      maxRequestBytes: 2 ** 22,
      maxResponseBytes: 2 ** 22,
      plan: () => ({ text: '' }),
      solve: async ({ request }) => ({ reply: request.text }),
      score: async () => ({ reason: 'ok', value: 1, sigma: 0 }),
    }),
  },
  pick: () => 'echo',
  reward: (average) => average,
  halfLifeRounds: 8,
})
