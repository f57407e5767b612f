/**
 * Measures what a check costs beside the answer that it checks, whole and spot-checked, and how long proofs are.
 *   node bench/verification.ts [--models arbor-2m,smollm2] [--tokens 128,512,2048] [--batch 16] [--repeats 3] [--draws 4]
 * Answers go on past end tokens, so that they have the length that is named. CPU times are this process's, one thread.
 */
import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { floorThresholds } from '../engine/src/calibrate/floors.ts'
import { findModel } from '../engine/src/find-model.ts'
import { engineOf, type OpenedEngine, openModel } from '../engine/src/open.ts'
import type { Check, CheckShare, GenerateRequest, Generation, ProofKind } from '../shared/src/inference.ts'
import { median } from '../shared/src/math.ts'
import type { Hex } from '../shared/src/units.ts'
import { type AuditPolicy, solveAudit } from '../subnet-spec/audit/policy.ts'
import { INFERENCE_TERMS } from '../subnet-spec/inference/terms.ts'
import { questionOf } from './detection/questions.ts'
import type { Result } from './report.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: 'arbor-2m,smollm2' },
    tokens: { type: 'string', default: '128,512,2048' },
    batch: { type: 'string', default: '16' },
    repeats: { type: 'string', default: '3' },
    draws: { type: 'string', default: '4' },
  },
})
const lengths = values.tokens.split(',').map(Number)
const batch = Number(values.batch)
const repeats = Number(values.repeats)
const CHUNK_TOKENS = 32
/** Answers of this length and more are generated one by one only: a batch of them takes gigabytes. */
const LONG_TOKENS = 512
/** Users' answers of one miner in a round, and rounds in an epoch as in the built-in subnet. */
const ANSWERS = [10, 100, 1_000]
const ROUNDS = 2
/** Nothing is lost but the forfeited rounds, or a new registration that costs nothing and idles for an epoch: the worst case. */
const STAKES = { emissionPerRound: 1, burn: 0, idleRounds: ROUNDS, forfeitRounds: INFERENCE_TERMS.forfeitRounds }

const hex = (text: string): Hex => `0x${createHash('sha256').update(`bench/verification ${text}`).digest('hex')}`
const requestOf = (maxTokens: number, index: number, proof: ProofKind = 'residue'): GenerateRequest => ({
  prompt: `${questionOf(index)}\n\n`,
  maxTokens,
  temperature: 0.8,
  seed: hex(`seed ${index}`),
  binding: hex(`binding ${index}`),
  proof,
})

/** Runs an action; its result and the CPU milliseconds of this process. */
const timed = async <T>(action: () => Promise<T>): Promise<{ value: T; cpuMs: number }> => {
  const before = process.cpuUsage()
  const value = await action()
  const { user, system } = process.cpuUsage(before)
  return { value, cpuMs: (user + system) / 1_000 }
}

const must = (check: Check, tokens: number): Check => {
  if (check.reason !== 'ok')
    throw new Error(`an honest answer of ${tokens} tokens was refused: ${JSON.stringify(check)}`)
  return check
}

const rows: Result['rows'][number][] = []
const add = (what: string, unit: string, runs: readonly number[]): void =>
  void rows.push({ what, unit, runs: { Arbor: runs.map((value) => Number(value.toPrecision(3))) } })

/** What audits look at, for so many answers a round of so many chunks, in the first round of an epoch. */
const policyOf = (answers: number, chunks: number): AuditPolicy =>
  solveAudit({
    terms: INFERENCE_TERMS,
    stakes: STAKES,
    answers,
    chunks,
    round: 1,
    rounds: ROUNDS,
    missed: INFERENCE_TERMS.attacks.map(() => 1),
  })

