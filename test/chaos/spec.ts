import type { Hex } from '@arbor/shared/units'
import { defineSubnet, defineTask } from '@arbor/subnet-spec/define'
import { z } from 'zod'

/** A subnet without a model: what an answer is worth stands in it, so that a suite of many thousand rounds needs no inference. */
const guess = defineTask({
  request: z.object({ word: z.string() }),
  response: z.strictObject({ word: z.string().max(100), quality: z.number().min(0).max(1) }),
  deadlineMs: 1_000,
  maxRequestBytes: 1_000,
  maxResponseBytes: 4_096,
  plan: ({ seed }) => ({ word: seed.slice(2, 10) }),
  solve: async ({ request }) => ({ word: request.word, quality: 1 }),
  score: async ({ request, response }) =>
    response.word === request.word
      ? { reason: 'ok', value: response.quality, sigma: 0.02 }
      : { reason: 'text', value: 0, sigma: 0 },
})

export default defineSubnet({
  name: 'chaos',
  version: 3,
  model: { name: 'none', hash: `0x${'00'.repeat(32)}` as Hex },
  roundsPerEpoch: 2,
  tasks: { guess },
  pick: () => 'guess',
  reward: (average) => average,
  halfLifeRounds: 4,
  repeats: { k: 1, most: 2 },
  audit: { forfeits: ['text', 'malformed'], forfeitRounds: 6, detection: 0.9, attacks: [] },
})
