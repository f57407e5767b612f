import type { Check, CheckReason, CheckShare, ModelId } from '@arbor/shared/inference'
import type { Decoder } from './decoder.ts'
import type { ModelConfig } from './model-config.ts'
import { type ChunkErrors, compareProofs, worstOf } from './proof/compare.ts'
import { prefillRows } from './proof/prefill.ts'
import { type FormReason, type ReadAnswer, readAnswer } from './proof/read-answer.ts'
import { MOST_REPAIRS, repairTokens } from './proof/retokenise.ts'
import { choosePart } from './proof/share.ts'
import type { PreparedRequest } from './request.ts'
import { createDraws } from './sampler.ts'
import { mismatchesAllowed } from './statistics.ts'
import type { Measurements, Thresholds } from './thresholds.ts'
import type { Tokenizer } from './tokenizer.ts'

/** Margin that one token counts at most in the mean, so that a single outlier cannot outweigh a whole answer. */
const MARGIN_CLIP = 1
/** Tokens that the mean is taken over at least, so that one rounding in a short answer weighs no more than in a long one. */
const MEAN_TOKENS = 32

export interface CheckDeps {
  readonly decoder: Decoder
  readonly tokenizer: Tokenizer
  readonly config: ModelConfig
  readonly model: ModelId
  readonly thresholds: Thresholds
}

/** A token that was drawn again. */
export interface DrawnAgain {
  readonly position: number
  readonly token: number
  /** What this engine draws. */
  readonly drawn: number
  /** Logits by which this engine would have to differ to draw the token. */
  readonly margin: number
}

/** A check with everything that it rests on. */
export interface Explanation {
  readonly check: Check
  readonly limits: Thresholds
  /** Chunks that were compared; none where the check did not get that far, or the proof is none. */
  readonly chunks: readonly ChunkErrors[]
  /** Positions that were looked at, ascending. */
  readonly positions: readonly DrawnAgain[]
}

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
  if (typeof read === 'string') return refused(read)
  return (await measureAny(deps, request, read, { share, explains: false })).check
}

/**
 * Checks an answer as `check` does, and says what each chunk and each token measured.
 * @throws ENGINE_BAD_LOGITS when this side's model gives no numbers
 */
export const explain = async (
  deps: CheckDeps,
  request: PreparedRequest,
  answer: unknown,
  share?: CheckShare,
): Promise<Explanation> => {
  const read = readAnswer({ answer, request, ...deps })
  const nothing = { limits: deps.thresholds, chunks: [], positions: [] }
  if (typeof read === 'string') return { check: refused(read), ...nothing }
  return { ...nothing, ...(await measureAny(deps, request, read, { share, explains: true })) }
}

interface Look {
  readonly share: CheckShare | undefined
  readonly explains: boolean
}

/**
 * Measures an answer; one without a proof may have been tokenised again, and is then measured over the tokens that this model draws, as
 * long as they give the same text. A part of it may not show where the tokens are others, so what looks wrong in a part is looked at whole.
 */
const measureAny = async (
  deps: CheckDeps,
  request: PreparedRequest,
  read: ReadAnswer,
  look: Look,
): Promise<Omit<Explanation, 'limits'>> => {
  if (request.proof !== 'none') return measure(deps, request, read, look)
  const { marginMax } = deps.thresholds
  let { tokens } = read
  let { share } = look
  let prefilled = 0
  for (let repairs = 0; ; repairs++) {
    const found = await measure(deps, request, { ...read, tokens }, { ...look, share })
    prefilled += found.check.prefilled
    const check = { ...found.check, prefilled }
    const wrong = found.positions.find(({ margin }) => margin > marginMax)
    const lacks = read.short && tokens.length < request.maxTokens
    if ((wrong !== undefined || lacks) && found.positions.length < tokens.length) {
      share = undefined
      repairs--
      continue
    }
    if (wrong === undefined && lacks) return { check: refused('truncated', prefilled), chunks: [], positions: [] }
    const repaired =
      wrong === undefined || repairs === MOST_REPAIRS
        ? null
        : repairTokens({ ...wrong, tokens, ends: deps.config.ends, tokenizer: deps.tokenizer })
    if (repaired === null || repaired.length > request.maxTokens) return { ...found, check }
    tokens = repaired
  }
}

const measure = async (
  { decoder, config, model, thresholds }: CheckDeps,
  request: PreparedRequest,
  { tokens, proofs }: ReadAnswer,
  { share, explains }: Look,
): Promise<Omit<Explanation, 'limits'>> => {
  const part = choosePart(tokens.length, share)
  const first = request.prompt.length - 1 // the row of the prompt's last token drew the answer's first
  const draws = createDraws({ request, model })
  const positions: DrawnAgain[] = []
  const seen = [...request.prompt, ...tokens.slice(0, part.end - 1)]
  const { hidden, width } = await prefillRows({
    decoder,
    tokens: seen,
    rows: part.positions.map((position) => first + position),
    vocabulary: config.vocabulary,
    onRow: ({ row, logits }) => {
      const position = row - first
      const token = tokens[position] ?? -1
      const margin = draws.margin({ logits, position, token, tolerance: thresholds.marginMax })
      positions.push({
        position,
        token,
        drawn: explains || (request.proof === 'none' && margin > 0) ? draws.choose(logits, position) : token,
        margin,
      })
    },
  })
  const chunks = compareProofs({ request, model, tokens, proofs, hidden: hidden.subarray(first * width), width })
  if (chunks === null) return { check: refused('malformed', seen.length), chunks: [], positions }
  const measured = { ...statesOf(chunks), ...marginsOf(positions.map(({ margin }) => margin)) }
  const reason = judge(measured, positions.length, thresholds)
  return { check: { reason, ...measured, prefilled: seen.length }, chunks, positions }
}

type States = Pick<Measurements, 'residueError' | 'exponentMismatches' | 'mantissaError'>
type Margins = Pick<Measurements, 'marginMean' | 'marginMax'> & { readonly mismatches: number }

const statesOf = (chunks: readonly ChunkErrors[]): States => ({
  residueError: worstOf(chunks, 'residueError'),
  exponentMismatches: worstOf(chunks, 'exponentMismatches'),
  mantissaError: worstOf(chunks, 'mantissaError'),
})

const marginsOf = (margins: readonly number[]): Margins => ({
  marginMean:
    margins.reduce((sum, margin) => sum + Math.min(margin, MARGIN_CLIP), 0) / Math.max(MEAN_TOKENS, margins.length),
  marginMax: Math.max(...margins),
  mismatches: margins.filter((margin) => margin > 0).length,
})

/** Compares what was measured with the limits; every comparison is of the form that NaN fails. */
export const judge = (measured: States & Margins, positions: number, limits: Measurements): CheckReason => {
  const within = (key: keyof States): boolean => limits[key] === null || (measured[key] ?? Number.NaN) <= limits[key]
  if (!within('residueError') || !within('exponentMismatches') || !within('mantissaError')) return 'fingerprint'
  const { marginMean, marginMax, mismatches } = measured
  const allowed = mismatchesAllowed(positions, limits.mismatchRate)
  return marginMean <= limits.marginMean && marginMax <= limits.marginMax && mismatches <= allowed ? 'ok' : 'sampling'
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
