/**
 * Measures how honest answers and cheats differ under one model's checks, and writes the limits into its card.
 *   node scripts/models/calibrate.ts MODEL_FOLDER --variants FOLDER [--honest 48] [--cheats 24] [--dry-run]
 * Cheaper copies are taken from MODEL_FOLDER-int8 and from the folders of --variants that start with the model's name.
 */

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Thresholds } from '../../engine/src/card.ts'
import { openEngine, openModel } from '../../engine/src/open.ts'
import { prepareRequest } from '../../engine/src/request.ts'
import { chunksOf, proveChunk } from '../../engine/src/toploc.ts'
import type { Check, GenerateRequest, Generation, InferenceEngine } from '../../shared/src/inference.ts'

/** Limits that a profile starts from: several times the rounding noise between processors; a model's own noise may raise them. */
const FLOORS: Thresholds = {
  profile: 'fp32',
  exponentMismatches: 2,
  mantissaError: 0.1,
  marginMean: 5e-4,
  marginMax: 0.01,
}
const NOISE_FACTOR = 4
const UNLIMITED: Thresholds = {
  profile: 'fp32',
  exponentMismatches: Number.POSITIVE_INFINITY,
  mantissaError: Number.POSITIVE_INFINITY,
  marginMean: Number.POSITIVE_INFINITY,
  marginMax: Number.POSITIVE_INFINITY,
}
const OPENINGS = [
  'The borrow checker',
  'A trait object is',
  '# Error handling\n\n',
  'To build the project, run',
  'Lifetimes describe',
  'fn main() {\n    let',
  'Unsafe code may',
  'The `Iterator` trait',
]
const LENGTHS = [32, 48, 64]
const TEMPERATURE = 0.8

type Cheat = (engine: InferenceEngine, request: GenerateRequest) => Promise<Generation>
interface Group {
  readonly name: string
  readonly checks: readonly Check[]
}

const seedOf = (text: string): `0x${string}` => `0x${createHash('sha256').update(text).digest('hex')}`

const requestOf = (label: string, index: number): GenerateRequest => ({
  prompt: `${OPENINGS[index % OPENINGS.length]}`,
  maxTokens: LENGTHS[index % LENGTHS.length] ?? 64,
  temperature: TEMPERATURE,
  seed: seedOf(`${label} ${index}`),
})

/** Hands out what a cheat builds answers from: the honest model's text of tokens, and its fingerprint of tokens it never drew. */
const openForge = async (folder: string) => {
  const model = await openModel({ folder })
  const fingerprint = async (request: GenerateRequest, tokens: readonly number[]): Promise<string[]> => {
    const { prompt } = prepareRequest({ request, ...model })
    const { hidden, width } = await model.decoder.step([...prompt, ...tokens.slice(0, -1)], model.decoder.empty)
    const chunks = chunksOf(hidden.slice((prompt.length - 1) * width), width)
    return chunks.map(({ values, k }) => Buffer.from(proveChunk(values, k)).toString('base64'))
  }
  return { decode: model.tokenizer.decode, fingerprint }
}

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      variants: { type: 'string' },
      honest: { type: 'string', default: '48' },
      cheats: { type: 'string', default: '24' },
      'dry-run': { type: 'boolean', default: false },
    },
  })
  const [folder] = positionals
  if (folder === undefined) throw new Error('name a model folder')
  const engine = await openEngine({ folder, thresholds: UNLIMITED })
  const groups = await measure(engine, folder, values.variants, Number(values.honest), Number(values.cheats))
  const limits = limitsFor(groups[0]?.checks ?? [])
  console.log(`${engine.model.name} ${engine.model.hash}\nlimits ${JSON.stringify(limits)}\n\n${table(groups, limits)}`)
  const report = groups.map((group) => ({
    name: group.name,
    answers: group.checks.length,
    refused: refusedBy(limits, group),
  }))
  const wrong = report.filter((each, index) => (index === 0 ? each.refused > 0 : each.refused < each.answers))
  if (wrong.length > 0) console.log(`not separated: ${JSON.stringify(wrong)}`)
  if (
    (report[0]?.refused ?? 1) > 0 ||
    report.some((each) => /int8 answers$/.test(each.name) && each.refused < each.answers)
  ) {
    throw new Error('honest answers are refused or the int8 copy passes: these limits must not be used')
  }
  if (!values['dry-run']) writeLimits(folder, limits, report)
}

