import type { GenerateRequest, ProofKind, Provider } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import { makeVariant, type Variant } from '../attacks/variants/make.ts'
import type { OpenedEngine } from '../open.ts'
import type { Thresholds } from '../thresholds.ts'
import { limitsOf, mustSeparate } from './limits.ts'
import { type MeasureDeps, type Measured, measureCopy, measureHonest, openValidators, variationsOf } from './measure.ts'
import { calibrationRequests } from './requests.ts'

export interface CalibrateOptions {
  readonly folder: string
  /** Honest answers with the default proof, spread over the variations; half as many with each other, a quarter by each copy. */
  readonly answers: number
  readonly providers: readonly Provider[]
  readonly compose: (seed: Hex) => string
  /** Whether the model takes conversations. */
  readonly chats: boolean
  /** Folder that keeps altered weights. */
  readonly into: string
  readonly signal: AbortSignal
  /** Told what was measured, line by line. */
  readonly say: (line: string) => void
}

const PROOFS = ['residue', 'toploc', 'none'] as const satisfies readonly ProofKind[]
/** The weakest copy that limits have to catch in every answer, and a weaker one whose share is only stated. */
const COPIES = ['int8', 'fine-tune'] as const satisfies readonly Variant[]
const MUST_CATCH = 'int8, its own proofs'

/**
 * Measures honest answers over every variation that runs here, and cheaper copies, and makes limits of them.
 * @returns limits for each provider and proof
 * @throws MODEL_NOT_SEPARABLE, MODEL_CALIBRATION_FAILED, ENGINE_*, MODEL_*
 */
export const calibrate = async (of: CalibrateOptions): Promise<Thresholds[]> => {
  const validators = await openValidators(of.folder, of.providers)
  try {
    const thresholds: Thresholds[] = []
    for (const proof of PROOFS) thresholds.push(...(await calibrateProof(of, validators, proof)))
    return thresholds
  } finally {
    await Promise.all(validators.map((validator) => validator.close()))
  }
}

const calibrateProof = async (
  of: CalibrateOptions,
  validators: readonly OpenedEngine[],
  proof: ProofKind,
): Promise<Thresholds[]> => {
  const deps: MeasureDeps = { folder: of.folder, validators, signal: of.signal }
  const variations = variationsOf(of.providers)
  const requests = calibrationRequests({ ...of, kind: 'honest', count: answersOf(of, proof), proof, plain: false })
  const honest: Measured[] = []
  for (const [index, variation] of variations.entries()) {
    const mine = requests.filter((_, request) => request % variations.length === index)
    const measured = await measureHonest(deps, variation, mine)
    of.say(`${proof}: ${variation.name}: ${mine.length} honest answers, ${mismatchesOf(measured)}`)
    honest.push(...measured)
  }
  const copies = await measureCopies(of, deps, proof)
  return validators.map(({ model, provider }) => {
    const here = (measured: readonly Measured[]): Measured[] => measured.filter((each) => each.provider === provider)
    const limits = limitsOf({
      profile: model.profile,
      provider,
      proof,
      variations: variations.map(({ name }) => name),
      honest: here(honest),
      copies: copies.map(({ name, measured }) => ({ name, measured: here(measured) })),
    })
    mustSeparate(limits, proof === 'none' ? [] : [MUST_CATCH]) // greedy answers alone show a copy only where it differs
    return limits
  })
}

const measureCopies = async (of: CalibrateOptions, deps: MeasureDeps, proof: ProofKind) => {
  const groups: { readonly name: string; readonly measured: readonly Measured[] }[] = []
  const [claims] = deps.validators.map(({ model }) => model)
  if (claims === undefined) return groups
  for (const variant of COPIES) {
    const copy = await makeVariant({ folder: of.folder, variant, into: of.into })
    const count = Math.ceil(answersOf(of, proof) / 4)
    const requests: GenerateRequest[] = calibrationRequests({ ...of, kind: variant, count, proof, plain: true })
    const { own, forged } = await measureCopy(deps, { copy, requests, claims })
    groups.push({ name: `${variant}, its own proofs`, measured: own })
    groups.push({ name: `${variant}, proofs by the honest model`, measured: forged })
    of.say(`${proof}: ${variant}: ${count} answers, ${mismatchesOf(forged)}`)
  }
  return groups
}

const answersOf = ({ answers }: CalibrateOptions, proof: ProofKind): number =>
  proof === 'residue' ? answers : Math.ceil(answers / 2)

const mismatchesOf = (measured: readonly Measured[]): string => {
  const tokens = measured.reduce((sum, each) => sum + each.tokens, 0)
  const mismatches = measured.reduce((sum, { check }) => sum + (check.mismatches ?? 0), 0)
  return `${mismatches} of ${tokens} tokens differ`
}
