/**
 * Measures training steps beside torch, one thread each, every run of each arm in a process of its own, arms alternating.
 *   node bench/training-step.ts --python PYTHON [--runs 5] [--steps 20]
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median } from '../shared/src/math.ts'
import { writeResult } from './write.ts'

/** What a worker times. */
export interface TrainingStepJob {
  readonly model: string
  readonly folder: string
  readonly batch: number
  readonly length: number
  readonly warmUp: number
  readonly steps: number
  /** Tokens of the stream that windows are cut from. */
  readonly stream: number
}

interface Figure {
  readonly name: string
  readonly what: string
}

const FIGURES: readonly Figure[] = [
  { name: 'step', what: 'whole step' },
  { name: 'pass', what: 'loss and gradients, tokens and parameters handed over' },
  { name: 'graph', what: 'the graph alone' },
  { name: 'update', what: 'clipping and AdamW' },
  { name: 'loss', what: 'loss alone' },
]
const CASES = [
  { model: 'arbor-tiny', graphs: 'arbor-tiny-train', batch: 4, length: 64 },
  { model: 'arbor-tiny', graphs: 'arbor-tiny-train', batch: 8, length: 128 },
  { model: 'arbor-tiny', graphs: 'arbor-tiny-lora', batch: 8, length: 128 },
  { model: 'arbor-2m', graphs: 'arbor-2m-train', batch: 8, length: 128 },
] as const

if (process.argv[1] === fileURLToPath(import.meta.url)) measure()

function measure(): void {
  const { values } = parseArgs({
    options: {
      python: { type: 'string', default: 'python3' },
      runs: { type: 'string', default: '5' },
      steps: { type: 'string', default: '20' },
    },
  })
  const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
  const found = new Map<string, Row>()
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const { model, graphs, batch, length } of CASES) {
      const isWhole = graphs.endsWith('-train')
      const label = `${model}${isWhole ? '' : ', LoRA of rank 8'}, ${batch} × ${length} tokens`
      const folders = { model: path(`../models/${model}`), folder: path(`../models/${graphs}`) }
      const job: TrainingStepJob = {
        ...{ ...folders, batch, length, warmUp: 3, steps: Number(values.steps), stream: 4_096 },
      }
      const arms = [
        { name: 'Arbor', command: process.execPath, script: path('./workers/training-step.ts') },
        ...(isWhole ? [{ name: 'torch', command: values.python, script: path('./workers/training_step.py') }] : []),
      ]
      for (const arm of run % 2 === 0 ? arms : [...arms].reverse()) {
        const output = execFileSync(arm.command, [arm.script, JSON.stringify(job)], { encoding: 'utf8' })
        add(found, { label, arm: arm.name, figures: JSON.parse(output.trim().split('\n').at(-1) ?? '') })
      }
    }
    // A run that is whole is kept, whatever becomes of the next.
    writeResult('training-step', [...found.values()], ratiosOf(found))
  }
}

interface Row {
  readonly what: string
  readonly unit: string
  readonly runs: Record<string, number[]>
}

function add(
  found: Map<string, Row>,
  of: { readonly label: string; readonly arm: string; readonly figures: Readonly<Record<string, number | null>> },
): void {
  for (const { name, what } of FIGURES) {
    const value = of.figures[name]
    if (value === null || value === undefined) continue
    const key = `${of.label}: ${what}`
    const row = found.get(key) ?? { what: key, unit: 'CPU ms', runs: {} }
    found.set(key, row)
    row.runs[of.arm] = [...(row.runs[of.arm] ?? []), Number(value.toPrecision(4))]
  }
}

function ratiosOf(found: ReadonlyMap<string, Row>): string[] {
  return [...found.values()]
    .filter(({ what, runs }) => what.endsWith(': whole step') && runs.torch !== undefined)
    .map(({ what, runs }) => `${what}: ${ratio(runs.Arbor, runs.torch)} of torch’s time.`)
}

/** Ratio of the medians, with the smallest and the largest of neighbouring runs. */
function ratio(own: readonly number[] = [], other: readonly number[] = []): string {
  const each = own.map((value, index) => value / (other[index] ?? Number.NaN)).sort((a, b) => a - b)
  const write = (value: number | undefined): string => (value ?? Number.NaN).toFixed(2)
  return `${write(median([...own]) / median([...other]))} (${write(each[0])}–${write(each.at(-1))})`
}
