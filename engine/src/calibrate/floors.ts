import type { PrecisionProfile, ProofKind, Provider } from '@arbor/shared/inference'
import type { Measurements, Thresholds } from '../thresholds.ts'

type Floors = Omit<Measurements, 'residueError' | 'exponentMismatches' | 'mantissaError'> & {
  readonly residueError: number
  readonly exponentMismatches: number
  readonly mantissaError: number
}

/**
 * Limits that a profile starts from: room for processors and runtimes that nobody had here, far below what other weights do. A
 * model's own noise may raise them. How they were chosen stands in docs/verification.md.
 */
export const FLOORS: Readonly<Record<PrecisionProfile, Floors>> = {
  fp32: {
    residueError: 0.05,
    exponentMismatches: 2,
    mantissaError: 0.1,
    marginMean: 1e-5,
    marginMax: 1e-3,
    mismatchRate: 0.01,
  },
  fp16: {
    residueError: 0.1,
    exponentMismatches: 4,
    mantissaError: 0.3,
    marginMean: 2e-4,
    marginMax: 8e-3,
    mismatchRate: 0.03,
  },
  int8: {
    residueError: 0.1,
    exponentMismatches: 4,
    mantissaError: 0.3,
    marginMean: 2e-3,
    marginMax: 0.05,
    mismatchRate: 0.1,
  },
}

const PROOFS = ['residue', 'toploc', 'none'] as const satisfies readonly ProofKind[]

/** Keeps the measurements that a proof has. */
export const ofProof = (proof: ProofKind, from: Floors): Measurements => ({
  residueError: proof === 'residue' ? from.residueError : null,
  exponentMismatches: proof === 'toploc' ? from.exponentMismatches : null,
  mantissaError: proof === 'toploc' ? from.mantissaError : null,
  marginMean: from.marginMean,
  marginMax: from.marginMax,
  mismatchRate: from.mismatchRate,
})

/** Makes uncalibrated thresholds, with which a check can measure but should not judge. */
export const floorThresholds = (of: {
  readonly profile: PrecisionProfile
  readonly provider: Provider
}): Thresholds[] =>
  PROOFS.map((proof) => {
    const floors = ofProof(proof, FLOORS[of.profile])
    const nothing = { name: 'honest', answers: 0, tokens: 0, refused: 0, interval: [0, 1] } as const
    return { ...of, proof, ...floors, calibration: { variations: [], honest: nothing, worst: floors, copies: [] } }
  })