const measure = async (
  engine: InferenceEngine,
  folder: string,
  variants: string | undefined,
  honest: number,
  cheats: number,
) => {
  const name = basename(folder)
  const siblings = [
    `${folder}-int8`,
    ...(variants === undefined ? [] : readdirSync(variants).map((each) => join(variants, each))),
  ].filter((path) => existsSync(path) && basename(path).startsWith(`${name}-`))
  const { decode, fingerprint } = await openForge(folder)
  const borrow = async (request: GenerateRequest, answer: Generation): Promise<Generation> => ({
    ...answer,
    text: decode(answer.tokens),
    fingerprint: await fingerprint(request, answer.tokens),
  })
  const kinds: [string, Cheat][] = [
    ['other seed', (own, request) => own.generate({ ...request, seed: seedOf(request.seed) })],
    ['greedy', (own, request) => own.generate({ ...request, temperature: 0 })],
    ['temperature + 0.2', (own, request) => own.generate({ ...request, temperature: request.temperature + 0.2 })],
    [
      'one replaced token, its own fingerprint',
      async (own, request) => {
        const answer = await own.generate(request)
        const place = answer.tokens.length >> 1
        const tokens = answer.tokens.map((token, index) => (index === place ? 2 + ((token + 17) % 1000) : token))
        return borrow(request, { ...answer, tokens })
      },
    ],
    ['other prompt', (own, request) => own.generate({ ...request, prompt: request.prompt.slice(0, -1) })],
  ]
  for (const path of siblings) {
    const cheap = await openEngine({ folder: path })
    kinds.push([`${basename(path)} answers`, (_, request) => cheap.generate(request)])
    kinds.push([
      `${basename(path)} tokens, honest fingerprint`,
      async (_, request) => borrow(request, await cheap.generate(request)),
    ])
  }
  const groups: Group[] = [await checksOf('honest', (own, request) => own.generate(request), engine, honest)]
  for (const [kind, cheat] of kinds) groups.push(await checksOf(kind, cheat, engine, cheats))
  return groups
}

const checksOf = async (name: string, cheat: Cheat, engine: InferenceEngine, count: number): Promise<Group> => {
  const checks: Check[] = []
  for (let index = 0; index < count; index++) {
    const request = requestOf(name, index)
    checks.push(await engine.check(request, await cheat(engine, request)))
  }
  return { name, checks }
}

const refuses = (limits: Thresholds, check: Check): boolean =>
  check.reason !== 'ok' ||
  (check.exponentMismatches ?? 0) > limits.exponentMismatches ||
  (check.mantissaError ?? 0) > limits.mantissaError ||
  (check.marginMean ?? 0) > limits.marginMean ||
  (check.marginMax ?? 0) > limits.marginMax

const refusedBy = (limits: Thresholds, group: Group): number =>
  group.checks.filter((check) => refuses(limits, check)).length

const limitsFor = (honest: readonly Check[]): Thresholds => {
  const worst = (key: keyof Omit<Thresholds, 'profile'>): number =>
    Math.max(...honest.map((check) => check[key] ?? Number.NaN))
  const limit = (key: keyof Omit<Thresholds, 'profile'>): number => Math.max(FLOORS[key], NOISE_FACTOR * worst(key))
  return {
    profile: 'fp32',
    exponentMismatches: limit('exponentMismatches'),
    mantissaError: limit('mantissaError'),
    marginMean: limit('marginMean'),
    marginMax: limit('marginMax'),
  }
}

const table = (groups: readonly Group[], limits: Thresholds): string => {
  const spread = (group: Group, key: keyof Omit<Thresholds, 'profile'>): string => {
    const found = group.checks.map((check) => check[key]).filter((value) => value !== null)
    const write = (value: number): string => (value === 0 ? '0' : value.toPrecision(2))
    return found.length === 0 ? '–' : `${write(Math.min(...found))} … ${write(Math.max(...found))}`
  }
  const rows = groups.map((group) => {
    const refused = `${refusedBy(limits, group)} of ${group.checks.length}`
    const keys = ['exponentMismatches', 'mantissaError', 'marginMean', 'marginMax'] as const
    return `| ${[group.name, refused, ...keys.map((key) => spread(group, key))].join(' | ')} |`
  })
  const head =
    '| answers | refused | exponent mismatches | mantissa error | margin mean | margin max |\n|---|---|---|---|---|---|'
  return [head, ...rows].join('\n')
}

const writeLimits = (folder: string, limits: Thresholds, report: readonly object[]): void => {
  const path = join(folder, 'card.json')
  const card = JSON.parse(readFileSync(path, 'utf8'))
  card.thresholds = [{ ...limits, calibration: { temperature: TEMPERATURE, tokens: LENGTHS, groups: report } }]
  writeFileSync(path, `${JSON.stringify(card, null, 2)}\n`)
}

await main()
