import { createHash, hash } from 'node:crypto'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex } from '@arbor/shared/hex'
import type { ModelId, PrecisionProfile } from '@arbor/shared/inference'
import { type Candidates, findCandidates, isKept } from './candidates.ts'
import { fillStream, gumbelBound, gumbelOf } from './noise.ts'
import type { PreparedRequest } from './request.ts'

/**
 * Logits by which two cells of the largest logit differ. The noise of a position belongs to its cell, so a model whose largest
 * logit is off by a share of this draws an unrelated token with that probability, while honest rounding hardly ever crosses. It is
 * about thirty times the largest margin that the profile allows.
 */
export const CELL_WIDTH: Readonly<Record<PrecisionProfile, number>> = { fp32: 1 / 32, fp16: 1 / 8, int8: 1 }

const CELL = Buffer.from('arbor/cell/1')
const GUMBEL = Buffer.from('arbor/gumbel/2')

/** A token that was claimed for a position. */
export interface Claim {
  /** One logit a token id. */
  readonly logits: Float32Array
  /** Index of the token in the answer, from 0. */
  readonly position: number
  readonly token: number
  /** Logits by which an honest engine may differ; moves the edges of top-k and top-p. */
  readonly tolerance: number
}

/** Draws the tokens of one answer: argmax over ids of logit / temperature + Gumbel noise. Written out in docs/verification.md. */
export interface Draws {
  /**
   * Chooses the token of a position; the lowest id wins a tie.
   * @throws ENGINE_BAD_LOGITS when a logit is NaN or the largest is infinite
   */
  choose(logits: Float32Array, position: number): number
  /**
   * Measures by how many logits the model would have to differ for the token to be the chosen one; 0 when it is.
   * @throws ENGINE_BAD_LOGITS when a logit is NaN or the largest is infinite
   */
  margin(claim: Claim): number
}

/** Derives the sampler's seed: the same question gives other noise for another asker, miner, model or profile. */
export const samplerSeed = (of: {
  readonly seed: Uint8Array
  readonly binding: Uint8Array
  readonly model: Pick<ModelId, 'hash' | 'profile'>
}): Buffer =>
  createHash('sha256')
    .update('arbor/sampler/2')
    .update(of.seed)
    .update(of.binding)
    .update(fromHex(of.model.hash, 32))
    .update(of.model.profile)
    .digest()

/** Opens the draws of one answer. */
export const createDraws = (of: {
  readonly request: Pick<PreparedRequest, 'seed' | 'binding' | 'temperature' | 'topK' | 'topP'>
  readonly model: Pick<ModelId, 'hash' | 'profile'>
}): Draws => {
  const { temperature, topK, topP } = of.request
  const noise = openNoise({ seed: samplerSeed({ ...of.request, model: of.model }), profile: of.model.profile })
  const candidatesOf = (logits: Float32Array, peak: number, tolerance: number): Candidates | null =>
    findCandidates({ logits, peak, temperature, topK, topP, tolerance })
  return {
    choose: (logits, position) => {
      const top = peakOf(logits, position)
      if (temperature === 0) return top.id
      const kept = candidatesOf(logits, top.value, 0)
      const { cell } = noise.cellOf(top.value, position)
      const outputs = noise.outputs(position, cell, logits.length)
      const inSet = kept === null ? null : (id: number, value: number): boolean => isKept(kept.exact, id, value)
      return best({ logits, outputs, temperature, inSet, start: top.id }).id
    },
    margin: ({ logits, position, token, tolerance }) => {
      const top = peakOf(logits, position)
      const claimed = logits[token] ?? Number.NEGATIVE_INFINITY
      if (temperature === 0) return top.value - claimed
      const kept = candidatesOf(logits, top.value, tolerance)
      if (kept !== null && claimed < kept.widest) return Number.POSITIVE_INFINITY
      const inSet = kept === null ? null : (_: number, value: number): boolean => value >= kept.narrowest
      const marginIn = (cell: number): number => {
        const outputs = noise.outputs(position, cell, logits.length)
        const { score } = best({ logits, outputs, temperature, inSet, start: top.id })
        const own = claimed / temperature + gumbelOf(outputs[token] ?? 0)
        return Math.max(0, score - own) * temperature
      }
      const { cell, below, above } = noise.cellOf(top.value, position)
      let margin = marginIn(cell)
      // An engine whose largest logit lies in the next cell draws with that cell's noise.
      if (below < margin) margin = Math.min(margin, Math.max(below, marginIn(cell - 1)))
      if (above < margin) margin = Math.min(margin, Math.max(above, marginIn(cell + 1)))
      return margin
    },
  }
}

