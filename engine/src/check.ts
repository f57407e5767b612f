import type { Check, CheckReason, CheckShare, ModelId } from '@arbor/shared/inference'
import type { Decoder } from './decoder.ts'
import type { ModelConfig } from './model-config.ts'
import { prefillRows } from './proof/prefill.ts'
import { type FormReason, type ReadAnswer, readAnswer } from './proof/read-answer.ts'
import { openResidues } from './proof/residue.ts'
import { choosePart } from './proof/share.ts'
import type { PreparedRequest } from './request.ts'
import { createDraws } from './sampler.ts'
import { mismatchesAllowed } from './statistics.ts'
import type { Measurements, Thresholds } from './thresholds.ts'
import type { Tokenizer } from './tokenizer.ts'
import { chunksOf, compareChunk } from './toploc.ts'

/** Margin that one token counts at most in the mean, so that a single outlier cannot outweigh a whole answer. */
const MARGIN_CLIP = 1

export interface CheckDeps {
  readonly decoder: Decoder
  readonly tokenizer: Tokenizer
  readonly config: ModelConfig
  readonly model: ModelId
  readonly thresholds: Thresholds
}

const unmeasured = {
  residueError: null,
  exponentMismatches: null,
  mantissaError: null,
  marginMean: null,
  marginMax: null,
  mismatches: null,
}
const refused = (reason: FormReason, prefilled = 0): Check => ({ reason, ...unmeasured, prefilled })

/**
 * Decides whether an answer came from this model, this prompt and this seed: the tokens must decode to the text, their hidden
 * states must match the proof, and each must be the one that the sampler chooses. One prefill serves both measurements.
 * @param answer whatever a miner sent; anything unexpected is a refusal, never an exception
 * @param share  how much of the answer to look at; all when absent
 * @throws ENGINE_BAD_LOGITS when this side's model gives no numbers
 */
export const check = async (
  deps: CheckDeps,
  request: PreparedRequest,
  answer: unknown,
  share?: CheckShare,
): Promise<Check> => {
  const read = readAnswer({ answer, request, ...deps })
  return typeof read === 'string' ? refused(read) : measure(deps, request, read, share)
}

const measure = async (
  deps: CheckDeps,
  request: PreparedRequest,
  { tokens, proofs }: ReadAnswer,
  share: CheckShare | undefined,
): Promise<Check> => {
  const { decoder, config, model, thresholds } = deps
  const part = choosePart(tokens.length, share)
  const first = request.prompt.length - 1 // the row of the prompt's last token drew the answer's first
  const draws = createDraws({ request, model })
  const margins: number[] = []
  const seen = [...request.prompt, ...tokens.slice(0, part.end - 1)]
  const { hidden, width } = await prefillRows({
    decoder,
    tokens: seen,
    rows: part.positions.map((position) => first + position),
    vocabulary: config.vocabulary,
    onRow: ({ row, logits }) => {
      const position = row - first
      margins.push(draws.margin({ logits, position, token: tokens[position] ?? -1, tolerance: thresholds.marginMax }))
    },
  })
  const states = compareProofs({ request, model, tokens, proofs, hidden: hidden.subarray(first * width), width })
  if (states === null) return refused('malformed', seen.length)
  const marginMean = margins.reduce((sum, margin) => sum + Math.min(margin, MARGIN_CLIP), 0) / margins.length
  const mismatches = margins.filter((margin) => margin > 0).length
  const measured = { ...states, marginMean, marginMax: Math.max(...margins), mismatches }
  return { reason: judge(measured, margins.length, thresholds), ...measured, prefilled: seen.length }
}

type StateErrors = Pick<Measurements, 'residueError' | 'exponentMismatches' | 'mantissaError'>

/** Compares hidden states with their proofs, chunk by chunk; null when a proof is malformed. */
const compareProofs = (of: {
  readonly request: PreparedRequest
  readonly model: ModelId
  readonly tokens: readonly number[]
  readonly proofs: readonly Uint8Array[]
  readonly hidden: Float32Array
  readonly width: number
}): StateErrors | null => {
  const { request, proofs, width } = of
  const none = { residueError: null, exponentMismatches: null, mantissaError: null }
  if (request.proof === 'none') return none
  const chunks = chunksOf(of.hidden, width)
  if (request.proof === 'residue') {
    const residues = openResidues({ ...of, binding: request.binding }, width)
    const errors = chunks.map(({ values }, chunk) => residues.compare(chunk, values, proofs[chunk] ?? NO_BYTES))
    const found = errors.filter((error) => error !== null)
    return found.length < errors.length ? null : { ...none, residueError: Math.max(...found) }
  }
  const differences = chunks.map(({ values, k }, chunk) => compareChunk(values, proofs[chunk] ?? NO_BYTES, k))
  const found = differences.filter((difference) => difference !== null)
  if (found.length < differences.length) return null
  return {
    ...none,
    exponentMismatches: Math.max(...found.map((each) => each.exponentMismatches)),
    mantissaError: Math.max(...found.map((each) => each.mantissaError)),
  }
}

const NO_BYTES = new Uint8Array(0)

/** Compares what was measured with the limits; every comparison is of the form that NaN fails. */
const judge = (
  measured: StateErrors & { readonly marginMean: number; readonly marginMax: number; readonly mismatches: number },
  positions: number,
  limits: Thresholds,
): CheckReason => {
  const within = (key: keyof StateErrors): boolean =>
    limits[key] === null || (measured[key] ?? Number.NaN) <= limits[key]
  if (!within('residueError') || !within('exponentMismatches') || !within('mantissaError')) return 'fingerprint'
  const allowed = mismatchesAllowed(positions, limits.mismatchRate)
  const { marginMean, marginMax, mismatches } = measured
  return marginMean <= limits.marginMean && marginMax <= limits.marginMax && mismatches <= allowed ? 'ok' : 'sampling'
}
