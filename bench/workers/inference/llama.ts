// The arm "llama.cpp" of bench/inference.ts, by node-llama-cpp's prebuilt CPU binary: greedy, one thread, one sequence an answer.
import { measureArm, type Prompt, readJob } from './job.ts'

/** The part of node-llama-cpp that is used here; its package is no dependency of Arbor's. */
interface LlamaCpp {
  getLlama(options: Record<string, unknown>): Promise<{
    loadModel(options: { readonly modelPath: string }): Promise<{
      createContext(options: Record<string, unknown>): Promise<{ getSequence(): Sequence; dispose(): Promise<void> }>
    }>
  }>
}
interface Sequence {
  clearHistory(): Promise<void>
  evaluate(ids: readonly number[], options: Record<string, unknown>): AsyncIterable<number>
}

const name: string = 'node-llama-cpp'
const { getLlama }: LlamaCpp = await import(name)
const job = readJob()
if (job.gguf === null) throw new Error('name a GGUF file')
const llama = await getLlama({
  gpu: false,
  build: 'never',
  skipDownload: true,
  usePrebuiltBinaries: true,
  maxThreads: 1,
  logLevel: 'error',
})
const model = await llama.loadModel({ modelPath: job.gguf })
const longest = Math.max(...[...job.prompts, ...job.long].map(({ ids }) => ids.length))

await measureArm(job, async (batch) => {
  const context = await model.createContext({
    contextSize: longest + job.tokens + 8,
    batchSize: 512,
    threads: { ideal: 1, min: 1 },
    sequences: batch,
  })
  const sequences = Array.from({ length: batch }, () => context.getSequence())
  const answer = async ({ ids }: Prompt, row: number, tokens: number): Promise<number[]> => {
    const sequence = sequences[row]
    if (sequence === undefined) throw new Error('more prompts than sequences')
    await sequence.clearHistory()
    const found: number[] = []
    for await (const token of sequence.evaluate([...ids], { temperature: 0, yieldEogToken: true })) {
      found.push(token)
      if (found.length === tokens) break
    }
    return found
  }
  return {
    generateAll: (prompts, tokens) => Promise.all(prompts.map((prompt, row) => answer(prompt, row, tokens))),
    close: () => context.dispose(),
  }
})
process.exit(0) // its threads outlive the model
