import { readFileSync } from 'node:fs'

/** A text and the ids that its model's tokenizer makes of it, the start token included where the model wants one. */
export interface Prompt {
  readonly text: string
  readonly ids: readonly number[]
}

/** What every arm of bench/inference.ts does, read from a file so that all do the same. */
export interface InferenceJob {
  /** Arbor's model folder, and the graph in it. */
  readonly folder: string
  readonly graph: string
  /** The same weights for llama.cpp, where there are any. */
  readonly gguf: string | null
  /** Prompts of one length, all different, so that no prefix is computed once for two. */
  readonly prompts: readonly Prompt[]
  /** A prompt that is much longer. */
  readonly long: readonly Prompt[]
  readonly batches: readonly number[]
  /** Tokens of each answer. */
  readonly tokens: number
  /** Tokens that are generated at least at each batch size, in so many batches as that takes. */
  readonly least: number
}

/** One figure of one run. */
export interface Measured {
  readonly what: string
  readonly unit: string
  readonly value: number
}

/** Generates greedily for each prompt at once. @returns the tokens of each answer */
export type GenerateAll = (prompts: readonly Prompt[], tokens: number) => Promise<readonly (readonly number[])[]>

export const readJob = (): InferenceJob => JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as InferenceJob

/** Runs an action; CPU milliseconds of the whole process. */
export const cpuMsOf = async (action: () => Promise<unknown>): Promise<number> => {
  const before = process.cpuUsage()
  await action()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

/** Answers of one prompt length before anything is measured, so that code is compiled and buffers exist. */
const WARM_UP_TOKENS = 8
/** First tokens that are measured; the median counts. */
const FIRST_TOKENS = 5

/**
 * Measures one arm in this process and prints the figures as the last line.
 * @param open loads the model for so many answers at once; called for each batch size in turn
 */
export const measureArm = async (
  job: InferenceJob,
  open: (batch: number) => Promise<{ generateAll: GenerateAll; close(): Promise<void> }>,
): Promise<void> => {
  const measured: Measured[] = []
  const answers: (readonly number[])[] = []
  const take = (offset: number, count: number): Prompt[] =>
    Array.from({ length: count }, (_, index) => {
      const prompt = job.prompts[(offset + index) % job.prompts.length]
      if (prompt === undefined) throw new Error('the job has no prompts')
      return prompt
    })
  let used = 0
  for (const batch of job.batches) {
    const { generateAll, close } = await open(batch)
    await generateAll(take(used, batch), WARM_UP_TOKENS)
    used += batch
    if (batch === 1) {
      measured.push({
        what: `first token, prompt of ${job.prompts[0]?.ids.length} tokens`,
        unit: 'CPU ms',
        value: await firstToken(generateAll, take(used, FIRST_TOKENS)),
      })
      used += FIRST_TOKENS
      measured.push({
        what: `first token, prompt of ${job.long[0]?.ids.length} tokens`,
        unit: 'CPU ms',
        value: await firstToken(generateAll, job.long),
      })
    }
    let count = 0
    let ms = 0
    do {
      const prompts = take(used, batch)
      used += batch
      ms += await cpuMsOf(async () => {
        for (const answer of await generateAll(prompts, job.tokens)) {
          count += answer.length
          answers.push(answer)
        }
      })
    } while (count < job.least)
    if (count % (batch * job.tokens) !== 0) throw new Error(`${count} tokens came, which are not whole answers`)
    measured.push({ what: `batch ${batch}`, unit: 'tokens a CPU second', value: (count / ms) * 1_000 })
    measured.push({ what: `batch ${batch}`, unit: 'MB resident', value: process.memoryUsage().rss / 1e6 })
    await close()
  }
  console.log(JSON.stringify({ measured, answers }))
}

const firstToken = async (generateAll: GenerateAll, prompts: readonly Prompt[]): Promise<number> => {
  const spent: number[] = []
  for (const prompt of prompts) spent.push(await cpuMsOf(() => generateAll([prompt], 1)))
  return spent.sort((a, b) => a - b)[spent.length >> 1] ?? Number.NaN
}
