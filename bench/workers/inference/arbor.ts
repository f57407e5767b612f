// The arm "Arbor" of bench/inference.ts: the engine as a miner runs it, with the proof of each answer.
import { openEngine } from '../../../engine/src/open.ts'
import { measureArm, readJob } from './job.ts'

const SEED = `0x${'5a'.repeat(32)}` as const
const job = readJob()

await measureArm(job, async (batch) => {
  const engine = await openEngine({ folder: job.folder, threads: 1, batch })
  return {
    generateAll: async (prompts, tokens) => {
      const answers = await Promise.all(
        prompts.map(({ text }) => engine.generate({ prompt: text, maxTokens: tokens, temperature: 0, seed: SEED })),
      )
      return answers.map((answer) => answer.tokens)
    },
    close: () => engine.close(),
  }
})