interface Cell {
  readonly cell: number
  /** Logits from the largest one down to the cell's lower edge, and up to its upper edge. */
  readonly below: number
  readonly above: number
}

interface Noise {
  cellOf(peak: number, position: number): Cell
  /** One output a token id; valid until the next call. */
  outputs(position: number, cell: number, size: number): Uint32Array
}

/** Memory of the last outputs: one for all answers, since each uses its own before the next is asked. */
let scratch = new Uint32Array(0)

/** Opens the noise of one answer; `seed` is that of `samplerSeed`. */
export const openNoise = (of: { readonly seed: Uint8Array; readonly profile: PrecisionProfile }): Noise => {
  const width = CELL_WIDTH[of.profile]
  return {
    cellOf: (peak, position) => {
      // Where the edges lie is random for each position, so that no logit is near an edge more often than another.
      const offset = (digest(CELL, of.seed, position).readUInt32LE(0) + 0.5) / 2 ** 32
      const place = peak / width + offset
      const cell = Math.floor(place)
      return { cell, below: (place - cell) * width, above: (cell + 1 - place) * width }
    },
    outputs: (position, cell, size) => {
      if (scratch.length !== size) scratch = new Uint32Array(size)
      fillStream(digest(GUMBEL, of.seed, position, cell), scratch)
      return scratch
    },
  }
}

/** Hashes a domain, the seed, and numbers as u32 little-endian, negative ones in two's complement. */
const digest = (domain: Uint8Array, seed: Uint8Array, ...numbers: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(domain.length + seed.length + 4 * numbers.length)
  bytes.set(domain)
  bytes.set(seed, domain.length)
  for (const [index, value] of numbers.entries())
    bytes.writeUInt32LE(value >>> 0, domain.length + seed.length + 4 * index)
  return hash('sha256', bytes, 'buffer')
}

/** Finds the best score of a set; the score is −∞ where the set is empty. */
const best = (of: {
  readonly logits: Float32Array
  readonly outputs: Uint32Array
  readonly temperature: number
  readonly inSet: ((id: number, logit: number) => boolean) | null
  readonly start: number
}): { readonly id: number; readonly score: number } => {
  const { logits, outputs, temperature, inSet } = of
  const scoreOf = (id: number): number => (logits[id] ?? 0) / temperature + gumbelOf(outputs[id] ?? 0)
  // The likeliest token's score comes first: few others can be above it, and only theirs cost logarithms.
  const started = inSet === null || inSet(of.start, logits[of.start] ?? 0)
  let id = of.start
  let score = started ? scoreOf(id) : Number.NEGATIVE_INFINITY
  for (let index = 0; index < logits.length; index++) {
    const logit = logits[index] ?? 0
    if (logit / temperature + gumbelBound(outputs[index] ?? 0) < score) continue
    if (inSet !== null && !inSet(index, logit)) continue
    const value = scoreOf(index)
    if (value > score || (value === score && index < id)) {
      id = index
      score = value
    }
  }
  return { id, score }
}

/** Finds the largest logit; the lowest id wins a tie. */
const peakOf = (logits: Float32Array, position: number): { readonly id: number; readonly value: number } => {
  let id = 0
  let value = Number.NEGATIVE_INFINITY
  for (let index = 0; index < logits.length; index++) {
    const logit = logits[index] ?? Number.NaN
    if (logit <= value) continue
    if (Number.isNaN(logit)) throw notFinite('logits', position)
    id = index
    value = logit
  }
  if (!Number.isFinite(value)) throw notFinite('logits', position)
  return { id, value }
}

/** Says that a model's own output cannot be used. */
export const notFinite = (output: string, position: number): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BAD_LOGITS',
    message: `The model's ${output} for token ${position} of the answer are not finite numbers; check the model folder and its provider`,
    details: { output, position },
  })
