/**
 * Measures inference beside a bare loop around onnxruntime, beside torch and beside llama.cpp, on the same weights: tokens a CPU
 * second by batch size, first token, memory. Each run of each arm is a process of its own, arms alternating.
 *   npm ci --prefix bench
 *   node bench/inference.ts [--models arbor-2m,smollm2] [--python PYTHON] [--gguf smollm2=FILE,smollm2-q8=FILE]
 *                           [--runs 3] [--batches 1,2,4,8,16] [--tokens 64]
 * PYTHON is an interpreter with torch, onnx, gguf and numpy; without it there is no arm torch. GGUF files of the same weights come from
 * bench/workers/inference/gguf_copies.py; without them and bench/node_modules there is no arm llama.cpp.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findModel } from '../engine/src/find-model.ts'
import { openModel } from '../engine/src/open.ts'
import { prepareRequest } from '../engine/src/request.ts'
import type { Result } from './report.ts'
import type { InferenceJob, Measured } from './workers/inference/job.ts'
import { makePrompts } from './workers/inference/prompts.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: 'arbor-2m,smollm2' },
    python: { type: 'string' },
    gguf: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
    batches: { type: 'string', default: '1,2,4,8,16' },
    tokens: { type: 'string', default: '64' },
  },
})
/** Length of the long prompts, which leaves the small models' context room for an answer. */
const LONG_TOKENS = 384
/** Models of a shorter context than this are so fast that one batch is too short to measure. */
const SHORT_CONTEXT = 1_024
const ggufs = Object.fromEntries(values.gguf.split(',').map((pair) => pair.split('=')))
const hasLlama = existsSync(new URL('./node_modules/node-llama-cpp', import.meta.url))

interface Arm {
  readonly name: string
  readonly command: string
  readonly script: string
}

const armsFor = (gguf: string | null, exact: boolean): readonly Arm[] => [
  { name: 'Arbor', command: process.execPath, script: 'arbor.ts' },
  { name: 'bare ONNX', command: process.execPath, script: 'bare.ts' },
  ...(values.python !== undefined && exact ? [{ name: 'torch', command: values.python, script: 'torch_arm.py' }] : []),
  ...(hasLlama && gguf !== null ? [{ name: 'llama.cpp', command: process.execPath, script: 'llama.ts' }] : []),
]

const jobFor = async (name: string): Promise<{ job: InferenceJob; label: string; exact: boolean }> => {
  const folder = findModel({ model: name, cwd: process.cwd() })
  const model = await openModel({ folder })
  const { id, graph } = model.folder
  const encode = (text: string): readonly number[] =>
    prepareRequest({
      request: { prompt: text, maxTokens: 1, temperature: 0, seed: `0x${'00'.repeat(32)}` },
      ...model,
    }).prompt
  const { prompts, long } = makePrompts(LONG_TOKENS, encode)
  await model.release()
  return {
    job: {
      folder,
      graph,
      gguf: ggufs[name] ?? null,
      prompts,
      long,
      batches: values.batches.split(',').map(Number),
      tokens: Number(values.tokens),
      least: model.config.context <= SHORT_CONTEXT ? 2_048 : 0,
    },
    label: `${id.name}, ${id.profile}`,
    exact: id.profile === 'fp32',
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'bench-inference-'))
const rows: Result['rows'][number][] = []
const notes: string[] = []
try {
  for (const name of values.models.split(',')) {
    const { job, label, exact } = await jobFor(name)
    const file = join(scratch, `${name}.json`)
    writeFileSync(file, JSON.stringify(job))
    const found = new Map<string, { what: string; unit: string; runs: Record<string, number[]> }>()
    const arms = armsFor(job.gguf, exact)
    const answers = new Map<string, readonly string[]>()
    for (let run = 0; run < Number(values.runs); run++) {
      for (const arm of run % 2 === 0 ? arms : [...arms].reverse()) {
        const script = fileURLToPath(new URL(`./workers/inference/${arm.script}`, import.meta.url))
        const output = execFileSync(arm.command, [script, file], { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 })
        const figures: { measured: Measured[]; answers: number[][] } = JSON.parse(
          output.trim().split('\n').at(-1) ?? '',
        )
        answers.set(
          arm.name,
          figures.answers.map((tokens) => tokens.join()),
        )
        for (const { what, unit, value } of figures.measured) {
          const row = found.get(what + unit) ?? { what: `${label}: ${what}`, unit, runs: {} }
          found.set(what + unit, row)
          row.runs[arm.name] = [...(row.runs[arm.name] ?? []), Number(value.toPrecision(4))]
        }
        console.error(`${label}, run ${run + 1}, ${arm.name}`)
      }
    }
    rows.push(...found.values())
    notes.push(agreement(label, answers))
  }
  writeResult('inference', rows, notes)
} finally {
  rmSync(scratch, { recursive: true })
}

/** Says how many answers each arm has in common with ours, token for token. */
function agreement(label: string, answers: ReadonlyMap<string, readonly string[]>): string {
  const ours = answers.get('Arbor') ?? []
  const same = [...answers]
    .filter(([name]) => name !== 'Arbor')
    .map(([name, theirs]) => `${name} ${theirs.filter((answer, index) => answer === ours[index]).length}`)
  return `${label}: of ${ours.length} answers these are ours token for token: ${same.join(', ')}.`
}
