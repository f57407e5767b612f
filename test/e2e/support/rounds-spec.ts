import { defineSubnet, defineTask } from '@arbor/subnet-spec/define'
import { choicesFrom } from '@arbor/subnet-spec/seed'
import { z } from 'zod'

const text = z.strictObject({ text: z.string().max(2_048) })

/** A task whose answers are as large as those of a planned question of the inference subnet, and which costs nothing to judge. */
export default defineSubnet({
  name: 'rounds',
  version: 1,
  model: { name: 'none', hash: `0x${'00'.repeat(32)}` },
  roundsPerEpoch: 2,
  tasks: {
    echo: defineTask({
      request: text,
      response: text,
      deadlineMs: 60_000,
      timing: [0.5],
      maxRequestBytes: 4_096,
      maxResponseBytes: 16_384,
      plan: ({ seed }) => {
        const choices = choicesFrom({ seed, label: 'bench/text' })
        return { text: Array.from({ length: 20 }, () => choices.bytes32()).join(' ') }
      },
      solve: async ({ request }) => request,
      score: async ({ request, response, timing }) =>
        request.text === response.text
          ? { reason: 'ok', value: timing.class === 0 ? 1 : 0.5, sigma: 0 }
          : { reason: 'text', value: 0, sigma: 0 },
    }),
  },
  pick: () => 'echo',
  reward: (average) => average,
  halfLifeRounds: 8,
})
