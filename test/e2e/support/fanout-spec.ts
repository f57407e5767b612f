import { defineSubnet, defineTask } from '@arbor/subnet-spec/define'
import { z } from 'zod'

/**
 * The echo task with a deadline that a whole subnet's servers can keep on two busy cores: they answer nobody before all have been
 * asked, which takes some seconds of everybody's handshakes, and then all at once. A deadline of a second measures them, not us.
 */
export default defineSubnet({
  name: 'fanout',
  version: 1,
  model: { name: 'none', hash: `0x${'00'.repeat(32)}` },
  roundsPerEpoch: 1,
  tasks: {
    echo: defineTask({
      request: z.object({ word: z.string() }),
      response: z.strictObject({ word: z.string().max(100) }),
      deadlineMs: 60_000,
      maxRequestBytes: 1_000,
      maxResponseBytes: 4_096,
      plan: () => ({ word: 'oak' }),
      solve: async () => ({ word: 'oak' }),
      score: async () => ({ reason: 'ok', value: 1, sigma: 0 }),
    }),
  },
  pick: () => 'echo',
  reward: (average) => average,
  halfLifeRounds: 8,
})
