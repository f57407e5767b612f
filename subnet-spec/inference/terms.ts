import type { AuditTerms } from '../audit/terms.ts'

/**
 * What cheating costs and how it is found. The attacks are those of docs/attacks.md, by their names. Savings are of the decoding's cost, the
 * larger of a CPU's and a GPU's, whose decoding is bound by the bytes of the weights; those that save nothing are not reckoned with.
 * `perChunk` is at most the lower end of the 95 % interval that docs/benchmarks.md gives for answers of one chunk, over all models: every
 * attack was found in every answer, and 48 of 48, the smallest sample, leave 0.926.
 */
export const INFERENCE_TERMS: AuditTerms = {
  forfeits: ['malformed', 'truncated', 'text', 'fingerprint', 'sampling'],
  forfeitRounds: 8, // four epochs of two rounds: longer than a new registration takes to earn
  detection: 0.99,
  attacks: [
    { name: 'cache', saving: 1, perChunk: 0.92 },
    { name: 'stolen', saving: 1, perChunk: 0.92 },
    { name: 'random', saving: 0.9, perChunk: 0.92 },
    { name: 'replay', saving: 0.9, perChunk: 0.92 },
    { name: 'sibling', saving: 0.9, perChunk: 0.92 },
    { name: 'two-faced', saving: 0.9, perChunk: 0.92 },
    { name: 'sibling-tokens', saving: 0.8, perChunk: 0.92 },
    { name: 'int4', saving: 0.75, perChunk: 0.92 },
    { name: 'int8', saving: 0.5, perChunk: 0.92 },
    { name: 'int8-tokens', saving: 0.4, perChunk: 0.92 },
    { name: 'greedy', saving: 0.5, perChunk: 0.92 }, // as with speculative decoding
    { name: 'truncate', saving: 0.5, perChunk: 0.92 },
    { name: 'pad', saving: 0.5, perChunk: 0.46 }, // half of its chunks are honest
    { name: 'end', saving: 0.5, perChunk: 0.92, isLocal: true },
    { name: 'prompt-cut', saving: 0.3, perChunk: 0.92 },
    { name: 'skip', saving: 0.25, perChunk: 0.92 },
    { name: 'fine-tune', saving: 0, perChunk: 0.92 },
    { name: 'replace', saving: 0, perChunk: 0.92, isLocal: true },
  ],
}
