/** The tokens that may be drawn: all whose logit is above the cut, and those at the cut up to an id. */
export interface Cut {
  readonly logit: number
  readonly id: number
}

/** Sets of one position: as the request means it, and as rounding could have made it. */
export interface Candidates {
  readonly exact: Cut
  /** Every token that an engine whose logits differ by the tolerance could have in its set is at or above this logit. */
  readonly widest: number
  /** Every token at or above this logit is in the set of any such engine. */
  readonly narrowest: number
}

const NOTHING_BELOW = 40 // e^−40 of the largest weight is lost in the sum's last bits
const MOST_REACH = 2 ** 40 // logits farther below the largest are −∞

/**
 * Finds the tokens that top-k and top-p leave: of the topK largest logits (of equal ones the lower ids), the likeliest whose
 * probabilities among these first sum to topP.
 * @param of.peak      largest logit
 * @param of.tolerance logits; 0 where only the exact set is wanted
 * @returns null when nothing is cut off
 */
export const findCandidates = (of: {
  readonly logits: Float32Array
  readonly peak: number
  readonly temperature: number
  readonly topK: number | null
  readonly topP: number | null
  readonly tolerance: number
}): Candidates | null => {
  const { logits, temperature, tolerance } = of
  const topK = of.topK !== null && of.topK < logits.length ? of.topK : null
  const topP = of.topP !== null && of.topP < 1 ? of.topP : null
  if (topK === null && topP === null) return null
  const weigh = (logit: number): number => Math.exp((logit - of.peak) / temperature)
  const sum = topP === null || topK !== null ? 0 : totalWeight(logits, of.peak - NOTHING_BELOW * temperature, weigh)
  // Logits that move by the tolerance change the odds of the head against the tail by this factor at most.
  const odds = Math.exp((2 * tolerance) / temperature)
  const head =
    topK === null
      ? likeliest(of, (found) => weightOf(found, weigh) >= neededOf(sum, topP ?? 1, odds))
      : largest(of, topK)
  const cutAt = (kept: number): Cut => nthOf(logits, head, kept)
  if (topP === null) return around(cutAt(head.length), cutAt(head.length), cutAt(head.length), tolerance)
  const all = topK === null ? sum : weightOf(head, weigh)
  const [exact, wide, narrow] = [1, odds, 1 / odds].map((factor) => cutAt(keptOf(head, weigh, all, topP, factor)))
  return exact && wide && narrow ? around(exact, wide, narrow, tolerance) : null
}

/** Weight that a head must have so that its odds reach the share even where the tail counts `factor` times. */
const neededOf = (sum: number, share: number, factor: number): number =>
  (share * factor * sum) / (1 - share + share * factor)

/** Lists the largest logits, largest first. */
const largest = (of: { readonly logits: Float32Array; readonly peak: number }, count: number): Float32Array =>
  likeliest({ ...of, temperature: 1 }, (found) => found.length >= count).subarray(0, count)

/** Lists the logits from the largest down, as many as are enough, or all. */
const likeliest = (
  of: { readonly logits: Float32Array; readonly peak: number; readonly temperature: number },
  enough: (found: Float32Array) => boolean,
): Float32Array => {
  const { logits, peak, temperature } = of
  for (let reach = 1; ; reach *= 2) {
    const found = atLeast(logits, peak - reach * temperature)
    if (found.length === logits.length || reach > MOST_REACH || enough(found)) return found.sort().reverse()
  }
}

/** Lists the logits that are no smaller; a plain loop, since this one runs over the whole vocabulary for every token. */
const atLeast = (logits: Float32Array, least: number): Float32Array => {
  let count = 0
  for (let id = 0; id < logits.length; id++) if ((logits[id] ?? 0) >= least) count++
  const found = new Float32Array(count)
  for (let id = logits.length - 1; id >= 0; id--) {
    const logit = logits[id] ?? 0
    if (logit >= least) found[--count] = logit
  }
  return found
}

/** Counts the logits whose odds against the rest first reach the share, the rest counting `factor` times; all where none do. */
const keptOf = (
  head: Float32Array,
  weigh: (logit: number) => number,
  sum: number,
  share: number,
  factor: number,
): number => {
  const needed = neededOf(sum, share, factor)
  let weight = 0
  for (const [index, logit] of head.entries()) {
    weight += weigh(logit)
    if (weight >= needed) return index + 1
  }
  return head.length
}

/** Names the last token of the `kept` largest; of equal logits the lower ids come first. */
const nthOf = (logits: Float32Array, head: Float32Array, kept: number): Cut => {
  const logit = head[kept - 1] ?? Number.NaN
  let left = kept - head.indexOf(logit)
  let id = -1
  while (left > 0) {
    id = logits.indexOf(logit, id + 1)
    left--
  }
  return { logit, id }
}

const around = (exact: Cut, wide: Cut, narrow: Cut, tolerance: number): Candidates => ({
  exact,
  widest: wide.logit - tolerance,
  narrowest: narrow.logit + tolerance,
})

const weightOf = (found: Float32Array, weigh: (logit: number) => number): number => {
  let weight = 0
  for (const logit of found) weight += weigh(logit)
  return weight
}

const totalWeight = (logits: Float32Array, least: number, weigh: (logit: number) => number): number => {
  let total = 0
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] ?? 0
    if (logit > least) total += weigh(logit)
  }
  return total
}

/** Tells whether a token is in the exact set. */
export const isKept = ({ logit, id }: Cut, candidate: number, value: number): boolean =>
  value > logit || (value === logit && candidate <= id)
