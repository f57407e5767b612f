/**
 * Fingerprints of hidden states in TOPLOC's scheme: the k values of largest magnitude of a chunk, as bfloat16, become the points of
 * a polynomial over GF(65497); the proof is its coefficients. Bytes equal those of the reference package where no two values tie.
 * @source arXiv 2501.16007; PyPI toploc 0.1.6
 */

/** Largest prime for which the reference's arithmetic stays within 32 bits. */
export const FIELD = 65_497
/** Values that one chunk's proof covers. */
export const TOP_K = 128
/** Tokens a chunk. */
export const CHUNK_TOKENS = 32

/** How a chunk's hidden states differ from what its proof claims. */
export interface ChunkDifference {
  /** Values whose sign or exponent differs. */
  readonly exponentMismatches: number
  /** Mean difference of the 7-bit mantissas over the other values; 128 where there is none. */
  readonly mantissaError: number
}

const NOTHING_COMPARABLE = 128 // one above the largest difference of two 7-bit mantissas

/** Multiplicative inverses in the field, by the recurrence inv(i) = −⌊p / i⌋ · inv(p mod i). */
const INVERSES = (() => {
  const inverses = new Uint16Array(FIELD)
  inverses[1] = 1
  for (let value = 2; value < FIELD; value++) {
    inverses[value] = ((FIELD - Math.floor(FIELD / value)) * (inverses[FIELD % value] ?? 0)) % FIELD
  }
  return inverses
})()

const reduce = (value: number): number => {
  const rest = value % FIELD
  return rest < 0 ? rest + FIELD : rest
}

/** Rounds a float32's bits to bfloat16 bits, half to even. */
const toBfloat16 = (bits: number): number => ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff

const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length)

/** Finds the indices of the k values of largest magnitude, largest first; a tie goes to the lower index. */
export const topIndices = (values: Float32Array, k: number): Int32Array => {
  const bits = bitsOf(values)
  const magnitude = (index: number): number => (bits[index] ?? 0) & 0x7fffffff
  // A histogram over the magnitudes' upper 15 bits finds the cut, so that only the few values above it are sorted.
  const histogram = new Uint32Array(1 << 15)
  for (let index = 0; index < bits.length; index++) {
    const bucket = magnitude(index) >>> 16
    histogram[bucket] = (histogram[bucket] ?? 0) + 1
  }
  let bucket = histogram.length - 1
  for (let above = histogram[bucket] ?? 0; above < k && bucket > 0; above += histogram[bucket] ?? 0) bucket--
  const candidates: number[] = []
  for (let index = 0; index < bits.length; index++) if (magnitude(index) >>> 16 >= bucket) candidates.push(index)
  candidates.sort((first, second) => magnitude(second) - magnitude(first) || first - second)
  return Int32Array.from(candidates.slice(0, k))
}

/** Finds the largest modulus, at most the field's, under which all indices stay distinct. */
const injectiveModulus = (indices: Int32Array): number => {
  const taken = new Uint32Array(FIELD + 1) // holds the modulus that last took a residue, so it never needs clearing
  const distinct = (modulus: number): boolean =>
    indices.every((index) => {
      const residue = index % modulus
      if (taken[residue] === modulus) return false
      taken[residue] = modulus
      return true
    })
  let modulus = FIELD
  while (!distinct(modulus)) modulus--
  return modulus
}

/** Interpolates the polynomial through (x, y) by Newton's divided differences; returns its coefficients, lowest first. */
const interpolate = (x: Int32Array, y: Int32Array): Uint16Array => {
  const n = x.length
  const at = (index: number): number => x[index] ?? 0
  const divided = Float64Array.from(y, reduce)
  for (let order = 1; order < n; order++) {
    for (let index = n - 1; index >= order; index--) {
      const rise = reduce((divided[index] ?? 0) - (divided[index - 1] ?? 0))
      divided[index] = (rise * (INVERSES[reduce(at(index) - at(index - order))] ?? 0)) % FIELD
    }
  }
  const coefficients = new Float64Array(n)
  const basis = new Float64Array(n + 1) // product of (X − x[0]) … (X − x[i − 1])
  basis[0] = 1
  for (let index = 0; index < n; index++) {
    const factor = divided[index] ?? 0
    const root = reduce(-at(index))
    for (let power = 0; power <= index; power++) {
      coefficients[power] = ((coefficients[power] ?? 0) + factor * (basis[power] ?? 0)) % FIELD
    }
    for (let power = index + 1; power > 0; power--) {
      basis[power] = ((basis[power] ?? 0) * root + (basis[power - 1] ?? 0)) % FIELD
    }
    basis[0] = ((basis[0] ?? 0) * root) % FIELD
  }
  return Uint16Array.from(coefficients)
}

const evaluate = (coefficients: Uint16Array, x: number): number => {
  let value = 0
  for (let power = coefficients.length - 1; power >= 0; power--)
    value = (value * x + (coefficients[power] ?? 0)) % FIELD
  return value
}

/**
 * Proves one chunk.
 * @param values hidden states, row by row
 * @returns modulus and k coefficients, each u16 big-endian
 */
export const proveChunk = (values: Float32Array, k: number): Uint8Array => {
  const indices = topIndices(values, k)
  const bits = bitsOf(values)
  const modulus = injectiveModulus(indices)
  const points = Int32Array.from(indices, (index) => toBfloat16(bits[index] ?? 0))
  const coefficients = interpolate(
    indices.map((index) => index % modulus),
    points,
  )
  const proof = Buffer.alloc(2 + 2 * k)
  proof.writeUInt16BE(modulus)
  for (const [power, coefficient] of coefficients.entries()) proof.writeUInt16BE(coefficient, 2 + 2 * power)
  return Uint8Array.from(proof)
}

/**
 * Compares a chunk's hidden states with a proof.
 * @returns null when the bytes are no proof of k values: wrong length, modulus outside k..65497, coefficient outside the field
 */
export const compareChunk = (values: Float32Array, proof: Uint8Array, k: number): ChunkDifference | null => {
  if (proof.length !== 2 + 2 * k) return null
  const view = new DataView(proof.buffer, proof.byteOffset, proof.byteLength)
  const modulus = view.getUint16(0)
  if (modulus < k || modulus > FIELD) return null // fewer residues than values cannot keep them distinct
  const coefficients = Uint16Array.from({ length: k }, (_, power) => view.getUint16(2 + 2 * power))
  if (coefficients.some((coefficient) => coefficient >= FIELD)) return null
  const bits = bitsOf(values)
  let exponentMismatches = 0
  let difference = 0
  for (const index of topIndices(values, k)) {
    const claimed = evaluate(coefficients, index % modulus)
    const found = toBfloat16(bits[index] ?? 0)
    if (((claimed ^ found) & 0xff80) !== 0) exponentMismatches++
    else difference += Math.abs((claimed & 0x7f) - (found & 0x7f))
  }
  const compared = k - exponentMismatches
  return { exponentMismatches, mantissaError: compared === 0 ? NOTHING_COMPARABLE : difference / compared }
}

/** Cuts hidden states [tokens × width] into chunks of 32 tokens; k shrinks where a short last chunk has fewer values. */
export const chunksOf = (
  hidden: Float32Array,
  width: number,
): { readonly values: Float32Array; readonly k: number }[] => {
  const size = CHUNK_TOKENS * width
  return Array.from({ length: Math.ceil(hidden.length / size) }, (_, index) => {
    const values = hidden.subarray(index * size, Math.min(hidden.length, (index + 1) * size))
    return { values, k: Math.min(TOP_K, values.length) }
  })
}
