import { createHash } from 'node:crypto'

/**
 * What fixes the choice of one token: argmax over ids of logit / temperature + Gumbel(seed, position)[id].
 * Both sides compute it, so a validator can recompute any position on its own. Written out in docs/models.md.
 */
export interface Draw {
  /** One logit a token id. */
  readonly logits: Float32Array
  /** 0 is greedy: the noise is left out. */
  readonly temperature: number
  /** 32 bytes. */
  readonly seed: Uint8Array
  /** Index of the token in the answer, from 0. */
  readonly position: number
}

const DOMAIN = Buffer.from('arbor/gumbel/1')
const RANGE = 2 ** 32

/**
 * Computes the standard Gumbel noise of one position: one value a token id.
 * @param of.size number of token ids
 */
export const gumbelNoise = (of: {
  readonly seed: Uint8Array
  readonly position: number
  readonly size: number
}): Float64Array => {
  const counter = Buffer.alloc(4)
  counter.writeUInt32LE(of.position)
  const state = createHash('sha256').update(DOMAIN).update(of.seed).update(counter).digest()
  let a = state.readUInt32LE(0)
  let b = state.readUInt32LE(4)
  let c = state.readUInt32LE(8)
  let d = state.readUInt32LE(12)
  const noise = new Float64Array(of.size)
  for (let index = 0; index < of.size; index++) {
    // xoshiro128**, Blackman and Vigna 2018
    const mixed = Math.imul(b, 5)
    const output = Math.imul((mixed << 7) | (mixed >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    noise[index] = -Math.log(-Math.log((output + 0.5) / RANGE)) // the half keeps the uniform inside (0, 1)
  }
  return noise
}

/** Chooses the token; the lowest id wins a tie. */
export const chooseToken = (draw: Draw): number => best(scores(draw)).id

/** Measures how far a claimed token lies below the best one, in units of logit / temperature; 0 when it is the best. */
export const samplingMargin = (draw: Draw & { readonly token: number }): number => {
  const values = scores(draw)
  return best(values).score - (values[draw.token] ?? Number.NEGATIVE_INFINITY)
}

const scores = ({ logits, temperature, seed, position }: Draw): Float64Array => {
  if (temperature === 0) return Float64Array.from(logits)
  const values = gumbelNoise({ seed, position, size: logits.length })
  for (let id = 0; id < values.length; id++) values[id] = (logits[id] ?? 0) / temperature + (values[id] ?? 0)
  return values
}

const best = (values: Float64Array): { id: number; score: number } => {
  let id = 0
  let score = Number.NEGATIVE_INFINITY
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? Number.NEGATIVE_INFINITY
    if (value > score) {
      id = index
      score = value
    }
  }
  return { id, score }
}
