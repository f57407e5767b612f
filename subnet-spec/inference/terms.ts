import type { AuditTerms } from '../audit/terms.ts'

/**
 * What cheating costs and how it is found. Savings are of the decoding cost, the larger of a CPU's and a GPU's, whose decoding is bound by the
 * bytes of the weights; `perChunk` is the lower end of what docs/benchmarks.md measures for one chunk of 32 tokens.
 */
export const INFERENCE_TERMS: AuditTerms = {
  forfeits: ['malformed', 'truncated', 'text', 'fingerprint', 'sampling'],
  forfeitRounds: 8, // four epochs of two rounds: longer than a new registration takes to earn
  detection: 0.99,
  attacks: [
    { name: 'cached answer', saving: 1, perChunk: 0.98 },
    { name: 'smaller sibling', saving: 0.9, perChunk: 0.98 },
    { name: 'int4 weights', saving: 0.75, perChunk: 0.98 },
    { name: 'int8 weights', saving: 0.5, perChunk: 0.95 },
    { name: 'skipped layer', saving: 0.25, perChunk: 0.98 },
    { name: 'int4 tokens under an honest prefill', saving: 0.65, perChunk: 0.8 },
    { name: 'int8 tokens under an honest prefill', saving: 0.4, perChunk: 0.4 },
    { name: 'truncated output', saving: 0.5, perChunk: 0.98 },
    { name: 'replaced tokens', saving: 0, perChunk: 0.98, isLocal: true },
  ],
}
