import type { WorkerContext } from '../contained/worker-context.ts'
import type { BatchShape } from './batches.ts'
import { openGraphs, type StepGraphs } from './graphs.ts'
import type { TrainingData, TrainingJob, TrainingProgress, TrainingResult } from './jobs.ts'
import { meanGradient, trainLocally } from './local.ts'
import type { LocalState, Windows } from './types.ts'

/** Runs training jobs in a worker thread, whose step graphs stay open. */

let opened: Promise<StepGraphs> | undefined

type Context = WorkerContext<TrainingData, TrainingProgress>

const run = async (job: TrainingJob, context: Context): Promise<TrainingResult> => {
  opened ??= openGraphs(context.workerData)
  const graphs = await opened.catch((error: unknown) => {
    opened = undefined // the folder may be mended meanwhile
    throw error
  })
  if (job.kind === 'open') {
    const { layout, provider, refused } = graphs
    return { kind: 'open', layout, provider, refused }
  }
  if (job.kind === 'initial') return { kind: 'initial', params: graphs.initial() }
  if (job.kind === 'train') return { kind: 'train', state: await train(graphs, job, context) }
  const { shape, params, tokens } = job
  const trainer = graphs.trainer(shape)
  const passes = passesOf(shape, tokens)
  const windowsOf = (pass: number): Windows => windowsAt(shape, tokens, pass)
  const { signal } = context
  if (job.kind === 'gradient') {
    const gradient = new Float32Array(graphs.layout.size)
    const loss = await meanGradient({ trainer, params, first: 0, passes, windowsOf, gradient, signal })
    return { kind: 'gradient', gradient, loss }
  }
  const losses: number[] = []
  for (let pass = 0; pass < passes; pass += 1) {
    signal.throwIfAborted()
    losses.push(await trainer.loss({ params, windows: [windowsOf(pass)] }))
  }
  return { kind: 'measure', losses }
}

const train = async (
  graphs: StepGraphs,
  { terms, start, to, at, tokens }: Extract<TrainingJob, { kind: 'train' }>,
  { signal, progress }: Context,
): Promise<LocalState> => {
  const trainer = graphs.trainer(terms)
  const first = start.step * terms.accumulate
  const windowsOf = (pass: number): Windows => windowsAt(terms, tokens, pass - first)
  const stops = at.filter((step) => step > start.step && step <= to).sort((a, b) => a - b)
  let state = start
  for (const stop of new Set([...stops, to])) {
    const onStep = (of: { readonly step: number; readonly loss: number }): void => progress({ kind: 'step', ...of })
    state = await trainLocally({ trainer, terms, start: state, to: stop, windowsOf, onStep, signal })
    if (stops.includes(stop)) progress({ kind: 'state', state })
  }
  return state
}

const passesOf = ({ batch, length }: BatchShape, tokens: Uint16Array): number => tokens.length / (batch * (length + 1))

/** The windows of a pass among the tokens that came with a job. */
const windowsAt = ({ batch, length }: BatchShape, tokens: Uint16Array, pass: number): Windows => {
  const width = length + 1
  return { tokens, starts: Array.from({ length: batch }, (_, row) => (pass * batch + row) * width) }
}

export default run
