import type { Hex } from '@arbor/shared/units'
import { defineSubnet, defineTask } from '@arbor/subnet-spec/define'
import { z } from 'zod'

/** A subnet of one task that needs no model, for tests of what lies between validator and miner. */
const echo = defineTask({
  request: z.object({ word: z.string() }),
  response: z.strictObject({ word: z.string().max(1_000) }),
  deadlineMs: 1_000,
  maxRequestBytes: 1_000,
  maxResponseBytes: 4_096,
  stream: true,
  plan: () => ({ word: 'oak' }),
  solve: async () => ({ word: 'oak' }),
  score: async () => ({ reason: 'ok', value: 1, sigma: 0 }),
})

export default defineSubnet({
  name: 'echo',
  version: 1,
  model: { name: 'none', hash: `0x${'00'.repeat(32)}` as Hex },
  roundsPerEpoch: 1,
  tasks: { echo },
  pick: () => 'echo',
  reward: (average) => average,
  halfLifeRounds: 8,
})
