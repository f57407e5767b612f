// The arm "bare ONNX" of bench/inference.ts: the loop that anybody would write around onnxruntime, with nothing of ours in it.
// Greedy, one length for all rows, the session's options as ours. Hidden states are not asked for.
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { type GenerateAll, measureArm, readJob } from './job.ts'

const job = readJob()
const session = await InferenceSession.create(job.graph, {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
})
const past = session.inputNames.filter((name) => name.startsWith('past_key_values'))
const outputs = ['logits', ...past.map((name) => name.replace('past_key_values', 'present'))]
const gathers = session.inputNames.includes('logits_rows')

const emptyCache = (batch: number): Record<string, Tensor> =>
  Object.fromEntries(
    past.map((name) => {
      const about = session.inputMetadata.find((each) => each.name === name)
      if (!about?.isTensor) throw new Error(`${name} is no tensor`)
      const [, heads, , size] = about.shape
      return [name, new Tensor('float32', new Float32Array(0), [batch, Number(heads), 0, Number(size)])]
    }),
  )

const generateAll: GenerateAll = async (prompts, tokens) => {
  const batch = prompts.length
  const answers = prompts.map((): number[] => [])
  let cache = emptyCache(batch)
  let next = prompts.map(({ ids }) => ids)
  let seen = 0
  for (let step = 0; step < tokens; step++) {
    const length = next[0]?.length ?? 0
    const total = seen + length
    const results = await session.run(
      {
        input_ids: new Tensor('int64', BigInt64Array.from(next.flat(), BigInt), [batch, length]),
        attention_mask: new Tensor('int64', new BigInt64Array(batch * total).fill(1n), [batch, total]),
        position_ids: new Tensor(
          'int64',
          BigInt64Array.from({ length: batch * length }, (_, index) => BigInt(seen + (index % length))),
          [batch, length],
        ),
        ...(gathers ? { logits_rows: new Tensor('int64', BigInt64Array.of(BigInt(length - 1)), [1]) } : {}),
        ...cache,
      },
      outputs,
    )
    const logits = results.logits
    if (!(logits?.data instanceof Float32Array)) throw new Error('logits are not float32')
    const [, rows = 0, vocabulary = 0] = logits.dims
    next = answers.map((answer, row) => {
      const token = argmax(logits.data as Float32Array, ((row + 1) * rows - 1) * vocabulary, vocabulary)
      answer.push(token)
      return [token]
    })
    cache = Object.fromEntries(
      past.map((name) => [name, results[name.replace('past_key_values', 'present')] as Tensor]),
    )
    seen = total
  }
  return answers
}

const argmax = (values: Float32Array, from: number, count: number): number => {
  let best = from
  for (let index = from + 1; index < from + count; index++) if ((values[index] ?? 0) > (values[best] ?? 0)) best = index
  return best - from
}

await measureArm(job, async () => ({ generateAll, close: async () => undefined }))
