/** Times training steps by the engine: training-step.ts JOB_JSON; prints figures as its last line. */
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { stepAdamW } from '../../engine/src/train/adamw.ts'
import { readTrainingCard } from '../../engine/src/train/card.ts'
import { zeroMoments } from '../../engine/src/train/local.ts'
import { openTrainer } from '../../engine/src/train/trainer.ts'
import type { TrainingStepJob } from '../training-step.ts'

const job: TrainingStepJob = JSON.parse(process.argv[2] ?? '{}')
const { batch, length, steps, warmUp } = job
const adamw = { learningRate: 1e-4, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 }
const tokens = Uint16Array.from({ length: job.stream }, (_, index) => (index * 7919 + Math.floor(index / 8)) % 1024)
const windows = { tokens, starts: Array.from({ length: batch }, (_, row) => row * length) }

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
const middle = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const time = async (act: () => Promise<unknown>): Promise<number> => {
  const spent: number[] = []
  for (let step = 0; step < warmUp + steps; step += 1) {
    const before = cpuMs()
    await act()
    if (step >= warmUp) spent.push(cpuMs() - before)
  }
  return middle(spent)
}

const trainer = await openTrainer({ folder: job.folder, model: job.model, batch, length })
const params = trainer.initial()
const gradient = new Float32Array(params.length)
let moments = zeroMoments(params.length)
const pass = await time(() => trainer.gradient({ params, windows, into: gradient }))
const update = await time(async () => {
  moments = stepAdamW({ terms: adamw, params, gradient, moments })
})
const loss = await time(() => trainer.loss({ params, windows: [windows] }))

/** The graph alone, fed with the same tensors again and again. */
const graphAlone = async (): Promise<number> => {
  const card = await readTrainingCard(job.folder)
  if (card.lora !== null) return Number.NaN
  const session = await InferenceSession.create(join(job.folder, card.graphs.step), { intraOpNumThreads: 1 })
  const views = (flat: Float32Array, prefix: string): Record<string, Tensor> =>
    Object.fromEntries(
      trainer.layout.tensors.map(({ name, shape, offset, length: count }) => [
        `${prefix}${name}`,
        new Tensor('float32', flat.subarray(offset, offset + count), shape),
      ]),
    )
  const ids = new Int32Array(batch * (length + 1))
  for (const [row, start] of windows.starts.entries()) {
    ids.set(tokens.subarray(start, start + length + 1), row * (length + 1))
  }
  const feeds = { tokens: new Tensor('int32', ids, [batch, length + 1]), ...views(params, '') }
  const fetches = { loss: null, ...views(gradient, 'grad.') }
  const spent = await time(() => session.run(feeds, fetches))
  await session.release()
  return spent
}
const graph = await graphAlone()
await trainer.close()
console.log(JSON.stringify({ step: pass + update, pass, graph, update, loss }))