const measureLength = async (engine: OpenedEngine, label: string, tokens: number): Promise<void> => {
  const chunks = Math.ceil(tokens / CHUNK_TOKENS)
  const answers: Generation[] = []
  const generated: number[] = []
  const whole: number[] = []
  for (let index = 0; index < (tokens > LONG_TOKENS ? 1 : repeats); index++) {
    const request = requestOf(tokens, index)
    const answer = await timed(() => engine.generate(request))
    if (answer.value.tokens.length !== tokens) throw new Error(`${answer.value.tokens.length} tokens, not ${tokens}`)
    const check = await timed(() => engine.check(request, answer.value))
    must(check.value, tokens)
    answers.push(answer.value)
    generated.push(answer.cpuMs)
    whole.push(check.cpuMs)
  }
  /** A check of so many chunks, drawn several times for each answer. */
  const partly = async (look: number): Promise<readonly number[]> => {
    const spent: number[] = []
    for (const [index, answer] of answers.entries()) {
      let sum = 0
      for (let draw = 0; draw < Number(values.draws); draw++) {
        const share: CheckShare = { draw: hex(`draw ${look} ${index} ${draw}`), chunks: look }
        const check = await timed(() => engine.check(requestOf(tokens, index), answer, share))
        must(check.value, tokens)
        sum += check.cpuMs
      }
      spent.push(sum / Number(values.draws))
    }
    return spent
  }
  const policies = ANSWERS.map((count) => policyOf(count, chunks))
  const looks = policies.map(({ look }) => look.chunks)
  const spent = new Map<number, readonly number[]>([[chunks, whole]])
  for (const look of new Set([1, ...looks])) if (!spent.has(look)) spent.set(look, await partly(look))
  const of = `${label}, ${tokens} tokens`
  const ratios = (checked: readonly number[], base: readonly number[]): readonly number[] =>
    checked.map((ms, index) => ms / (base[index % base.length] ?? ms))
  add(`${of}: generate, one at a time`, 'CPU ms', generated)
  add(`${of}: check`, 'CPU ms', whole)
  add(`${of}: check ÷ generate`, 'ratio', ratios(whole, generated))
  for (const [look, ms] of spent)
    if (look < chunks) add(`${of}: check of ${look} of ${chunks} chunks ÷ generate`, 'ratio', ratios(ms, generated))
  /** What audits of all answers take, for each served one. */
  const addAudits = (how: string, generateMs: number): void => {
    for (const [index, { share, look }] of policies.entries()) {
      const checkMs = median([...(spent.get(look.chunks) ?? [])])
      add(`${of}: audits ÷ generate${how}, ${ANSWERS[index]} answers a round`, 'ratio', [
        (share * checkMs) / generateMs,
      ])
    }
  }
  addAudits('', median(generated))
  if (tokens >= LONG_TOKENS) return
  const together = await timed(() =>
    Promise.all(Array.from({ length: batch }, (_, index) => engine.generate(requestOf(tokens, index + 100)))),
  )
  const each = together.cpuMs / batch
  add(`${of}: generate in a batch of ${batch}`, 'CPU ms an answer', [each])
  add(`${of}: check ÷ generate in a batch of ${batch}`, 'ratio', ratios(whole, [each]))
  addAudits(` in a batch of ${batch}`, each)
}

/** Bytes of proof a token, decoded from base64. */
const proofBytes = ({ fingerprint, tokens }: Generation): number =>
  fingerprint.reduce((sum, proof) => sum + Buffer.from(proof, 'base64').length, 0) / tokens.length

for (const name of values.models.split(',')) {
  const model = await openModel({ folder: findModel({ model: name, cwd: process.cwd() }) })
  const { id, card } = model.folder
  const limits =
    card.thresholds.length > 0 ? {} : { thresholds: [floorThresholds({ profile: id.profile, provider: 'cpu' })].flat() }
  const endless = { ...model, config: { ...model.config, ends: [] } }
  const engine = await engineOf(endless, { batch, ...limits })
  await engine.check(requestOf(32, 900), await engine.generate(requestOf(32, 900))) // warm-up
  for (const tokens of lengths.filter((length) => length + 64 <= model.config.context))
    await measureLength(engine, `${id.name} ${id.profile}`, tokens)
  for (const proof of ['residue', 'toploc'] as const)
    add(`${id.name}: proof ${proof}`, 'bytes a token', [proofBytes(await engine.generate(requestOf(128, 901, proof)))])
  await engine.close()
}
const notes = [
  `The audits are those of the built-in terms (docs/verification.md): ${ROUNDS} rounds an epoch, a miner that cheats in all its answers is found within the epoch with a probability of ${INFERENCE_TERMS.detection}, and no cheat pays although a new registration costs nothing.`,
]
writeResult('verification', rows, notes)
